"""The vocabulary of a tokenizer."""

import logging
from collections import Counter
from collections.abc import Iterable
from typing import Any

from seqgen.arguments import checked
from seqgen.errors import InputError
from seqgen.symbols import SYMBOLS, UNK

logger = logging.getLogger(__name__)


@checked
class Vocabulary:
    """Symbols in the order of their numbers; the first four are the special ones.

    Args:
        symbols: the others, all different.
    """

    def __init__(self, symbols: list[str]):
        self.symbols = [*SYMBOLS, *symbols]
        self.numbers = {symbol: number for number, symbol in enumerate(symbols, start=len(SYMBOLS))}

    def __len__(self) -> int:
        return len(self.symbols)

    def number(self, symbol: str) -> int:
        """Return the token number of a symbol, UNK where it is unknown."""
        return self.numbers.get(symbol, UNK)

    def text(self, token: int) -> str:
        """Return the symbol of a token: an empty text for PAD, BOS and EOS, U+FFFD for UNK."""
        if token < len(SYMBOLS):
            return "\ufffd" if token == UNK else ""
        return self.symbols[token]

    def extended(self, symbols: list[str]) -> "Vocabulary":
        """Return a vocabulary that has further symbols, too; those that this one has keep their numbers."""
        return Vocabulary([*self.numbers, *(symbol for symbol in symbols if symbol not in self.numbers)])

    def with_words(self, words: Iterable[str]) -> "Vocabulary":
        """Return a vocabulary that also has those of these words that are in lower case."""
        return self.extended([word for word in words if word == word.lower()])

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> "Vocabulary":
        """Return the vocabulary whose symbols, but for the special ones, are in `data["symbols"]`."""
        return cls(data["symbols"])

    @property
    def data(self) -> dict[str, Any]:
        """The symbols, but for the special ones, as plain data."""
        return {"symbols": self.symbols[len(SYMBOLS) :]}


def most_frequent(counts: "Counter[str]", largest: int, least: int, noun: str) -> list[str]:
    """Return the symbols with at least `least` occurrences, at most `largest` of them, sorted.

    Raises:
        InputError: there are fewer than two different symbols.
    """
    if len(counts) < 2:
        found = f"only {next(iter(counts))!r}" if counts else "none"
        raise InputError(f"the text must hold at least two different {noun}s, but it holds {found}")
    kept = sorted(symbol for symbol, count in counts.items() if count >= least)
    if len(kept) > largest:
        ranked = sorted(kept, key=lambda symbol: (-counts[symbol], symbol))
        kept = sorted(ranked[:largest])
        unknown = 1 - sum(counts[symbol] for symbol in kept) / counts.total()
        logger.warning(
            f"the text has {len(counts):,} different {noun}s: the {largest:,} most frequent are kept, "
            f"and the rest ({unknown:.2%} of the text) is read as unknown"
        )
    return kept
