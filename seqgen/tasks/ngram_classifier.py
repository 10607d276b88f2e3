"""The n-gram classifier: a logistic regression on the words of a text and their neighbours, without a network."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from zlib import crc32

import numpy as np

from seqgen.arguments import checked
from seqgen.errors import InputError, nearest
from seqgen.text.words import WORDS

BUCKETS_LOG2 = 24  # 2 to the power of this is the number of buckets
MANY = 1000  # texts, of which a single one with an n-gram tells little of it
# Odd numbers, with which 64-bit products mix the words of an n-gram, and its bits (Knuth's multiplicative hashing).
OF_A_WORD, OF_AN_NGRAM = np.uint64(0xD6E8FEB86659FD93), np.uint64(0x9E3779B97F4A7C15)
LONGEST = 8  # words of an n-gram


@checked
@dataclass(frozen=True, kw_only=True, eq=False)
class NGramClassifier:
    """A classifier of texts by which n-grams of words they have, however often; `fit_ngram_classifier` makes it.

    Words are in lower case, and each n-gram is hashed to one of 2^24 buckets, in the same way everywhere.

    Args:
        classes: the names of the classes, by their numbers.
        order: number of words of the longest n-grams.
        buckets: (buckets,) sorted numbers of the buckets that have weights.
        weights: (buckets, classes) by which an n-gram adds to the log-odds of each class; for two classes those of the
            second alone.
        biases: (classes,) log-odds of a text without n-grams; of two classes those of the second alone.

    Raises:
        InputError: the arrays do not fit together.
    """

    classes: list[str]
    order: int
    buckets: np.ndarray = field(repr=False)
    weights: np.ndarray = field(repr=False)
    biases: np.ndarray = field(repr=False)

    def __post_init__(self) -> None:
        count = len(self.classes) if len(self.classes) > 2 else 1
        shapes = self.buckets.shape[:1], self.weights.shape, self.biases.shape
        if self.buckets.ndim != 1 or not len(self.buckets) or shapes != (shapes[0], (*shapes[0], count), (count,)):
            raise InputError(f"the arrays of {len(self.classes)} classes must fit together, but they have {shapes}")
        if not np.issubdtype(self.buckets.dtype, np.integer) or (np.diff(self.buckets) <= 0).any():
            raise InputError("the buckets of n-grams must be sorted whole numbers, but they are damaged")
        if not all(np.issubdtype(one.dtype, np.floating) for one in (self.weights, self.biases)):
            raise InputError("the weights of n-grams must be floating-point numbers, but they are not")
        if not (np.isfinite(self.weights).all() and np.isfinite(self.biases).all()):
            raise InputError("the weights of n-grams must be finite, but they are not: the file is damaged")

    def log_probabilities(self, texts: Sequence[str]) -> np.ndarray:
        """Return the (texts, classes) log-probabilities in nats, as float32."""
        odds = np.tile(self.biases.astype(np.float64), (len(texts), 1))
        for row, found in zip(odds, hashed_ngrams(texts, self.order), strict=True):
            places = np.searchsorted(self.buckets, found).clip(max=len(self.buckets) - 1)
            row += self.weights[places[self.buckets[places] == found]].sum(axis=0, dtype=np.float64)
        logs = -np.logaddexp(0, -odds)  # of each class against the others
        if len(self.classes) == 2:
            return np.concatenate([-np.logaddexp(0, odds), logs], axis=1).astype(np.float32)
        return (logs - np.logaddexp.reduce(logs, axis=1, keepdims=True)).astype(np.float32)

    def targets(self, labels: Sequence[str]) -> np.ndarray:
        """Return the (texts,) numbers of labels among the classes.

        Raises:
            InputError: a label that is not among the classes.
        """
        return _targets(labels, self.classes)

    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        """Return the (texts, classes) probabilities, as float32."""
        found: np.ndarray = np.exp(self.log_probabilities(texts))
        return found


@checked
def fit_ngram_classifier(
    texts: Sequence[str],
    labels: Sequence[str],
    *,
    classes: Sequence[str] | None = None,
    order: int = 3,
    inverse_regularization: float = 0.3,
) -> NGramClassifier:
    """Return the n-gram classifier of labelled texts: for each class a logistic regression against all others.

    An n-gram that a text has counts as its log-count ratio, that of its frequencies in the class and elsewhere, as in
    Wang and Manning 2012, Baselines and Bigrams: Simple, Good Sentiment and Topic Classification. From a thousand texts
    on, n-grams that only one of them has are left out.

        ngrams = seqgen.fit_ngram_classifier(["a fine film", "a dull film"], ["good", "bad"])
        print(ngrams.classes, ngrams.probabilities(["fine"]))

    Args:
        texts: to learn from.
        labels: the class of each text.
        classes: the names of the classes, by their numbers; by default all labels, sorted.
        order: number of words of the longest n-grams, at most 8.
        inverse_regularization: inverse strength of the L2 penalty of the weights (C).

    Raises:
        InputError: a number outside its range, texts and labels that differ in number, a label that is not among the
            classes, or fewer than two classes.
    """
    if not 1 <= order <= LONGEST:
        raise InputError(f"order must be from 1 to {LONGEST}, not {order}")
    if not 0 < inverse_regularization < np.inf:
        raise InputError(f"inverse_regularization must be above 0 and finite, not {inverse_regularization}")
    if len(texts) != len(labels):
        raise InputError(f"there must be a label for each text, but there are {len(texts)} texts, {len(labels)} labels")
    names = sorted(set(labels)) if classes is None else list(classes)
    if len(names) < 2:
        raise InputError(f"there must be at least two classes, but there are {len(names)}: {names}")
    targets = _targets(labels, names)
    buckets, starts, columns = _features(texts, order)
    ones = range(1, 2) if len(names) == 2 else range(len(names))
    fitted = [_regression(starts, columns, targets == one, len(buckets), inverse_regularization) for one in ones]
    weights, biases = (np.array(each, np.float32) for each in zip(*fitted, strict=True))
    return NGramClassifier(classes=names, order=order, buckets=buckets, weights=weights.T.copy(), biases=biases)


def _targets(labels: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    numbers = {name: number for number, name in enumerate(classes)}
    if strange := sorted(set(labels) - set(numbers)):
        raise InputError(f"a label must be one of the classes, not {strange[0]!r}{nearest(strange[0], classes)}")
    return np.array([numbers[label] for label in labels], np.int64)


def hashed_ngrams(texts: Iterable[str], order: int) -> Iterator[np.ndarray]:
    """Yield the sorted numbers of the buckets of each text's n-grams of 1 to `order` words, as int32."""
    for text in texts:
        words = np.array([_hashed_word(word) for word in WORDS.findall(text.lower())], np.uint64)
        longest, every = words, [words]
        for length in range(1, min(order, len(words))):
            longest = longest[:-1] * OF_A_WORD + words[length:]
            every.append(longest)
        yield np.unique((np.concatenate(every) * OF_AN_NGRAM) >> np.uint64(64 - BUCKETS_LOG2)).astype(np.int32)


