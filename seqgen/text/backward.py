"""Tokens from the last one of a text to its first, for a generator that learns texts from their end."""

from collections.abc import Iterable
from copy import copy
from typing import Any

import numpy as np

from seqgen.arguments import checked
from seqgen.text.tokenizer import Tokenizer


@checked
class BackwardTokenizer:
    """The tokens of another tokenizer in the opposite order; texts stay in reading order.

    A generator with such a tokenizer predicts each token from those that follow it, and a prompt is the end of a text.

    Args:
        tokenizer: whose tokens these are.
    """

    def __init__(self, tokenizer: Tokenizer):
        self.tokenizer, self.kind = tokenizer, tokenizer.kind
        self.vocabulary = getattr(tokenizer, "vocabulary", None)

    @property
    def vocab_size(self) -> int:
        """The number of tokens, the special ones included."""
        return self.tokenizer.vocab_size

    def encode(self, text: str) -> np.ndarray:
        """Return the token numbers of a text, the last token first."""
        return self.tokenizer.encode(text)[::-1].copy()

    def decode(self, tokens: int | Iterable[int], **options: Any) -> str:
        """Return the text of these tokens, the last of which begins it."""
        return self.tokenizer.decode(tokens if isinstance(tokens, int) else list(tokens)[::-1], **options)

    def detokenizer(self) -> "BackwardDetokenizer":
        """Return an object that takes token by token, and decodes them when it is flushed."""
        return BackwardDetokenizer(self)

    def unseen(self, text: str) -> list[str]:
        """Return the pieces of a text that are not in the vocabulary, each once, in reading order."""
        return self.tokenizer.unseen(text)

    def extended(self, text: str | Iterable[str]) -> "BackwardTokenizer":
        """Return a tokenizer that also knows the symbols of a text; the tokens of this one keep their numbers."""
        return BackwardTokenizer(self.tokenizer.extended(text))

    def to_data(self) -> dict[str, Any]:
        """Return the data of the other tokenizer, with the mark that the order is the opposite."""
        return {**self.tokenizer.to_data(), "backward": True}


class BackwardDetokenizer:
    """Buffers all tokens: white space and characters depend on what stands before, which is generated later."""

    def __init__(self, tokenizer: BackwardTokenizer):
        self._tokenizer = tokenizer
        self._after: list[int] = []  # flushed before, the end of the text
        self._new: list[int] = []

    def push(self, token: int) -> str:
        """Return an empty text."""
        self._new.append(token)
        return ""

    def __copy__(self) -> "BackwardDetokenizer":
        other = BackwardDetokenizer(self._tokenizer)
        other._after, other._new = copy(self._after), copy(self._new)
        return other

    def flush(self) -> str:
        """Return the text of the tokens since the last flush, as it stands before the text of the earlier ones."""
        decode, new = self._tokenizer.decode, self._new
        after, self._after, self._new = decode(self._after), self._after + new, []
        whole = decode(self._after)
        return whole.removesuffix(after) if whole.endswith(after) else decode(new)
