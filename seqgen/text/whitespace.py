"""One token for each word as a file has it, between white space, and for each line end."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from seqgen.arguments import checked
from seqgen.symbols import SYMBOLS, UNK
from seqgen.text.tokenizer import decode_all, in_blocks
from seqgen.text.vocabulary import Vocabulary, most_frequent

LINE_END = "\n"
UNKNOWN = "<unk>"  # as a file may have it, and as UNK is decoded
TOKENS = re.compile(rf"{LINE_END}|\S+")


@checked
class WhitespaceTokenizer:
    """Words between white space, and line ends, for files that are tokenized already, such as those of benchmarks.

    A line end is the `<eos>` that language models are compared with, one a line; "<unk>" in a file is UNK. White space
    is decoded as single spaces between the words of a line.

    Args:
        vocabulary: words and the line end.
    """

    kind = "whitespace"

    def __init__(self, vocabulary: Vocabulary):
        self.vocabulary = vocabulary
        self._numbers = vocabulary.numbers | {UNKNOWN: UNK}

    @classmethod
    def fit(cls, text: str | Iterable[str], *, largest: int = 50_000, least: int = 1) -> "WhitespaceTokenizer":
        """Learn the words with at least `least` occurrences, at most the `largest` number of most frequent ones.

        Raises:
            InputError: the text has fewer than two different words.
        """
        words: Counter[str] = Counter()
        for block in in_blocks(text):
            words.update(block.split())
        del words[UNKNOWN]
        return cls(Vocabulary([LINE_END, *most_frequent(words, largest, least, "word")]))

    @property
    def vocab_size(self) -> int:
        """The number of tokens, the special ones included."""
        return len(self.vocabulary)

    def encode(self, text: str) -> np.ndarray:
        """Return the token numbers of words and line ends."""
        tokens = TOKENS.findall(text)
        return np.fromiter((self._numbers.get(token, UNK) for token in tokens), dtype=np.int64, count=len(tokens))

    def decode(self, tokens: int | Iterable[int], **options: Any) -> str:
        """Return the text of these tokens, which is encoded as them again."""
        return decode_all(self.detokenizer(), tokens)

    def detokenizer(self) -> "WhitespaceDetokenizer":
        """Return an object that decodes token by token."""
        return WhitespaceDetokenizer(self.vocabulary)

    def unseen(self, text: str) -> list[str]:
        """Return the words that are not in the vocabulary, each once, in order."""
        return [word for word in dict.fromkeys(text.split()) if word not in self._numbers]

    def extended(self, text: str | Iterable[str]) -> "WhitespaceTokenizer":
        """Return a tokenizer that also knows the words of a text; the tokens of this one keep their numbers."""
        words = dict.fromkeys(word for block in in_blocks(text) for word in block.split() if word != UNKNOWN)
        return WhitespaceTokenizer(self.vocabulary.extended(list(words)))

    def to_data(self) -> dict[str, Any]:
        """Return the vocabulary as plain data."""
        return self.vocabulary.data

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> "WhitespaceTokenizer":
        """Return the tokenizer that `to_data` described."""
        return cls(Vocabulary.from_data(data))


class WhitespaceDetokenizer:
    """Separates the words of a line by spaces."""

    def __init__(self, vocabulary: Vocabulary):
        self._vocabulary = vocabulary
        self._gap = ""

    def push(self, token: int) -> str:
        """Return the word with the space before it, or the line end."""
        if token < len(SYMBOLS) and token != UNK:
            return ""
        text = UNKNOWN if token == UNK else self._vocabulary.symbols[token]
        gap = "" if text == LINE_END else self._gap
        self._gap = "" if text == LINE_END else " "
        return gap + text

    def flush(self) -> str:
        """Return an empty text: nothing is buffered."""
        return ""
