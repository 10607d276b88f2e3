"""The counts of a text's n-grams, and their probabilities by Kneser-Ney smoothing."""

from typing import NamedTuple

import numpy as np

from seqgen.symbols import BOS, EOS

USUAL_DISCOUNT = 0.5  # where too few n-grams are rare to estimate one


class Order(NamedTuple):
    """The different n-grams of one order, sorted by `keys`: context times vocabulary plus token.

    The context of an n-gram is the number, among those of the order below, of its first n - 1 tokens, and its suffix
    that of its last n - 1 tokens.
    """

    keys: np.ndarray
    counts: np.ndarray
    suffixes: np.ndarray


class NGramCounts:
    """The counts of all n-grams of a text, of order 1, 2 and so on, as `extend` adds them to `orders`.

    Args:
        tokens: (length,) numbers of 64 bits; EOS ends a document.
        vocab_size: number of tokens.
    """

    def __init__(self, tokens: np.ndarray, vocab_size: int):
        self.text, self.vocab_size = begun(tokens), vocab_size
        self.orders: list[Order] = []
        # The numbers of the n-grams before and at each token, -1 for none; at first that of the empty one.
        self._before = self._ending = np.zeros(len(self.text), np.int64)

    def extend(self) -> bool:
        """Count the n-grams of the next order; return whether there are any."""
        places = np.flatnonzero((self._before >= 0) & ((self.text != BOS) | (not self.orders)))
        if not len(places):
            return False
        keys = self._before[places] * self.vocab_size + self.text[places]
        keys, numbers, counts = _different(keys)
        suffixes = np.zeros(len(keys), np.int64)
        suffixes[numbers] = self._ending[places]
        counts[keys == BOS] = 0  # which is given, never predicted
        self.orders.append(Order(keys, counts, suffixes))
        self._ending = np.full(len(self.text), -1)
        self._ending[places] = numbers
        self._before = np.append(-1, self._ending[:-1])
        return True

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
        for (keys, counts, suffixes), longer in zip(self.orders, [*self.orders[1:], None], strict=True):
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


def _continuations(counts: np.ndarray, longer: Order) -> np.ndarray:
    """Return how many different tokens come before each n-gram; of one that begins with BOS, its count.

    Nothing comes before that (Heafield et al. 2013, Scalable Modified Kneser-Ney Language Model Estimation).
    """
    before = np.bincount(longer.suffixes, minlength=len(counts))
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