@lru_cache(1 << 18)
def _hashed_word(word: str) -> int:
    return crc32(word.encode("utf-8", "surrogatepass"))


def _features(texts: Sequence[str], order: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return all buckets that texts have, where each text begins among the features, and the column of each."""
    rows = list(hashed_ngrams(texts, order))
    every = np.concatenate([*rows, np.zeros(0, np.int32)])
    buckets, columns, counts = np.unique(every, return_inverse=True, return_counts=True)
    numbers = np.repeat(np.arange(len(rows)), np.array([len(row) for row in rows], np.int64))
    if len(rows) >= MANY:
        frequent = counts > 1
        kept = frequent[columns]
        numbers, columns, buckets = numbers[kept], (frequent.cumsum() - 1)[columns[kept]], buckets[frequent]
    if not len(buckets):  # of texts without words only the frequency of classes is known
        buckets = np.zeros(1, np.int32)
    return buckets, np.cumsum([0, *np.bincount(numbers, minlength=len(rows))]), columns


def _regression(
    starts: np.ndarray, columns: np.ndarray, inside: np.ndarray, count: int, inverse_regularization: float
) -> tuple[np.ndarray, float]:
    """Return the (buckets,) weights and the bias of a class, in which these texts are, against the others."""
    from scipy.sparse import csr_matrix  # neither of which an exported model needs
    from sklearn.linear_model import LogisticRegression

    if not inside.any() or inside.all():
        return np.zeros(count), float(np.log((inside.sum() + 1) / ((~inside).sum() + 1)))
    mine = np.repeat(inside, np.diff(starts))
    first, second = (np.bincount(columns[part], minlength=count) + 1.0 for part in (mine, ~mine))
    ratios = np.log(first / first.sum()) - np.log(second / second.sum())
    features = csr_matrix((ratios[columns], columns, starts), shape=(len(inside), count))
    # Of the two problems of liblinear the dual one is solved in a quarter of the time.
    options = {"solver": "liblinear", "dual": True, "max_iter": 1000, "random_state": 0}
    judge = LogisticRegression(C=inverse_regularization, **options).fit(features, inside)
    return judge.coef_[0] * ratios, float(judge.intercept_[0])
