"""A tagger in use: the tag of each word or character of a text."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from seqgen import patterns
from seqgen.batches.examples import IGNORED, Batchable, Examples
from seqgen.batches.windows import padded
from seqgen.data.store import stored
from seqgen.data.tagged import Tagged
from seqgen.errors import InputError, nearest
from seqgen.inference.embeddings import Embeddings, embeddings
from seqgen.inference.inputs import InputBundle
from seqgen.inference.parts import ALPHABET, VOCABULARY
from seqgen.inference.schemas import Tags
from seqgen.inference.score import Score
from seqgen.inference.token_batch import token_batch
from seqgen.models import EncoderTagger
from seqgen.symbols import PAD
from seqgen.text.vocabulary import Vocabulary, most_frequent

BUDGET = 16_384  # tokens of a batch
SPELLED = 40  # maximum number of characters of a word that are read

# Token numbers; and for words also the numbers of their characters, with PAD after each word.
Row = tuple[np.ndarray, ...]


class TaggedToken(NamedTuple):
    """A token of a text, its most probable tag, and the probability of that tag."""

    token: str
    tag: str
    probability: float


def joined(tokens: Iterable[TaggedToken], joint: str) -> list[tuple[str, str]]:
    """Return the tokens in a row that have the same tag as one text, with `joint` between them, and the tag."""
    groups = groupby(tokens, key=lambda one: one.tag)
    return [(joint.join(one.token for one in group), tag) for tag, group in groups]


@dataclass(kw_only=True)
class Tagger(InputBundle[EncoderTagger]):
    """A tagger of words, which are also read character by character, or of characters.

    Args:
        tags: their names, by their numbers.
        vocabulary: of words in lower case, or of characters.
        alphabet: the characters that words are spelled with; None where the tokens are characters.
    """

    builder = "tagger"
    files: ClassVar = {
        "vocabulary.json": VOCABULARY,
        "alphabet.json": ALPHABET,
        "labels.json": Tags,
    }

    tags: list[str]
    vocabulary: Vocabulary
    alphabet: Vocabulary | None

    @classmethod
    def fit(cls, tokens: Iterable[str | Sequence[str]], tags: list[str], **arguments: Any) -> Self:
        """Return an untrained tagger with the vocabulary of these sequences; a text is a sequence of characters.

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
        if not of_words:
            return cls.untrained(tags=tags, vocabulary=alphabet, alphabet=None, **arguments)
        vocabulary = Vocabulary(most_frequent(words, 50_000, 2, "word"))
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
            InputError: the encoder has none.
        """
        return embeddings(self.model.encoder, self.vocabulary.text)

    def encode(self, given: str | Sequence[str]) -> Row:
        """Return the numbers of tokens and, for words, those of their characters, with PAD after each word."""
        if self.alphabet is None:
            return (np.array([self.vocabulary.number(token) for token in given], dtype=np.int64),)
        numbers = [self.vocabulary.number(token.lower()) for token in given]
        letters = [number for word in given for number in (*map(self.alphabet.number, word[:SPELLED]), PAD)]
        return np.array(numbers, dtype=np.int64), np.array(letters, dtype=np.int64)

    def lengths(self, rows: Sequence[Row]) -> np.ndarray:
        """Return the number of tokens of each row."""
        return np.array([len(row[0]) for row in rows], dtype=np.int64)

    def collate(self, rows: Sequence[Row]) -> tuple[Tensor, ...]:
        """Return the right-padded (batch, steps) tokens; for words also the row of each in the batch's spellings."""
        tokens = token_batch([row[0] for row in rows], len(self.vocabulary))
        if self.alphabet is None:
            return (tokens,)
        different: dict[bytes, int] = {}
        places = [[different.setdefault(word, len(different)) for word in _words(row[1])] for row in rows]
        spellings = padded([np.frombuffer(word, dtype=np.int64) for word in different])
        return tokens, torch.from_numpy(padded([np.array(row) for row in places])), torch.from_numpy(spellings)

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

    def tokens(self, text: str | Sequence[str]) -> Sequence[str]:
        """Return the tokens of a text; a list of tokens is returned unchanged.

        A text is split into words as in the Penn Treebank.

        Raises:
            InputError: a token is empty.
        """
        if isinstance(text, str):
            if self.alphabet is None:
                return text
            from nltk.tokenize import TreebankWordTokenizer  # which takes seconds

            return list(TreebankWordTokenizer().tokenize(text))
        if not all(text):
            raise InputError("a token must not be empty")
        return text

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return where each of the `tokens` of a text begins in it, and where it ends."""
        if self.alphabet is None:
            return [(place, place + 1) for place in range(len(text))]
        from nltk.tokenize import TreebankWordTokenizer  # which takes seconds

        return list(TreebankWordTokenizer().span_tokenize(text))

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
            names = [self.tags[number] for number in probabilities.argmax(axis=1)]
            best = probabilities.max(axis=1).tolist()
            tagged.append([TaggedToken(*found) for found in zip(tokens, names, best, strict=True)])
        return tagged

    def score(self, texts: Sequence[str | Sequence[str]], tags: Sequence[Sequence[str]]) -> list[Score]:
        """Return the log-probabilities, in nats, of given tags of each text, one for each token.

        Args:
            texts: each a text or a list of tokens.
            tags: of each text, as many as it has tokens.

        Raises:
            InputError: a tag that is not one of the model's, or more or fewer tags than tokens.
        """
        rows, scores = [self.tokens(text) for text in texts], []
        for tokens, names, found in zip(rows, tags, self.probabilities(rows), strict=True):
            if len(tokens) != len(names):
                raise InputError(f"there must be a tag for each token, but {len(tokens)} tokens have {len(names)} tags")
            for name in names:
                if name not in self.tags:
                    raise InputError(
                        f"a tag must be one of {', '.join(self.tags)}, not {name!r}{nearest(name, self.tags)}"
                    )
            places = [self.tags.index(name) for name in names]
            logs = np.log(found[np.arange(len(places)), places].clip(1e-30))
            scores.append(Score.of(list(tokens), logs.tolist()))
        return scores

    def probabilities(self, texts: Sequence[str | Sequence[str]]) -> list[np.ndarray]:
        """Return the (tokens, tags) probabilities of each sequence of tokens."""
        result = [np.zeros((0, len(self.tags)), np.float32) for _ in texts]
        real = [number for number, tokens in enumerate(texts) if len(tokens)]
        for numbers, logits in self.logits([self.encode(texts[number]) for number in real], BUDGET):
            for number, probabilities in zip(numbers, logits.softmax(dim=2).cpu().numpy(), strict=True):
                place = real[number]
                result[place] = probabilities[: len(texts[place])]
        return result


def _words(letters: np.ndarray) -> list[bytes]:
    """Return the bytes of each word's letters, which end in PAD."""
    ends = np.flatnonzero(letters == PAD)
    begins = np.concatenate([[0], ends[:-1] + 1])
    letters = letters.astype(np.int64)
    return [letters[begin:end].tobytes() for begin, end in zip(begins, ends, strict=True)]
