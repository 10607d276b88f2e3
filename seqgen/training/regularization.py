"""Dropout probabilities for a text, by the number of epochs."""

import math

GATES = {"lstm": 4, "gru": 3, "rnn": 1}


def suitable_dropout(epochs: float, *, without: float = 5.0) -> float:
    """Return the dropout probability for this number of epochs.

    In a few epochs dropout would only slow down training; in thirty, a model without it overfits.
    `recipes/benchmarks/README.md` has the measurements.

    Args:
        epochs: number of epochs.
        without: number of epochs up to which there is none.
    """
    return _rising(epochs / without)


def suitable_weight_drop(cell: str, hidden_size: int, layers: int, tokens: int, epochs: float) -> float:
    """Return the dropout probability of the recurrent weights.

    It is above 0 where there are more recurrent weights than training tokens, and more than five epochs.
    """
    weights = GATES[cell] * layers * hidden_size**2
    return _rising(weights / tokens) if epochs > 5 else 0.0


def _rising(ratio: float) -> float:
    """Return 0.14 for each doubling of a ratio above 1, at most a half."""
    return round(min(0.14 * math.log2(max(ratio, 1.0)), 0.5), 2)
