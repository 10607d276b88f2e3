"""The task of a tagger: the tag of each word or character of a text."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar, NamedTuple

import numpy as np

from seqgen.arguments import checked
from seqgen.batches.padded import padded
from seqgen.errors import InputError, nearest
from seqgen.symbols import PAD
from seqgen.tasks.answers import AnswerTask
from seqgen.tasks.parts import ALPHABET, VOCABULARY
from seqgen.tasks.schemas import Tags
from seqgen.tasks.score import Score
from seqgen.tasks.token_batch import token_batch
from seqgen.text.vocabulary import Vocabulary

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
@checked
class TaggerTask(AnswerTask):
    """The tags of words, which are also read character by character, or of characters.

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

    def arrays(self, rows: Sequence[Row]) -> tuple[np.ndarray, ...]:
        """Return the right-padded (batch, steps) tokens; for words also the row of each in the batch's spellings."""
        tokens = token_batch([row[0] for row in rows], len(self.vocabulary))
        if self.alphabet is None:
            return (tokens,)
        different: dict[bytes, int] = {}
        places = [[different.setdefault(word, len(different)) for word in _words(row[1])] for row in rows]
        spellings = padded([np.frombuffer(word, dtype=np.int64) for word in different])
        return tokens, padded([np.array(row) for row in places]), spellings

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
        for numbers, found in self.distributions([self.encode(texts[number]) for number in real], BUDGET):
            for number, probabilities in zip(numbers, found, strict=True):
                place = real[number]
                result[place] = probabilities[: len(texts[place])]
        return result


def _words(letters: np.ndarray) -> list[bytes]:
    """Return the bytes of each word's letters, which end in PAD."""
    ends = np.flatnonzero(letters == PAD)
    begins = np.concatenate([[0], ends[:-1] + 1])
    letters = letters.astype(np.int64)
    return [letters[begin:end].tobytes() for begin, end in zip(begins, ends, strict=True)]
