"""A tagger in use: the tag of each word or character of a text."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch

from seqgen import patterns
from seqgen.batches.examples import IGNORED, Batchable, Examples
from seqgen.batches.padded import padded
from seqgen.data.store import stored
from seqgen.data.tagged import Tagged
from seqgen.inference.answers import AnswerBundle
from seqgen.inference.embeddings import Embeddings, embeddings
from seqgen.models import EncoderTagger
from seqgen.tasks.tagger import Row, TaggerTask
from seqgen.text.vocabulary import Vocabulary, most_frequent


@dataclass(kw_only=True)
class Tagger(TaggerTask, AnswerBundle[EncoderTagger]):
    """A tagger of words, which are also read character by character, or of characters.

    Args:
        tags: their names, by their numbers.
        vocabulary: of words in lower case, or of characters.
        alphabet: the characters that words are spelled with; None where the tokens are characters.
    """

    @classmethod
    def fit(cls, tokens: Iterable[str | Sequence[str]], tags: list[str], **arguments: Any) -> Self:
        """Return an untrained tagger with the vocabulary of these sequences; a text is a sequence of characters.

        Raises:
            InputError: the sequences have fewer than two different tokens.
        """
        vocabulary, alphabet = vocabularies(tokens)
        return cls.untrained(tags=tags, vocabulary=vocabulary, alphabet=alphabet, **arguments)

    @classmethod
    def of(
        cls,
        model: EncoderTagger,
        *,
        tags: list[str],
        vocabulary: Vocabulary,
        alphabet: Vocabulary | None = None,
        builder: Callable[..., EncoderTagger] | None = None,
        arguments: dict[str, Any] | None = None,
    ) -> Self:
        """Return the tagger of a model.

        Args:
            model: an encoder of tokens and, with an alphabet, of their spellings, and a head.
            tags: their names, by their numbers.
            vocabulary: of words in lower case, or of characters.
            alphabet: the characters that words are spelled with; None where the tokens are characters.
            builder: a function of one's own that makes this model of `arguments` alone, to save it: whoever loads the
                model gives that function, too.
            arguments: plain data: those of `builder`, or the options that `patterns.tagger` was given.

        Raises:
            InputError: `builder` makes another model of `arguments`.
        """
        parts: dict[str, Any] = {"tags": tags, "vocabulary": vocabulary, "alphabet": alphabet}
        return cls(model=model, arguments=arguments or {}, own_builder=builder, **parts)

    @classmethod
    def untrained(
        cls, *, tags: list[str], vocabulary: Vocabulary, alphabet: Vocabulary | None = None, **arguments: Any
    ) -> Self:
        """Return an untrained tagger; `arguments` are the options of `patterns.tagger`."""
        model = patterns.tagger(len(vocabulary), len(tags), len(alphabet) if alphabet else 0, **arguments)
        return cls.of(model, tags=tags, vocabulary=vocabulary, alphabet=alphabet, arguments=arguments)

    def embeddings(self) -> Embeddings:
        """Return the embeddings of all words or characters, without those of words' spellings.

        Raises:
            InputError: the encoder has none, or this is an ensemble.
        """
        self.require_single("embeddings")
        return embeddings(self.model.encoder, self.vocabulary.text)

    def embed(self, inputs: str | Sequence[str | Sequence[str]]) -> np.ndarray:
        """Return the (inputs, size) vectors by which the encoder summarizes texts or lists of tokens, as float32.

        Raises:
            InputError: a token is empty, or this is an ensemble.
        """
        return super().embed([self.tokens(text) for text in ([inputs] if isinstance(inputs, str) else inputs)])

    def examples(self, data: Tagged) -> Batchable[Examples]:
        """Return tagged sequences for training: encoded once, into a cached file.

        Raises:
            InputError: a tag that is not among the tags.
        """
        numbers_of = {tag: number for number, tag in enumerate(self.tags)}

        def encoded() -> Iterator[Row]:
            for tokens, tags in zip(data.tokens, data.tags, strict=True):
                yield np.array([numbers_of[tag] for tag in tags]), *self.encode(tokens)

        letters = [len(self.alphabet)] if self.alphabet else []
        largest = [len(self.tags), len(self.vocabulary), *letters]
        targets, *columns = stored([data.fingerprint, self.parts()], encoded, largest)

        def collate(numbers: np.ndarray) -> Examples:
            rows = [tuple(column[number] for column in columns) for number in numbers]
            answers = padded([targets[number] for number in numbers], IGNORED)
            return Examples(self.collate(rows), torch.from_numpy(answers))

        return Batchable(targets.lengths, collate)


def vocabularies(tokens: Iterable[str | Sequence[str]]) -> tuple[Vocabulary, Vocabulary | None]:
    """Return the vocabulary of sequences, and the alphabet of their words; None where their tokens are characters.

    Raises:
        InputError: the sequences have fewer than two different tokens.
    """
    words, characters, of_words = Counter[str](), Counter[str](), False
    for row in tokens:
        if isinstance(row, str):
            characters.update(row)
            continue
        of_words = True
        words.update(word.lower() for word in row)
        characters.update(letter for word in row for letter in set(word))
    alphabet = Vocabulary(most_frequent(characters, 5_000, 2, "character"))
    return (Vocabulary(most_frequent(words, 50_000, 2, "word")), alphabet) if of_words else (alphabet, None)
