"""Classifiers in use: the classes of a text or an image, the most probable first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self, cast

import numpy as np
import torch
from torch import Tensor, nn

from seqgen import patterns
from seqgen.batches.examples import Batchable, Examples
from seqgen.data.images import Image, Preprocessing, read_image
from seqgen.data.labelled import Labelled
from seqgen.data.store import stored
from seqgen.errors import InputError
from seqgen.inference.embeddings import Embeddings, embeddings
from seqgen.inference.generator import Generator
from seqgen.inference.influence import Influence, influences
from seqgen.inference.inputs import InputBundle
from seqgen.inference.parts import PREPROCESSING, tokenizer_part
from seqgen.inference.schemas import Classes, MaxLength
from seqgen.inference.token_batch import token_batch
from seqgen.models import EncoderClassifier
from seqgen.nn.decoder import RecurrentDecoder
from seqgen.nn.encoders import SequenceEncoder
from seqgen.symbols import BOS
from seqgen.text.tokenizer import Tokenizer


class Label(NamedTuple):
    """A class and its probability."""

    label: str
    probability: float


@dataclass(kw_only=True)
class ClassifierBundle(InputBundle[EncoderClassifier]):
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
        for numbers, logits in self.logits([self.encode(one) for one in inputs], self.budget):
            result[numbers] = logits.softmax(dim=1).cpu().numpy()
        return result


@dataclass(kw_only=True)
class TextClassifier(ClassifierBundle):
    """A classifier of texts.

    Args:
        tokenizer: whose vocabulary the model has.
        max_length: maximum number of tokens that are read of a text.
    """

    builder = "text_classifier"
    files: ClassVar = {
        "tokenizer.json": tokenizer_part("tokenizer"),
        "labels.json": Classes,
        "preprocessing.json": MaxLength,
    }
    budget = 16_384

    tokenizer: Tokenizer
    max_length: int

    @classmethod
    def of(
        cls,
        model: EncoderClassifier,
        *,
        classes: list[str],
        tokenizer: Tokenizer,
        max_length: int = 500,
        builder: Callable[..., EncoderClassifier] | None = None,
        arguments: dict[str, Any] | None = None,
    ) -> Self:
        """Return the classifier of a model.

        Args:
            model: an encoder of tokens, BOS first, and a head.
            classes: the names of the classes, by their numbers.
            tokenizer: whose vocabulary the model has.
            max_length: maximum number of tokens that are read of a text.
            builder: a function of one's own that makes this model of `arguments` alone, to save it: whoever loads the
                model gives that function, too.
            arguments: plain data: those of `builder`, or the options that `patterns.text_classifier` was given.

        Raises:
            InputError: `builder` makes another model of `arguments`.
        """
        parts: dict[str, Any] = {"classes": classes, "tokenizer": tokenizer, "max_length": max_length}
        return cls(model=model, arguments=arguments or {}, own_builder=builder, **parts)

    @classmethod
    def untrained(cls, *, classes: list[str], tokenizer: Tokenizer, max_length: int = 500, **arguments: Any) -> Self:
        """Return an untrained classifier; `arguments` are the options of `patterns.text_classifier`."""
        model = patterns.text_classifier(tokenizer.vocab_size, len(classes), **arguments)
        parts: dict[str, Any] = {"classes": classes, "tokenizer": tokenizer, "max_length": max_length}
        return cls.of(model, arguments=arguments, **parts)

    @classmethod
    @torch.no_grad()
    def from_generator(cls, generator: Generator, classes: list[str], max_length: int = 500, **arguments: Any) -> Self:
        """Return a classifier that is initialized with the tokenizer, the sizes and the weights of a generator.

        The embeddings are scaled down and the input weights of the first layer are scaled up: the hidden states are the
        same, but small embeddings are trained as fast as new ones, and large ones hardly at all.

        Args:
            generator: a trained generator.
            classes: the names of the classes.
            max_length: maximum number of tokens that are read of a text.
            **arguments: the options of `patterns.text_classifier`; sizes and cell are those of the generator.
        """
        decoder = cast("RecurrentDecoder", generator.model)
        layers, size = decoder.recurrent, decoder.embedding.embedding_dim
        arguments |= {"cell": layers.cell, "hidden_size": layers.hidden_size, "layers": len(layers.stack)}
        arguments["embedding_size"] = size
        parts: dict[str, Any] = {"tokenizer": generator.tokenizer, "classes": classes, "max_length": max_length}
        classifier = cls.untrained(**parts, **arguments)
        encoder = cast("SequenceEncoder", classifier.model.encoder)
        table = decoder.embedding(torch.arange(decoder.embedding.num_embeddings, device=generator.device)).cpu()
        smaller = cast("nn.Embedding", encoder.embedding).weight.std() / table.std()
        encoder.embedding.load_state_dict({"weight": table * smaller})
        encoder.forwards.load_state_dict(layers.state_dict())
        encoder.forwards.stack[0].all_weights[0][0].div_(smaller)
        return classifier

    def influences(self, text: str, label: str | None = None) -> list[Influence]:
        """Return by how much each word of a text moved the answer; joined, their texts are that text.

        Args:
            text: the text, whose words are left out one by one.
            label: the class whose log-odds are compared; by default the most probable one.

        Raises:
            InputError: there is no such class.
        """
        label = self.classify(text)[0][0].label if label is None else label
        if label not in self.classes:
            raise InputError(f"label must be one of {', '.join(self.classes)}, not {label!r}")
        number = self.classes.index(label)

        def log_odds(texts: list[str]) -> np.ndarray:
            chosen = self.probabilities(texts)[:, number].astype(np.float64).clip(1e-9, 1 - 1e-9)
            found: np.ndarray = np.log(chosen) - np.log1p(-chosen)
            return found

        return influences(text, log_odds)

    def embeddings(self) -> Embeddings:
        """Return the embeddings of all tokens.

        Raises:
            InputError: the encoder has none.
        """
        return embeddings(self.model.encoder, lambda token: self.tokenizer.decode([token]))

    def encode(self, given: str) -> np.ndarray:
        """Return BOS and the tokens of a text: of one longer than `max_length` its beginning and its end."""
        tokens = self.tokenizer.encode(given)
        if len(tokens) > self.max_length:
            tokens = np.concatenate([tokens[: -(-self.max_length // 2)], tokens[-(self.max_length // 2) :]])
        return np.concatenate([[BOS], tokens])

    def collate(self, rows: Sequence[np.ndarray]) -> tuple[Tensor, ...]:
        """Return the right-padded (batch, steps) tokens."""
        return (token_batch(rows, self.tokenizer.vocab_size),)

    def examples(self, texts: Labelled) -> Batchable[Examples]:
        """Return labelled texts for training: encoded once, into a cached file.

        Raises:
            InputError: a label that is not among the classes.
        """
        targets = texts.targets(self.classes)
        identity = [texts.fingerprint, self.parts()]
        [rows] = stored(identity, lambda: ((self.encode(text),) for text in texts.inputs), [self.tokenizer.vocab_size])

        def collate(numbers: np.ndarray) -> Examples:
            return Examples(self.collate([rows[number] for number in numbers]), torch.from_numpy(targets[numbers]))

        return Batchable(rows.lengths, collate)


@dataclass(kw_only=True)
class ImageClassifier(ClassifierBundle):
    """A classifier of images: paths, bytes of files, PIL images, or (height, width, 3) arrays of bytes.

    Args:
        preprocessing: what is done to an image before the model sees it.
    """

    builder = "image_classifier"
    files: ClassVar = {"labels.json": Classes, "preprocessing.json": PREPROCESSING}
    budget = 64

    preprocessing: Preprocessing

    @classmethod
    def of(
        cls,
        model: EncoderClassifier,
        *,
        classes: list[str],
        preprocessing: Preprocessing,
        builder: Callable[..., EncoderClassifier] | None = None,
        arguments: dict[str, Any] | None = None,
    ) -> Self:
        """Return the classifier of a model.

        Args:
            model: an encoder of (batch, 3, size, size) images, and a head.
            classes: the names of the classes, by their numbers.
            preprocessing: what is done to an image before the model sees it.
            builder: a function of one's own that makes this model of `arguments` alone, to save it: whoever loads the
                model gives that function, too.
            arguments: plain data: those of `builder`, or the options that `patterns.image_classifier` was given.

        Raises:
            InputError: `builder` makes another model of `arguments`.
        """
        parts: dict[str, Any] = {"classes": classes, "preprocessing": preprocessing}
        return cls(model=model, arguments=arguments or {}, own_builder=builder, **parts)

    @classmethod
    def untrained(cls, *, classes: list[str], preprocessing: Preprocessing, **arguments: Any) -> Self:
        """Return an untrained classifier; `arguments` are the options of `patterns.image_classifier`."""
        model = patterns.image_classifier(len(classes), **arguments)
        return cls.of(model, classes=classes, preprocessing=preprocessing, arguments=arguments)

    def encode(self, given: Image) -> Image:
        """Return an image unchanged: it is read when it is collated."""
        return given

    def lengths(self, rows: Sequence[Image]) -> np.ndarray:
        """Return ones: all images are of the same size to the model."""
        return np.ones(len(rows), dtype=np.int64)

    def collate(self, rows: Sequence[Image]) -> tuple[Tensor, ...]:
        """Return the (batch, 3, size, size) pixels."""
        images = np.stack([self.preprocessing.fit(read_image(image)) for image in rows])
        return (self.preprocessing.normalize(torch.from_numpy(images)),)
