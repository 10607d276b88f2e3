"""The loss of a text in the units in which language models are compared."""

import math
from typing import NamedTuple

import numpy as np

from seqgen.symbols import EOS, UNK


class TextLoss(NamedTuple):
    """The mean loss of a token in nats, its number for each character, and the fraction of unknown tokens."""

    loss: float
    tokens_per_character: float
    unknown_tokens: float

    @classmethod
    def of(cls, loss: float, tokens: np.ndarray, text: str = "", characters: int | None = None) -> "TextLoss":
        """Return the loss of (length,) tokens, of so many characters; by default they are those of a decoded text."""
        # EOS counts as a character: it is predicted in place of a line end.
        characters = characters or len(text) + int((tokens == EOS).sum())
        return cls(loss, len(tokens) / max(characters, 1), float((tokens == UNK).mean()))

    @property
    def perplexity(self) -> float:
        """The number of equally probable tokens with this loss."""
        return math.exp(self.loss)

    @property
    def bits_per_character(self) -> float:
        """The mean loss of a character in bits."""
        return self.loss * self.tokens_per_character / math.log(2)

    @property
    def figures(self) -> dict[str, float]:
        """The figures of the loss, by their names in `results.json`."""
        return {name: getattr(self, name) for name in ("bits_per_character", "perplexity", "unknown_tokens")}

    def __str__(self) -> str:
        rest = f", {self.unknown_tokens:.1%} of the tokens unknown" if self.unknown_tokens else ""
        bits = f"{self.bits_per_character:.4f} bits a character"
        return f"{self.loss:.4f} nats a token, {bits}, perplexity {self.perplexity:.2f}{rest}"
