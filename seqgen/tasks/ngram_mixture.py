"""The mixture of a network's answers and those of an n-gram classifier."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from seqgen.arguments import checked
from seqgen.errors import InputError
from seqgen.tasks.ngram_classifier import NGramClassifier

LEAST = 1e-30  # probability, so that its logarithm is finite
EQUAL = 0.5  # weight of each where no text says otherwise


@checked
@dataclass(frozen=True, kw_only=True, eq=False)
class NGramMixture:
    """The weighted mean of a network's log-probabilities and an n-gram classifier's, normalized.

    It is the logarithmic opinion pool of Genest and Zidek 1986, Combining Probability Distributions: A Critique and an
    Annotated Bibliography; the weights need not add up to one, so that they set the confidence, too.

    Args:
        classifier: of the same classes as the network.
        weights: of the log-probabilities of the network, and of those of the n-grams.

    Raises:
        InputError: the weights are not two finite numbers of at least 0.
    """

    classifier: NGramClassifier
    weights: tuple[float, float]

    def __post_init__(self) -> None:
        if len(self.weights) != 2 or not all(0 <= weight < np.inf for weight in self.weights):
            raise InputError(f"weights must be two finite numbers of at least 0, not {self.weights}")

    @classmethod
    def fit(
        cls, classifier: NGramClassifier, probabilities: np.ndarray, texts: Sequence[str], labels: Sequence[str]
    ) -> Self:
        """Return the mixture with the weights that make the labels of held-back texts most probable.

        Args:
            classifier: fitted to other texts.
            probabilities: (texts, classes), of the network.
            texts: held back from the training of both.
            labels: the class of each text.

        Raises:
            InputError: the arguments differ in number, or a label is not among the classes.
        """
        from scipy.optimize import minimize  # which an exported model does not need

        if not len(probabilities) == len(texts) == len(labels):
            raise InputError(
                f"each text must have a label and probabilities, but there are {len(texts)} texts, {len(labels)} "
                f"labels and {len(probabilities)} rows of probabilities"
            )
        targets = classifier.targets(labels)
        both = np.stack([_logs(probabilities), classifier.log_probabilities(texts)]).astype(np.float64)
        right = both[:, np.arange(len(targets)), targets].sum(axis=1)

        def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
            """Return loss and gradient; a small penalty holds the weights where the texts are few."""
            logits = np.tensordot(weights, both, 1)
            normalizers = np.logaddexp.reduce(logits, axis=1)
            expected = (both * np.exp(logits - normalizers[:, None])).sum(axis=(1, 2))
            apart = weights - EQUAL
            return float(normalizers.sum() - right @ weights + apart @ apart), expected - right + 2 * apart

        found = minimize(loss, np.full(2, EQUAL), jac=True, method="L-BFGS-B", bounds=[(0, None)] * 2)
        return cls(classifier=classifier, weights=(float(found.x[0]), float(found.x[1])))

    def probabilities(self, probabilities: np.ndarray, texts: Sequence[str]) -> np.ndarray:
        """Return the (texts, classes) probabilities of both together, as float32, for those of the network."""
        network, ngrams = self.weights
        logits = network * _logs(probabilities) + ngrams * self.classifier.log_probabilities(texts)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        mixed: np.ndarray = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
        return mixed

    def to_data(self) -> dict[str, Any]:
        """Return order, classes and weights as plain data, and the arrays as bytes of safetensors."""
        from safetensors.numpy import save  # which other models do without, where they are exported

        own = self.classifier
        arrays = save({"buckets": own.buckets, "weights": own.weights, "biases": own.biases})
        return {"classes": own.classes, "order": own.order, "weights": list(self.weights), "arrays": arrays}

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Self:
        """Return the mixture that `to_data` described.

        Raises:
            InputError: the arrays are damaged.
        """
        from safetensors.numpy import load

        try:
            arrays = load(data["arrays"])
        except Exception as error:  # safetensors has several for as many kinds of damage
            raise InputError(f"word_ngrams.safetensors must be as it was saved, but it is damaged: {error}") from None
        if missing := sorted({"buckets", "weights", "biases"} ^ set(arrays)):
            raise InputError(f"word_ngrams.safetensors must have buckets, weights and biases, but see {missing[0]!r}")
        classifier = NGramClassifier(classes=data["classes"], order=data["order"], **arrays)
        return cls(classifier=classifier, weights=(data["weights"][0], data["weights"][1]))


def _logs(probabilities: np.ndarray) -> np.ndarray:
    logs: np.ndarray = np.log(probabilities.clip(LEAST))
    return logs
