"""Classifiers in use: a text's or an image's classes, the likeliest first."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from seqgen import patterns
from seqgen.batches.buckets import Buckets
from seqgen.batches.windows import padded
from seqgen.data.images import Image, Preprocessing, read_image
from seqgen.devices import calculates_in_bf16
from seqgen.errors import InputError
from seqgen.inference.bundle import Bundle
from seqgen.symbols import BOS
from seqgen.text.tokenizer import Tokenizer, tokenizer_data, tokenizer_from_data

BUDGET = 16_384  # tokens of a batch
IMAGES = 64  # of a batch


class Label(NamedTuple):
    """A class and its probability."""

    label: str
    probability: float


@dataclass
class LabelBundle(Bundle):
    """What classifiers of texts and of images share.

    Args:
        classes: the names of the classes, by their numbers.
    """

    classes: list[str]

    @abstractmethod
    def batches(self, inputs: list[Any]) -> Iterator[tuple[np.ndarray, tuple[Tensor, ...]]]:
        """Yield numbers of inputs with what the model is given for them, in any order."""

    def classify(self, inputs: Any, *, top_k: int = 1) -> list[list[Label]]:
        """Return the likeliest classes of each input, the likeliest first.

        Args:
            inputs: one, or a list of them; batches are made of them inside.
            top_k: how many classes of each, all of them where there are not so many.

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

    def probabilities(self, inputs: list[Any]) -> np.ndarray:
        """Return the (inputs, classes) probabilities, as float32.

        Raises:
            InputError: an input cannot be read.
        """
        result = np.zeros((len(inputs), len(self.classes)), np.float32)
        if inputs:
            for numbers, logits in answers(self, self.batches(inputs)):
                result[numbers] = logits.softmax(dim=1).cpu().numpy()
        return result


@torch.inference_mode()
def answers(
    bundle: Bundle, batches: Iterable[tuple[np.ndarray, tuple[Tensor, ...]]]
) -> Iterator[tuple[np.ndarray, Tensor]]:
    """Yield the numbers of each batch's inputs with the model's logits, in bf16 where that is fast."""
    bundle.model.eval()
    device = bundle.device
    with torch.autocast(device.type, torch.bfloat16, enabled=calculates_in_bf16(device)):
        for numbers, inputs in batches:
            yield numbers, bundle.model(*(tensor.to(device) for tensor in inputs)).float()


@dataclass
class TextClassifier(LabelBundle):
    """A classifier of texts.

    Args:
        tokenizer: whose vocabulary the model has.
        max_length: the most tokens that are read of a text.
    """

    builder = "text_classifier"
    files = ("tokenizer.json", "labels.json")

    tokenizer: Tokenizer
    max_length: int

    def parts(self) -> dict[str, dict[str, Any]]:
        """Return tokenizer and labels as plain data."""
        labels = {"classes": self.classes, "max_length": self.max_length}
        return {"tokenizer.json": tokenizer_data(self.tokenizer), "labels.json": labels}

    @classmethod
    def built(cls, arguments: dict[str, Any], parts: dict[str, dict[str, Any]]) -> Self:
        """Return an untrained classifier with the parts that `parts` described."""
        tokenizer = tokenizer_from_data(parts["tokenizer.json"])
        labels = parts["labels.json"]
        model = patterns.text_classifier(tokenizer.vocab_size, len(labels["classes"]), **arguments)
        return cls(model, arguments, labels["classes"], tokenizer, labels["max_length"])

    def encode(self, text: str) -> np.ndarray:
        """Return the tokens that are read of a text: of a long one the beginning and the end, half of each."""
        tokens = self.tokenizer.encode(text)
        if len(tokens) > self.max_length:
            tokens = np.concatenate([tokens[: -(-self.max_length // 2)], tokens[-(self.max_length // 2) :]])
        return np.concatenate([[BOS], tokens])

    def batches(self, inputs: list[Any]) -> Iterator[tuple[np.ndarray, tuple[Tensor, ...]]]:
        """Yield texts of like length together."""
        rows = [self.encode(text) for text in inputs]
        for numbers in Buckets(np.array([len(row) for row in rows]), BUDGET).once():
            yield numbers, (torch.from_numpy(padded([rows[number] for number in numbers])),)


@dataclass
class ImageClassifier(LabelBundle):
    """A classifier of images: paths, bytes of files, PIL images, or (height, width, 3) arrays of bytes.

    Args:
        preprocessing: what is done to an image before the model sees it.
    """

    builder = "image_classifier"
    files = ("preprocessing.json", "labels.json")

    preprocessing: Preprocessing

    def parts(self) -> dict[str, dict[str, Any]]:
        """Return preprocessing and labels as plain data."""
        return {"preprocessing.json": self.preprocessing._asdict(), "labels.json": {"classes": self.classes}}

    @classmethod
    def built(cls, arguments: dict[str, Any], parts: dict[str, dict[str, Any]]) -> Self:
        """Return an untrained classifier with the parts that `parts` described."""
        classes = parts["labels.json"]["classes"]
        model = patterns.image_classifier(len(classes), **arguments)
        return cls(model, arguments, classes, Preprocessing(**parts["preprocessing.json"]))

    def batches(self, inputs: list[Image]) -> Iterator[tuple[np.ndarray, tuple[Tensor, ...]]]:
        """Yield images as they come."""
        for begin in range(0, len(inputs), IMAGES):
            numbers = np.arange(begin, min(begin + IMAGES, len(inputs)))
            images = np.stack([self.preprocessing.fit(read_image(inputs[number])) for number in numbers])
            yield numbers, (self.preprocessing.normalize(torch.from_numpy(images)),)
