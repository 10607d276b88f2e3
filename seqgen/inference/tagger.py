"""A tagger in use: the tag of each word or character of a text."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from nltk.tokenize import TreebankWordTokenizer
from torch import Tensor, nn

from seqgen import patterns
from seqgen.batches.buckets import Buckets
from seqgen.batches.windows import padded
from seqgen.errors import InputError
from seqgen.inference.bundle import Bundle
from seqgen.inference.classifiers import BUDGET, answers
from seqgen.text.vocabulary import Vocabulary, most_frequent

SPELLED = 40  # characters of a word that are read


class TaggedToken(NamedTuple):
    """A token of a text, its likeliest tag, and the probability of that."""

    token: str
    tag: str
    probability: float


class Encoded(NamedTuple):
    """Sequences as numbers: of their tokens, of the spellings of these, and the spellings themselves, each once."""

    tokens: list[np.ndarray]
    places: list[np.ndarray]
    spellings: list[np.ndarray]

    def inputs(self, rows: Sequence[int] | np.ndarray) -> tuple[Tensor, ...]:
        """Return what a tagger is given for these sequences, right-padded."""
        tokens = torch.from_numpy(padded([self.tokens[row] for row in rows]))
        if not self.spellings:
            return (tokens,)
        used, places = np.unique(padded([self.places[row] for row in rows]), return_inverse=True)
        spellings = padded([self.spellings[place] for place in used])
        return tokens, torch.from_numpy(places.reshape(tokens.shape)), torch.from_numpy(spellings)


@dataclass
class Tagger(Bundle):
    """A tagger of words, which it also reads character by character, or of characters.

    Args:
        tags: their names, by their numbers.
        vocabulary: of words in lower case, or of characters.
        alphabet: the characters that words are spelled with; None where the tokens are characters.
    """

    builder = "tagger"
    files = ("vocabulary.json", "labels.json")

    tags: list[str]
    vocabulary: Vocabulary
    alphabet: Vocabulary | None

    @classmethod
    def fit(cls, tokens: list[Sequence[str]], tags: list[str], arguments: dict[str, Any]) -> Self:
        """Return an untrained tagger for such sequences; texts, not lists of words, are read by character.

        Raises:
            InputError: the sequences have fewer than two different tokens.
        """
        counts = Counter(token for row in tokens for token in row)
        characters = Counter[str]()
        for token, count in counts.items():
            characters.update(dict.fromkeys(token, count))
        alphabet = Vocabulary(most_frequent(characters, 5_000, 2, "character"))
        if all(isinstance(row, str) for row in tokens):
            return cls._of(arguments, tags, alphabet, None)
        words = Counter[str]()
        for word, count in counts.items():
            words[word.lower()] += count
        return cls._of(arguments, tags, Vocabulary(most_frequent(words, 50_000, 2, "word")), alphabet)

    @classmethod
    def _of(
        cls, arguments: dict[str, Any], tags: list[str], vocabulary: Vocabulary, alphabet: Vocabulary | None
    ) -> Self:
        alphabet_size = len(alphabet) if alphabet else 0
        model: nn.Module = patterns.tagger(len(vocabulary), len(tags), alphabet_size=alphabet_size, **arguments)
        return cls(model, arguments, tags, vocabulary, alphabet)

    def parts(self) -> dict[str, dict[str, Any]]:
        """Return vocabularies and tags as plain data."""
        vocabulary: dict[str, Any] = {"tokens": self.vocabulary.data["symbols"]}
        if self.alphabet:
            vocabulary["characters"] = self.alphabet.data["symbols"]
        return {"vocabulary.json": vocabulary, "labels.json": {"tags": self.tags}}

    @classmethod
    def built(cls, arguments: dict[str, Any], parts: dict[str, dict[str, Any]]) -> Self:
        """Return an untrained tagger with the parts that `parts` described."""
        vocabulary = parts["vocabulary.json"]
        alphabet = Vocabulary(vocabulary["characters"]) if "characters" in vocabulary else None
        return cls._of(arguments, parts["labels.json"]["tags"], Vocabulary(vocabulary["tokens"]), alphabet)

    def encode(self, texts: Sequence[Sequence[str]]) -> Encoded:
        """Return sequences of tokens as numbers."""
        if self.alphabet is None:
            rows = [np.array([self.vocabulary.number(token) for token in row], dtype=np.int64) for row in texts]
            return Encoded(rows, [], [])
        rows = [np.array([self.vocabulary.number(token.lower()) for token in row], dtype=np.int64) for row in texts]
        places: dict[str, int] = {}
        placed = [np.array([places.setdefault(token, len(places)) for token in row], dtype=np.int64) for row in texts]
        spellings = [np.array([self.alphabet.number(letter) for letter in word[:SPELLED]]) for word in places]
        return Encoded(rows, placed, spellings)

    def tokens(self, text: str | Sequence[str]) -> Sequence[str]:
        """Return the tokens of a text as this tagger reads it; a list of tokens is left as it is.

        Words are told apart as the Penn Treebank does.

        Raises:
            InputError: a token is empty.
        """
        if isinstance(text, str):
            return text if self.alphabet is None else list(TreebankWordTokenizer().tokenize(text))
        if not all(text):
            raise InputError("a token must not be empty")
        return text

    def tag(self, texts: str | Sequence[str | Sequence[str]]) -> list[list[TaggedToken]]:
        """Return the tokens of each text with their tags.

        Args:
            texts: one text or a list of them, each a text or a list of tokens; batches are made of them inside.

        Raises:
            InputError: a token is empty.
        """
        rows = [self.tokens(text) for text in ([texts] if isinstance(texts, str) else texts)]
        tagged: list[list[TaggedToken]] = []
        for tokens, probabilities in zip(rows, self.probabilities(rows), strict=True):
            best = probabilities.argmax(axis=1)
            sure = probabilities.max(axis=1)
            tagged.append(
                [
                    TaggedToken(*found)
                    for found in zip(tokens, map(self.tags.__getitem__, best), sure.tolist(), strict=True)
                ]
            )
        return tagged

    def probabilities(self, texts: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """Return the (tokens, tags) probabilities of each sequence of tokens."""
        result = [np.zeros((0, len(self.tags)), np.float32) for _ in texts]
        there = np.array([number for number, tokens in enumerate(texts) if len(tokens)], dtype=np.int64)
        if len(there):
            encoded = self.encode([texts[number] for number in there])
            for rows, logits in answers(self, self._batches(encoded)):
                found = logits.softmax(dim=2).cpu().numpy()
                for row, probabilities in zip(rows, found, strict=True):
                    result[there[row]] = probabilities[: len(encoded.tokens[row])]
        return result

    def _batches(self, encoded: Encoded) -> Iterator[tuple[np.ndarray, tuple[Tensor, ...]]]:
        for rows in Buckets(np.array([len(tokens) for tokens in encoded.tokens]), BUDGET).once():
            yield rows, encoded.inputs(rows)
