"""Tokens of new data that a saved model does not know: an error that counts them, added to it, or read as unknown."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from seqgen.errors import InputError, counted
from seqgen.inference.tagger import Tagger, vocabularies
from seqgen.runs.run import Run
from seqgen.symbols import UNK
from seqgen.text.tokenizer import Tokenizer
from seqgen.text.vocabulary import Vocabulary

SHOWN = 5  # unknown tokens that are named


class UnknownTokens(NamedTuple):
    """The different unknown tokens of data, how often they occur, and the number of all tokens."""

    different: list[str]
    times: int
    total: int

    @classmethod
    def among(cls, rows: Iterable[tuple[np.ndarray, Callable[[], Iterable[str]]]]) -> "UnknownTokens":
        """Return those of rows, each with the numbers of its tokens and a function that finds the unknown ones."""
        different, times, total = dict[str, None](), 0, 0
        for numbers, unseen in rows:
            total += len(numbers)
            if unknown := int((numbers == UNK).sum()):
                times += unknown
                different |= dict.fromkeys(unseen())
        return cls(list(different), times, total)

    def described(self, noun: str) -> str:
        """Return how many there are, how often, and some of them."""
        some = ", ".join(map(repr, self.different[:SHOWN]))
        share = f"{self.times:,} times ({self.times / self.total:.2%})"
        return f"{counted(len(self.different), noun)}, {share}, such as {some}"


def tokenizer_for(run: Run, tokenizer: Tokenizer, texts: Iterable[str]) -> Tokenizer:
    """Return the tokenizer of a saved model for new texts, with their tokens added where `--new_tokens` says so.

    Raises:
        InputError: it does not know all tokens, and these are to be known, as by default all characters are.
    """
    if run.config.new_tokens == "extend":
        extended = tokenizer.extended(texts)
        run.say(f"new to the model: {counted(extended.vocab_size - tokenizer.vocab_size, 'token')}, added to it")
        return extended
    unknown = UnknownTokens.among((tokenizer.encode(text), partial(tokenizer.unseen, text)) for text in texts)
    _tell(run, unknown, *(("character", "error") if tokenizer.kind == "char" else ("word", "unknown")))
    return tokenizer


def vocabularies_for(
    run: Run, tagger: Tagger, rows: Sequence[str | Sequence[str]]
) -> tuple[Vocabulary, Vocabulary | None]:
    """Return the vocabulary and the alphabet of a saved tagger for new sequences, as `tokenizer_for` does.

    Raises:
        InputError: the tagger is for words and these are characters, or the other way round; or a token is unknown.
    """
    kinds = {True: "characters", False: "words"}
    wanted, given = kinds[tagger.alphabet is None], kinds[isinstance(rows[0], str)]
    if wanted != given:
        raise InputError(f"--data must have {wanted}, which the model of --init_from tags, not {given}")
    if run.config.new_tokens == "extend":
        vocabulary, alphabet = tagger.vocabulary, tagger.alphabet
        words, letters = vocabularies(rows)
        vocabulary = vocabulary.extended(list(words.numbers))
        alphabet = alphabet.extended(list(letters.numbers)) if alphabet and letters else None
        run.say(f"new to the model: {counted(len(vocabulary) - len(tagger.vocabulary), 'token')}, added to it")
        return vocabulary, alphabet
    known = tagger.vocabulary.numbers

    def unseen(row: Sequence[str]) -> list[str]:
        return [token for token in row if (token.lower() if tagger.alphabet else token) not in known]

    unknown = UnknownTokens.among((tagger.encode(row)[0], partial(unseen, row)) for row in rows)
    _tell(run, unknown, given.removesuffix("s"), "unknown")  # as rare characters are when a tagger is fitted
    return tagger.vocabulary, tagger.alphabet


def _tell(run: Run, unknown: UnknownTokens, noun: str, default: str) -> None:
    if not unknown.times:
        return
    found = unknown.described(noun)
    if (run.config.new_tokens or default) == "error":
        place = run.config.init_from
        raise InputError(
            f"the data must have the {noun}s of the model of {place}, but {found}, are unknown to it: --new_tokens "
            "extend adds them to its vocabulary, --new_tokens unknown reads them as unknown"
        )
    run.say(f"read as unknown: {found}; --new_tokens extend adds those that are not rare to the model")
