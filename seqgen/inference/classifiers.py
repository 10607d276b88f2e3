"""Classifiers in use: the classes of a text or an image, the most probable first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self, cast

import numpy as np
import torch
from torch import nn

from seqgen import patterns
from seqgen.batches.examples import Batchable, Examples
from seqgen.data.images import Preprocessing
from seqgen.data.labelled import Labelled
from seqgen.data.store import stored
from seqgen.errors import InputError
from seqgen.inference.answers import AnswerBundle
from seqgen.inference.embeddings import Embeddings, embeddings
from seqgen.inference.generator import Generator
from seqgen.inference.influence import Influence, influences
from seqgen.models import EncoderClassifier
from seqgen.nn.decoder import RecurrentDecoder
from seqgen.nn.encoders import SequenceEncoder
from seqgen.tasks.classifiers import ImageClassifierTask, TextClassifierTask
from seqgen.tasks.ngram_classifier import NGramClassifier
from seqgen.tasks.ngram_mixture import NGramMixture
from seqgen.text.tokenizer import Tokenizer


@dataclass(kw_only=True)
class TextClassifier(TextClassifierTask, AnswerBundle[EncoderClassifier]):
    """A classifier of texts.

    Args:
        tokenizer: whose vocabulary the model has.
        max_length: maximum number of tokens that are read of a text.
        ngrams: an n-gram classifier whose log-probabilities are averaged with those of the network, or None.
    """

    @classmethod
    def of(
        cls,
        model: EncoderClassifier,
        *,
        classes: list[str],
        tokenizer: Tokenizer,
        max_length: int = 500,
        ngrams: NGramMixture | None = None,
        builder: Callable[..., EncoderClassifier] | None = None,
        arguments: dict[str, Any] | None = None,
    ) -> Self:
        """Return the classifier of a model.

        Args:
            model: an encoder of tokens, BOS first, and a head.
            classes: the names of the classes, by their numbers.
            tokenizer: whose vocabulary the model has.
            max_length: maximum number of tokens that are read of a text.
            ngrams: an n-gram classifier whose log-probabilities are averaged with those of the model, or None.
            builder: a function of one's own that makes this model of `arguments` alone, to save it: whoever loads the
                model gives that function, too.
            arguments: plain data: those of `builder`, or the options that `patterns.text_classifier` was given.

        Raises:
            InputError: `builder` makes another model of `arguments`.
        """
        parts: dict[str, Any] = {"classes": classes, "tokenizer": tokenizer, "max_length": max_length, "ngrams": ngrams}
        return cls(model=model, arguments=arguments or {}, own_builder=builder, **parts)

    @classmethod
    def untrained(
        cls,
        *,
        classes: list[str],
        tokenizer: Tokenizer,
        max_length: int = 500,
        ngrams: NGramMixture | None = None,
        **arguments: Any,
    ) -> Self:
        """Return an untrained classifier; `arguments` are the options of `patterns.text_classifier`."""
        model = patterns.text_classifier(tokenizer.vocab_size, len(classes), **arguments)
        parts: dict[str, Any] = {"classes": classes, "tokenizer": tokenizer, "max_length": max_length, "ngrams": ngrams}
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
        generator.require_single("what a classifier begins with")
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

    def with_ngrams(self, ngrams: NGramClassifier, texts: Sequence[str], labels: Sequence[str]) -> Self:
        """Return this classifier with its log-probabilities averaged with those of an n-gram classifier.

        Args:
            ngrams: of the same classes, fitted to the training texts by `fit_ngram_classifier`.
            texts: held back from the training of both, to find the weights of the two by.
            labels: the class of each of these texts.

        Raises:
            InputError: the classes differ, or a label is not among them.
        """
        if ngrams.classes != self.classes:
            raise InputError(f"ngrams must have the classes {', '.join(self.classes)}, not {', '.join(ngrams.classes)}")
        alone = replace(self, ngrams=None).probabilities(texts)
        return replace(self, ngrams=NGramMixture.fit(ngrams, alone, texts, labels))

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
            InputError: the encoder has none, or this is an ensemble.
        """
        self.require_single("embeddings")
        return embeddings(self.model.encoder, lambda token: self.tokenizer.decode([token]))

    def examples(self, texts: Labelled) -> Batchable[Examples]:
        """Return labelled texts for training: encoded once, into a cached file.

        Raises:
            InputError: a label that is not among the classes.
        """
        targets = texts.targets(self.classes)
        identity = [texts.fingerprint, replace(self, ngrams=None).parts()]
        [rows] = stored(identity, lambda: ((self.encode(text),) for text in texts.inputs), [self.tokenizer.vocab_size])

        def collate(numbers: np.ndarray) -> Examples:
            return Examples(self.collate([rows[number] for number in numbers]), torch.from_numpy(targets[numbers]))

        return Batchable(rows.lengths, collate)


@dataclass(kw_only=True)
class ImageClassifier(ImageClassifierTask, AnswerBundle[EncoderClassifier]):
    """A classifier of images: paths, bytes of files, PIL images, or (height, width, 3) arrays of bytes.

    Args:
        preprocessing: what is done to an image before the model sees it.
    """

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
