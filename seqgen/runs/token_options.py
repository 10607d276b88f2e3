"""The tokens of a generator: their kind, their number, and the direction in which they are read."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from seqgen.text.backward import BackwardTokenizer
from seqgen.text.tokenizer import Tokenizer, fit_tokenizer


@dataclass(kw_only=True)
class TokenOptions:
    """Options of the tokens of a generator."""

    tokenizer: Literal["char", "byte", "word", "lowercase-word", "whitespace", "subword", "bpe"] = "char"
    """kind of tokens"""
    vocab_size: int | None = None
    """maximum size of the vocabulary; other tokens are read as unknown, or in smaller pieces"""
    direction: Literal["forward", "backward"] = "forward"
    """order in which texts are read; backward predicts each token from those after it, and a prompt ends a text"""

    def fitted(self, text: str | Iterable[str]) -> Tokenizer:
        """Return a tokenizer of these options, fitted to a text, whole or in blocks.

        Raises:
            InputError: the text has fewer than two different symbols.
        """
        tokenizer = fit_tokenizer(self.tokenizer, text, self.vocab_size)
        return BackwardTokenizer(tokenizer) if self.direction == "backward" else tokenizer
