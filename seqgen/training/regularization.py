"""How much dropout suits a text, from how often it will be read."""

import math

GATES = {"lstm": 4, "gru": 3, "rnn": 1}


def suitable_dropout(epochs: float) -> float:
    """Return the dropout probability for a text that will be read this number of times.

    A text that is read a few times needs no dropout, which would only slow the learning; one that is read thirty times
    would be learned by heart. `recipes/benchmarks/README.md` has the measurements.
    """
    return _rising(epochs / 5)


def suitable_weight_drop(cell: str, hidden_size: int, layers: int, tokens: int, epochs: float) -> float:
    """Return the dropout probability of recurrent weights.

    Dropping them helps where the recurrent layers have more of them than the text has tokens, and it is read often.
    """
    weights = GATES[cell] * layers * hidden_size**2
    return _rising(weights / tokens) if epochs > 5 else 0.0


def _rising(ratio: float) -> float:
    """Return 0.14 for each doubling of a ratio above 1, at most a half."""
    return round(min(0.14 * math.log2(max(ratio, 1.0)), 0.5), 2)
