"""Metrics of classifiers and taggers."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from sklearn.metrics import classification_report, confusion_matrix, f1_score, precision_recall_fscore_support

BINS = 15  # of confidence


@dataclass(frozen=True)
class Answered:
    """The predictions of a model, and the targets.

    Args:
        log_probabilities: (predictions, classes), in nats.
        targets: (predictions,) numbers of the target classes.
        classes: the names of the classes, by their numbers.
    """

    log_probabilities: np.ndarray
    targets: np.ndarray
    classes: Sequence[str]

    @cached_property
    def predictions(self) -> np.ndarray:
        """The (predictions,) numbers of the most probable classes."""
        return np.asarray(self.log_probabilities.argmax(axis=1))

    @property
    def loss(self) -> float:
        """The mean cross-entropy in nats."""
        return float(-self.log_probabilities[np.arange(len(self.targets)), self.targets].mean())

    @property
    def accuracy(self) -> float:
        """The fraction of predictions that are correct."""
        return float((self.predictions == self.targets).mean())

    @property
    def macro_f1(self) -> float:
        """The mean F1 over all classes, unweighted; 0 for a class that is neither a target nor predicted."""
        numbers = np.arange(len(self.classes))
        return float(f1_score(self.targets, self.predictions, labels=numbers, average="macro", zero_division=0))

    @property
    def calibration_error(self) -> float:
        """The expected calibration error: the mean difference of confidence and accuracy, over 15 bins of confidence.

        Guo et al. 2017, On Calibration of Modern Neural Networks.
        """
        confidence = np.exp(self.log_probabilities.max(axis=1))
        bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
        surplus = np.bincount(bins, weights=confidence - (self.predictions == self.targets), minlength=BINS)
        return float(np.abs(surplus).sum() / len(self.targets))

    @property
    def confusion(self) -> np.ndarray:
        """The (classes, classes) confusion matrix: target classes in rows, predicted ones in columns."""
        numbers = np.arange(len(self.classes))
        return np.asarray(confusion_matrix(self.targets, self.predictions, labels=numbers))

    def table(self) -> str:
        """Return precision, recall, F1 and number of examples of each class, as text."""
        numbers = np.arange(len(self.classes))
        report = classification_report(
            self.targets, self.predictions, labels=numbers, target_names=self.classes, digits=3, zero_division=0
        )
        return str(report).rstrip()

    def by_class(self) -> list[tuple[str, str, str, str, int]]:
        """Return precision, recall, F1 and number of examples of each class, with its name first."""
        numbers = np.arange(len(self.classes))
        found = precision_recall_fscore_support(self.targets, self.predictions, labels=numbers, zero_division=0)
        rates = ([f"{value:.3f}" for value in rate] for rate in found[:3])
        return list(zip(self.classes, *rates, found[3].tolist(), strict=True))

    def mistakes(self) -> np.ndarray:
        """Return the numbers of the wrong predictions, the most confident first."""
        wrong = np.flatnonzero(self.predictions != self.targets)
        return wrong[np.argsort(-self.log_probabilities[wrong].max(axis=1), kind="stable")]


def majority_accuracy(frequencies: np.ndarray, targets: np.ndarray) -> float:
    """Return the accuracy of always predicting the most frequent class.

    Args:
        frequencies: (classes,) numbers of training examples.
        targets: (predictions,) numbers of the target classes.
    """
    return float((targets == frequencies.argmax()).mean())


def are_of_spans(tags: Sequence[str]) -> bool:
    """Return whether tags are those of spans, as `span_f1` takes them."""
    return any(tag.startswith("B-") for tag in tags) and all(tag == "O" or tag[:2] in ("B-", "I-") for tag in tags)


def span_f1(answered: Sequence[Sequence[str]], right: Sequence[Sequence[str]]) -> float:
    """Return the F1 of whole spans: both boundaries and the type must be correct (Tjong Kim Sang 2000).

    Args:
        answered: predicted tags of each sequence: "B-PER" where a span begins, "I-PER" inside of one, "O" outside.
        right: target tags.
    """
    from nltk.chunk import ChunkScore, conlltags2tree  # which takes seconds

    score = ChunkScore()
    for one, other in zip(answered, right, strict=True):
        score.score(*(conlltags2tree([("", "", tag) for tag in tags]) for tags in (other, one)))
    return float(score.f_measure() or 0.0)
