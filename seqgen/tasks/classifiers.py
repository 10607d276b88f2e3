"""The tasks of classifiers: the classes of a text or an image, the most probable first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from seqgen.arguments import checked
from seqgen.data.images import Image, Preprocessing, read_image
from seqgen.data.labelled import Labelled
from seqgen.errors import InputError
from seqgen.symbols import BOS
from seqgen.tasks.answers import AnswerTask
from seqgen.tasks.ngram_mixture import NGramMixture
from seqgen.tasks.parts import PREPROCESSING, WORD_NGRAMS, tokenizer_part
from seqgen.tasks.schemas import Classes, MaxLength
from seqgen.tasks.token_batch import token_batch
from seqgen.text.tokenizer import Tokenizer


class Label(NamedTuple):
    """A class and its probability."""

    label: str
    probability: float


@dataclass(kw_only=True)
@checked
class ClassifierTask(AnswerTask):
    """Shared base of the classifiers of texts and of images.

    Args:
        classes: the names of the classes, by their numbers.
    """

    budget: ClassVar[int]  # maximum number of tokens, or images, of a batch

    classes: list[str]

    def classify(self, inputs: Any, *, top_k: int = 1) -> list[list[Label]]:
        """Return the most probable classes of each input, the most probable first.

        Args:
            inputs: one input, or a list of them; batches are made of them inside.
            top_k: number of classes of each input; all of them where there are fewer.

        Raises:
            InputError: `top_k` is below 1, or an input cannot be read.
        """
        if top_k < 1:
            raise InputError(f"top_k must be at least 1, not {top_k}")
        probabilities = self.probabilities(inputs if isinstance(inputs, list) else [inputs])
        best = np.argsort(-probabilities, axis=1, kind="stable")[:, :top_k]
        return [
            [Label(self.classes[number], float(row[number])) for number in numbers]
            for row, numbers in zip(probabilities, best, strict=True)
        ]

    def score(self, inputs: Any, labels: str | Sequence[str]) -> list[float]:
        """Return the log-probability of a label of each input, or of one of one, in nats.

        Raises:
            InputError: a label that is not among the classes, or an input cannot be read.
        """
        inputs = inputs if isinstance(inputs, list) else [inputs]
        labels = [labels] if isinstance(labels, str) else labels
        where = [f"input {number}" for number in range(1, len(labels) + 1)]
        targets = Labelled(inputs, labels, where).targets(self.classes)
        logs = np.log(self.probabilities(inputs).clip(1e-30))
        return [float(row[target]) for row, target in zip(logs, targets, strict=True)]

    def probabilities(self, inputs: Sequence[Any]) -> np.ndarray:
        """Return the (inputs, classes) probabilities, as float32.

        Raises:
            InputError: an input cannot be read.
        """
        result = np.zeros((len(inputs), len(self.classes)), np.float32)
        for numbers, found in self.distributions([self.encode(one) for one in inputs], self.budget):
            result[numbers] = found
        return result


@dataclass(kw_only=True)
@checked
class TextClassifierTask(ClassifierTask):
    """The classes of a text.

    Args:
        tokenizer: whose vocabulary the model has.
        max_length: maximum number of tokens that are read of a text.
        ngrams: an n-gram classifier whose log-probabilities are averaged with those of the network, or None.
    """

    builder = "text_classifier"
    files: ClassVar = {
        "tokenizer.json": tokenizer_part("tokenizer"),
        "labels.json": Classes,
        "preprocessing.json": MaxLength,
        "word_ngrams.json": WORD_NGRAMS,
    }
    budget = 16_384

    tokenizer: Tokenizer
    max_length: int
    ngrams: NGramMixture | None = None

    @classmethod
    def fields(cls, parts: dict[str, dict[str, Any]]) -> dict[str, Any]:
        """Return the parts that `parts` described, by the names of their fields.

        Raises:
            InputError: the n-grams have other classes.
        """
        found = super().fields(parts)
        if "ngrams" in found and found["ngrams"].classifier.classes != found["classes"]:
            raise InputError("word_ngrams.json must have the classes of labels.json, but it has others")
        return found

    def probabilities(self, inputs: Sequence[str]) -> np.ndarray:
        """Return the (texts, classes) probabilities, as float32: those of the network, or mixed with the n-grams'.

        Raises:
            InputError: an input is no text.
        """
        found = super().probabilities(inputs)
        return found if self.ngrams is None else self.ngrams.probabilities(found, inputs)

    def encode(self, given: str) -> np.ndarray:
        """Return BOS and the tokens of a text: of one longer than `max_length` its beginning and its end."""
        tokens = self.tokenizer.encode(given)
        if len(tokens) > self.max_length:
            tokens = np.concatenate([tokens[: -(-self.max_length // 2)], tokens[-(self.max_length // 2) :]])
        return np.concatenate([[BOS], tokens])

    def arrays(self, rows: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
        """Return the right-padded (batch, steps) tokens."""
        return (token_batch(rows, self.tokenizer.vocab_size),)


@dataclass(kw_only=True)
@checked
class ImageClassifierTask(ClassifierTask):
    """The classes of an image: a path, the bytes of a file, an image of PIL's, or a (height, width, 3) array of bytes.

    Args:
        preprocessing: what is done to an image before the model sees it.
    """

    builder = "image_classifier"
    files: ClassVar = {"labels.json": Classes, "preprocessing.json": PREPROCESSING}
    budget = 64

    preprocessing: Preprocessing

    def encode(self, given: Image) -> Image:
        """Return an image unchanged: it is read when it is collated."""
        return given

    def lengths(self, rows: Sequence[Image]) -> np.ndarray:
        """Return ones: all images are of the same size to the model."""
        return np.ones(len(rows), dtype=np.int64)

    def arrays(self, rows: Sequence[Image]) -> tuple[np.ndarray, ...]:
        """Return the (batch, 3, size, size) pixels."""
        return (self.preprocessing.pixels([read_image(image) for image in rows]),)
