"""The influence of each word of a text on its class, found by leaving the word out."""

import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

MOST = 100  # words left out one by one; of a longer text as many groups of successive words


class Influence(NamedTuple):
    """A word, or a few, with the white space after it, and by how much it moved the answer.

    `change` is in nats: the log-odds of the class with the word minus those without it (Li, Monroe and Jurafsky 2016,
    Understanding Neural Networks through Representation Erasure), so that a positive one speaks for the class.
    """

    text: str
    change: float


def influences(text: str, log_odds: Callable[[list[str]], np.ndarray]) -> list[Influence]:
    """Return the influence of each word of a text; joined, their texts are that text.

    Args:
        text: the text.
        log_odds: returns those of the class for each of several texts.
    """
    words = re.findall(r"^\s*\S+\s*|\S+\s*", text)
    if not words:
        return []
    each = -(-len(words) // MOST)
    groups = ["".join(words[begin : begin + each]) for begin in range(0, len(words), each)]
    without = ["".join(groups[:place] + groups[place + 1 :]) for place in range(len(groups))]
    whole, *others = log_odds([text, *without]).tolist()
    return [Influence(group, whole - other) for group, other in zip(groups, others, strict=True)]
