"""Classifiers in use: the classes of a text or an image, the most probable first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self, cast

import numpy as np
import torch

from seqgen import patterns
from seqgen.batches.examples import IGNORED, Batchable, Examples
from seqgen.data.images import Preprocessing
from seqgen.data.labelled import Labelled
from seqgen.data.store import Ragged, stored
from seqgen.data.unlabelled import Unlabelled
from seqgen.errors import InputError
from seqgen.inference.answers import AnswerBundle
from seqgen.inference.directions import begin_with, recurrent_decoder, require_fitting
from seqgen.inference.embeddings import Embeddings, embeddings
from seqgen.inference.generator import Generator
from seqgen.inference.influence import Influence, influences
from seqgen.models import EncoderClassifier
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
    def from_generator(
        cls,
        generator: Generator,
        classes: list[str],
        max_length: int = 500,
        *,
        backward: Generator | None = None,
        **arguments: Any,
    ) -> Self:
        """Return a classifier that is initialized with the tokenizer, the sizes and the weights of generators.

        The embeddings are scaled down and the input weights of the first layer are scaled up: the hidden states are the
        same, but small embeddings are trained as fast as new ones, and large ones hardly at all. With two generators an
        embedding is those of both, concatenated, of which each direction reads its own until it is trained.

        Args:
            generator: a trained generator, with which the forward direction begins.
            classes: the names of the classes.
            max_length: maximum number of tokens that are read of a text.
            backward: a trained backward generator, with which the backward direction begins; by default it is
                untrained.
            **arguments: the options of `patterns.text_classifier`; sizes and cell are those of the generator.

        Raises:
            InputError: a generator reads in the other direction, or both differ in vocabulary, cell or sizes.
        """
        generators = [generator] if backward is None else [generator, backward]
        decoders = [recurrent_decoder(one) for one in generators]
        require_fitting(generator, backward)
        layers, sizes = decoders[0].recurrent, [decoder.embedding.embedding_dim for decoder in decoders]
        arguments |= {"cell": layers.cell, "hidden_size": layers.hidden_size, "layers": len(layers.stack)}
        arguments["embedding_size"] = sum(sizes)
        if backward is not None:
            if not arguments.setdefault("bidirectional", True):
                raise InputError("bidirectional must be true where the backward direction begins with a generator")
            arguments["backward_bos"] = True
        parts: dict[str, Any] = {"tokenizer": generator.tokenizer, "classes": classes, "max_length": max_length}
        classifier = cls.untrained(**parts, **arguments)
        encoder = cast("SequenceEncoder", classifier.model.encoder)
        begin_with(encoder, decoders)
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

    def encoded(self, texts: Labelled | Unlabelled) -> Ragged:
        """Return the token numbers of each text as the model reads it: encoded once, into a cached file."""
        identity = [texts.fingerprint, replace(self, ngrams=None).parts()]
        [rows] = stored(identity, lambda: ((self.encode(text),) for text in texts.inputs), [self.tokenizer.vocab_size])
        return rows

    def examples(self, texts: Labelled | Unlabelled) -> Batchable[Examples]:
        """Return texts for training; the targets of unlabelled ones are all IGNORED.

        Raises:
            InputError: a label that is not among the classes.
        """
        targets = texts.targets(self.classes) if isinstance(texts, Labelled) else np.full(len(texts), IGNORED)
        rows = self.encoded(texts)

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
