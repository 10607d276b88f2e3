"""The log-probability of a text under a model."""

import math
from typing import NamedTuple, Self


class Score(NamedTuple):
    """The tokens of a text, as text, the log-probability of each in nats, and the perplexity of the text."""

    tokens: list[str]
    log_probabilities: list[float]
    perplexity: float

    @classmethod
    def of(cls, tokens: list[str], log_probabilities: list[float]) -> Self:
        """Return the score of tokens with these log-probabilities; the perplexity of no token is 1."""
        return cls(tokens, log_probabilities, math.exp(-sum(log_probabilities) / max(len(tokens), 1)))

    @property
    def log_probability(self) -> float:
        """The log-probability of the whole text, in nats."""
        return sum(self.log_probabilities)
