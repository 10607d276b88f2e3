"""One token for each character."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from seqgen.arguments import checked
from seqgen.symbols import SYMBOLS, UNK
from seqgen.text.tokenizer import decode_all, in_blocks
from seqgen.text.vocabulary import Vocabulary, most_frequent

UNICODE_SIZE = 0x110000


@checked
class CharacterTokenizer:
    """The Unicode code points of the training text, each one a token."""

    kind = "char"

    def __init__(self, vocabulary: Vocabulary):
        self.vocabulary = vocabulary
        self._numbers = np.full(UNICODE_SIZE, UNK, dtype=np.int64)
        for symbol, number in vocabulary.numbers.items():
            self._numbers[ord(symbol)] = number

    @classmethod
    def fit(cls, text: str | Iterable[str], *, largest: int = 20_000) -> "CharacterTokenizer":
        """Learn the characters of a text: all of them, or the `largest` number of most frequent ones.

        Raises:
            InputError: the text has fewer than two different characters.
        """
        counts: Counter[str] = Counter()
        for block in in_blocks(text):
            points, seen = np.unique(_code_points(block), return_counts=True)
            counts.update(dict(zip(map(chr, points.tolist()), seen.tolist(), strict=True)))
        return cls(Vocabulary(most_frequent(counts, largest, 1, "character")))

    @property
    def vocab_size(self) -> int:
        """The number of tokens, the special ones included."""
        return len(self.vocabulary)

    def encode(self, text: str) -> np.ndarray:
        """Return the token number of each character."""
        return np.asarray(self._numbers[_code_points(text)])

    def decode(self, tokens: int | Iterable[int], **options: Any) -> str:
        """Return the text of these tokens."""
        return decode_all(self.detokenizer(), tokens)

    def detokenizer(self) -> "CharacterDetokenizer":
        """Return an object that decodes token by token."""
        return CharacterDetokenizer(self.vocabulary)

    def unseen(self, text: str) -> list[str]:
        """Return the characters that are not in the vocabulary, each once, in order."""
        return [symbol for symbol in dict.fromkeys(text) if symbol not in self.vocabulary.numbers]

    def extended(self, text: str | Iterable[str]) -> "CharacterTokenizer":
        """Return a tokenizer that also knows the characters of a text; the tokens of this one keep their numbers.

        Raises:
            InputError: the text has fewer than two different characters.
        """
        return CharacterTokenizer(self.vocabulary.extended(list(self.fit(text).vocabulary.numbers)))

    def to_data(self) -> dict[str, Any]:
        """Return the vocabulary as plain data."""
        return self.vocabulary.data

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> "CharacterTokenizer":
        """Return the tokenizer that `to_data` described."""
        return cls(Vocabulary.from_data(data))


class CharacterDetokenizer:
    """Decodes each token to its character."""

    def __init__(self, vocabulary: Vocabulary):
        self._vocabulary = vocabulary

    def __copy__(self) -> "CharacterDetokenizer":
        return self  # nothing is buffered

    def push(self, token: int) -> str:
        """Return the character."""
        # Not by a public method, whose arguments are checked, for each of many candidates.
        return self._vocabulary.symbols[token] if token >= len(SYMBOLS) else self._vocabulary.text(token)

    def flush(self) -> str:
        """Return an empty text: nothing is buffered."""
        return ""


def _code_points(text: str) -> np.ndarray:
    # A lone surrogate comes from a shell argument that was not UTF-8; it is just another unseen character.
    return np.frombuffer(text.encode("utf-32-le", errors="surrogatepass"), dtype=np.uint32)
