"""The texts of a generator: to train on, to validate on, and to test on."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from seqgen.data.corpus import Corpus
from seqgen.data.encoded import DocumentKind, encode_documents, encode_stream
from seqgen.data.numbers import Numbers
from seqgen.data.sets.benchmark_texts import BENCHMARK_TEXTS, Part
from seqgen.data.splits import LEAST_HELD_BACK
from seqgen.data.store import Ragged, fingerprint
from seqgen.data.text_file import TextOptions
from seqgen.errors import InputError, counted
from seqgen.symbols import UNK
from seqgen.text.tokenizer import Tokenizer


@dataclass(kw_only=True)
class TextSplitOptions(TextOptions):
    """Options that name texts beside `--data`."""

    valid: str | None = None
    """text to validate on, read like --data, all of which is then trained on; by default the last tenth of --data"""
    test: str | None = None
    """text to test the best model on, once at the end, read like --data"""


class EncodedSplits(NamedTuple):
    """Token numbers of each text, as one stream or as separate documents; None where there is no such text.

    `valid_characters` and `test_characters` are the lengths of these texts as their files have them.
    """

    train: Numbers | Ragged
    valid: Numbers | Ragged | None = None
    test: Numbers | Ragged | None = None
    valid_characters: int | None = None
    test_characters: int | None = None

    @property
    def tokens(self) -> Sequence[int]:
        """The (tokens,) numbers of the text to train on."""
        return _values(self.train)

    @property
    def unknown(self) -> list[str]:
        """Sentences about tokens to validate or to test on that are not in the vocabulary."""
        texts = {"valid": self.valid, "test": self.test}
        rows = {name: np.asarray(_values(text)) for name, text in texts.items() if text is not None}
        counts = {name: (int((tokens == UNK).sum()), len(tokens)) for name, tokens in rows.items()}
        return [
            f"{unknown:,} of {every:,} tokens of --{name} are unknown, in --data or as <unk> in the text itself"
            for name, (unknown, every) in counts.items()
            if unknown
        ]


class TextSplits(NamedTuple):
    """The text to train on, and those to validate and to test on; None where there is no text of its own."""

    train: Corpus
    valid: Corpus | None = None
    test: Corpus | None = None

    @classmethod
    def find(cls, data: str, valid: str | None, test: str | None, encoding: str = "utf-8") -> "TextSplits":
        """Return the texts that `--data`, `--valid` and `--test` name, each as `Corpus.find` finds it.

        A benchmark as the first has its own texts to validate and to test on, unless others are given.

        Raises:
            InputError: one does not exist, is empty or is not text, or two are standard input.
        """
        if [data, valid, test].count("-") > 1:
            raise InputError("only one of --data, --valid and --test must be -, as standard input is read only once")
        train = Corpus.find(data, encoding)
        found: dict[str, Corpus] = {}
        own = data if data in BENCHMARK_TEXTS else None
        parts: tuple[tuple[Part, str | None], ...] = (("valid", valid), ("test", test))
        for part, given in parts:
            place = own if given is None else given
            if place is not None:
                with _option(part):
                    found[part] = Corpus.find(place, encoding, part)
                    if found[part].fingerprint == train.fingerprint:
                        raise InputError("data must be another text than that to train on, but it is the same")
        return cls(train, **found)

    @property
    def names(self) -> tuple[str, str | None, str | None]:
        """The values of the three options by which a resumed run finds the texts again."""
        valid, test = (None if text is None else text.name for text in self[1:])
        return self.train.name, valid, test

    @property
    def fingerprint(self) -> str:
        """A hash of the content of all texts."""
        more = [text.fingerprint if text else "" for text in self[1:]]
        return fingerprint([self.train.fingerprint, *more]) if any(more) else self.train.fingerprint

    def encoded(self, tokenizer: Tokenizer, documents: DocumentKind) -> EncodedSplits:
        """Return the token numbers of the texts.

        Args:
            tokenizer: of all texts.
            documents: kind of separate documents, or "none" for streams.

        Raises:
            InputError: a text is not text in its encoding, or too short to validate or test on.
        """

        def tokens(corpus: Corpus) -> Numbers | Ragged:
            one_stream = documents == "none"
            return encode_stream(corpus, tokenizer) if one_stream else encode_documents(corpus, tokenizer, documents)

        train, found, characters = tokens(self.train), dict[str, Numbers | Ragged](), dict[str, int]()
        for name, corpus in (("valid", self.valid), ("test", self.test)):
            if corpus is not None:
                with _option(name):
                    found[name] = tokens(corpus)
                    if (count := len(found[name])) < LEAST_HELD_BACK:
                        one = counted(count, "token" if documents == "none" else "document")
                        raise InputError(f"data must have at least {LEAST_HELD_BACK}, but it has {one}")
                    characters[name] = sum(map(len, corpus.blocks()))
        encoded = EncodedSplits(train, found.get("valid"), found.get("test"))
        return encoded._replace(valid_characters=characters.get("valid"), test_characters=characters.get("test"))


def _values(text: Numbers | Ragged) -> Sequence[int]:
    return text.values if isinstance(text, Ragged) else text


@contextmanager
def _option(name: str) -> Iterator[None]:
    """Name the option of a text in an InputError about it."""
    try:
        yield
    except InputError as error:
        rule = str(error).removeprefix("data must ")
        raise InputError(f"--{name} must {rule}" if rule != str(error) else f"--{name}: {error}") from None
