"""The counts of a text's n-grams, and their probabilities by Kneser-Ney smoothing."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from seqgen.errors import InputError
from seqgen.symbols import BOS, EOS

USUAL_DISCOUNT = 0.5  # where too few n-grams are rare to estimate one


class Order(NamedTuple):
    """The different n-grams of one order, sorted by `keys`: context times vocabulary plus token.

    The context of an n-gram is the number, among those of the order below, of its first n - 1 tokens, and its suffix
    that of its last n - 1 tokens. `endings` has the number of the n-gram that ends at each token of the text, -1 for
    none.
    """

    keys: np.ndarray
    counts: np.ndarray
    suffixes: np.ndarray
    endings: np.ndarray


class NGramCounts:
    """The counts of all n-grams of a text, of order 1, 2 and so on, as `extend` adds them to `orders`.

    `places` are those of the tokens among the text, which has BOS before each document.

    Args:
        tokens: (length,) numbers of 64 bits; EOS ends a document.
        vocab_size: number of tokens.
    """

    def __init__(self, tokens: np.ndarray, vocab_size: int):
        self.text, self.vocab_size = begun(tokens), vocab_size
        self.places = np.flatnonzero(self.text != BOS)
        self.orders: list[Order] = []

    def extend(self) -> bool:
        """Count the n-grams of the next order; return whether there are any."""
        places = np.arange(len(self.text)) if not self.orders else self.places
        before = self.contexts(len(self.orders), places)
        places, before = places[before >= 0], before[before >= 0]
        if not len(places):
            return False
        keys, numbers, counts = _different(before * self.vocab_size + self.text[places])
        suffixes = np.zeros(len(keys), np.int64)
        suffixes[numbers] = self.orders[-1].endings[places] if self.orders else 0
        counts[keys == BOS] = 0  # which is given, never predicted
        endings = np.full(len(self.text), -1, np.int32)
        endings[places] = numbers
        self.orders.append(Order(keys, counts, suffixes, endings))
        return True

    def extend_to(self, order: int) -> None:
        """Count the n-grams of all orders up to this one that the text has."""
        while len(self.orders) < order and self.extend():
            pass

    def contexts(self, length: int, places: np.ndarray) -> np.ndarray:
        """Return the numbers of the n-grams of the `length` tokens before each place, -1 for none; one is empty."""
        if length == 0:
            return np.zeros(len(places), np.int64)
        before: np.ndarray = self.orders[length - 1].endings[places - 1].astype(np.int64)
        return np.where(places > 0, before, -1)

    def count(self, places: np.ndarray, times: int) -> None:
        """Count the n-grams that end at some places so many times more, or less where `times` is negative.

        An n-gram with the count 0 is as one that the text has not; so these are the counts of other texts, too.
        """
        for order in self.orders:
            ended = order.endings[places]
            order.counts[:] += times * np.bincount(ended[ended >= 0], minlength=len(order.counts))

    def score(self, places: np.ndarray) -> np.ndarray:
        """Return the log-probabilities of the tokens at some places, in nats, each given those before it."""
        found = np.empty(len(places))
        for order, probabilities in zip(self.orders, self.probabilities()[0][1:], strict=True):
            ended = order.endings[places]
            found = np.where(ended >= 0, probabilities[ended], found)
        logs: np.ndarray = np.log(found)
        return logs

    def probabilities(self, discount: float | None = None) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Return the probabilities of the n-grams of each order from 0 on, and the weights of the contexts of each.

        The weight of a context is what the tokens after it leave to the probabilities of the context without its first
        token: interpolated Kneser-Ney smoothing (Kneser and Ney 1995, Improved Backing-off for M-gram Language
        Modeling), modified by three discounts an order (Chen and Goodman 1998, An Empirical Study of Smoothing
        Techniques for Language Modeling), down to the uniform distribution.

        Args:
            discount: subtracted from every count; by default those of Chen and Goodman, for counts of 1, 2 and more.
        """
        found, weights = [np.array([1 / self.vocab_size])], []
        for (keys, counts, suffixes, _), longer in zip(self.orders, [*self.orders[1:], None], strict=True):
            counts = counts if longer is None else _continuations(counts, longer)
            discounts = np.minimum(_discounts(counts, discount)[counts.clip(max=3)], counts)
            contexts, different = keys // self.vocab_size, len(found[-1])
            totals = np.bincount(contexts, counts, different)
            left = np.bincount(contexts, discounts, different)
            weights.append(np.divide(left, totals, out=np.ones(different), where=totals > 0))
            lower = weights[-1][contexts] * found[-1][suffixes]
            found.append((counts - discounts) / totals[contexts].clip(min=1) + lower)
        return found, weights


def begun(tokens: np.ndarray) -> np.ndarray:
    """Return the (length,) tokens of a text with BOS before the first and, where EOS ends documents, between these."""
    begins = np.append(0, np.flatnonzero(tokens[:-1] == EOS) + 1)
    return np.insert(tokens, begins[tokens[begins] != BOS], BOS)


def token_numbers(name: str, tokens: np.ndarray | Sequence[int], vocab_size: int) -> np.ndarray:
    """Return the numbers of tokens, or raise an InputError where they are none."""
    numbers = np.asarray(tokens)
    if not (numbers != BOS).any():
        raise InputError(f"{name} must be at least one beside BOS, but there is none")
    if numbers.ndim != 1 or numbers.dtype.kind not in "iu":
        raise InputError(f"{name} must be a row of whole numbers, not {numbers.dtype} of shape {numbers.shape}")
    if numbers.min() < 0 or numbers.max() >= vocab_size:
        raise InputError(f"{name} must be from 0 to {vocab_size - 1}, not from {numbers.min()} to {numbers.max()}")
    return numbers.astype(np.int64)


def _continuations(counts: np.ndarray, longer: Order) -> np.ndarray:
    """Return how many different tokens come before each n-gram; of one that begins with BOS, its count.

    Nothing comes before that (Heafield et al. 2013, Scalable Modified Kneser-Ney Language Model Estimation).
    """
    before = np.bincount(longer.suffixes[longer.counts > 0], minlength=len(counts))
    return np.where(before == 0, counts, before)


def _different(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the different keys, sorted, the number of each key among them, and their counts."""
    bits = len(keys).bit_length()
    if int(keys.max()).bit_length() + bits > 63:
        return np.unique(keys, return_inverse=True, return_counts=True)
    # Sorted with their places in the same numbers, which is three times as fast as `argsort`.
    together = np.sort(keys << bits | np.arange(len(keys)))
    keys, places = together >> bits, together & (1 << bits) - 1
    first = np.append(True, keys[1:] != keys[:-1])
    numbers = np.empty(len(keys), np.int64)
    numbers[places] = first.cumsum() - 1
    return keys[first], numbers, np.diff(np.flatnonzero(first), append=len(keys))


def _discounts(counts: np.ndarray, discount: float | None) -> np.ndarray:
    """Return the discounts of counts of 0, 1, 2 and more."""
    if discount is not None:
        return np.array([0, *3 * [discount]])
    rare = np.bincount(counts.clip(max=5), minlength=6)[1:5]
    if not rare.all():
        return np.array([0, *3 * [USUAL_DISCOUNT]])
    estimated = np.arange(1, 4) - rare[0] / (rare[0] + 2 * rare[1]) * np.arange(2, 5) * rare[1:] / rare[:3]
    return np.append(0, estimated.clip(min=0.01))
