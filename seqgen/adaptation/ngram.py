"""The Markov chain that adapts: counted anew as it reads a text, beside the network that it is mixed with."""

from collections.abc import Sequence

import numpy as np

from seqgen.arguments import checked
from seqgen.errors import InputError
from seqgen.ngram import NGram
from seqgen.ngram_counts import NGramCounts, token_numbers
from seqgen.symbols import BOS

MOST_COUNTED = 2_000_000  # tokens at the end of a training text, which takes some seconds
LONGEST = 12  # tokens of the longest n-grams that are tried
EVERY = 2000  # tokens between two refits to the training text and what was read
EVERY_ALONE = 200  # to what was read alone, which is less to count
EVERY_RECENT = 20  # to the last tokens alone
WINDOW = 500  # tokens, the last ones
PIECE = 10_000  # tokens whose n-grams are numbered at once, where the last ones alone are counted


def counted_in(train: np.ndarray, valid: np.ndarray, *, vocab_size: int) -> NGram:
    """Return the n-gram model of the last 2,000,000 tokens of a text, of the order that suits a validation text."""
    return NGram.fit(train[-MOST_COUNTED:], vocab_size=vocab_size, order=LONGEST, valid=valid)


@checked
def adaptive_ngrams(
    text: np.ndarray | Sequence[int], *, train: np.ndarray | Sequence[int], vocab_size: int, order: int = 5
) -> np.ndarray:
    """Return the (3, length) log-probabilities of a text by three n-gram models that adapt to it, to be mixed.

    The first is refitted to the training text and what it has read; the second, more often, to what it has read alone;
    the third, yet more often, to the last tokens. Together they are worth more than to count what was read twice in
    the first: characters gain by the second, words by the third.

    Args:
        text: (length,) numbers of the text to read, without BOS.
        train: (length,) numbers of the training text.
        vocab_size: number of tokens.
        order: number of tokens of the longest n-grams.

    Raises:
        InputError: a number outside its range, or a text without tokens.
    """
    refitted = refitted_ngram(text, train=train, vocab_size=vocab_size, order=order, every=EVERY)
    alone = refitted_ngram(text, vocab_size=vocab_size, order=order, every=EVERY_ALONE)
    return np.stack([refitted, alone, recent_ngram(text, vocab_size=vocab_size, order=order)])


@checked
def refitted_ngram(
    text: np.ndarray | Sequence[int],
    *,
    train: np.ndarray | Sequence[int] | None = None,
    vocab_size: int,
    order: int = 5,
    every: int = 10_000,
) -> np.ndarray:
    """Return the (length,) log-probabilities, in nats, of a text by an n-gram model that is refitted as it reads.

    They are those of `NGram.fit(...).score(...)`, fitted to the training text and the tokens read until the last refit.

    Args:
        text: (length,) numbers of the text to read, without BOS; EOS ends a document.
        train: (length,) numbers of the training text; without it, all tokens are equally probable at first.
        vocab_size: number of tokens.
        order: number of tokens of the longest n-grams.
        every: number of tokens between two refits.

    Raises:
        InputError: a number outside its range, or a text without tokens.
    """
    read = _read(text, vocab_size, order=order, every=every)
    before = read[:0] if train is None else token_numbers("train", train, vocab_size)
    # The n-grams of both texts are found once; what is not read yet has the count 0.
    counts = NGramCounts(np.concatenate([before, read]), vocab_size)
    counts.extend_to(order)
    places = counts.places[-len(read) :]
    counts.count(places, -1)
    parts = []
    for begin in range(0, len(places), every):
        part = places[begin : begin + every]
        parts.append(counts.score(part))
        counts.count(part, 1)
    return np.concatenate(parts)


@checked
def recent_ngram(
    text: np.ndarray | Sequence[int],
    *,
    vocab_size: int,
    order: int = 5,
    every: int = EVERY_RECENT,
    window: int = WINDOW,
) -> np.ndarray:
    """Return the (length,) log-probabilities, in nats, of a text by an n-gram model of the last tokens that it read.

    Args:
        text: (length,) numbers of the text to read, without BOS; EOS ends a document.
        vocab_size: number of tokens.
        order: number of tokens of the longest n-grams.
        every: number of tokens between two refits.
        window: number of tokens that are counted, the last ones before a refit.

    Raises:
        InputError: a number outside its range, or a text without tokens.
    """
    read, parts = _read(text, vocab_size, order=order, every=every, window=window), []
    piece = -(-PIECE // every) * every
    for begin in range(0, len(read), piece):
        known = max(0, begin - window - order)  # the longest n-grams begin before the window
        counts = NGramCounts(read[known : begin + piece], vocab_size)
        counts.extend_to(order)
        counts.count(counts.places, -1)
        for place in range(begin - known, len(counts.places), every):
            recent = counts.places[max(0, place - window) : place]
            counts.count(recent, 1)
            parts.append(counts.score(counts.places[place : place + every]))
            counts.count(recent, -1)
    return np.concatenate(parts)


def _read(text: np.ndarray | Sequence[int], vocab_size: int, **least_one: int) -> np.ndarray:
    """Return the numbers of a text, or raise an InputError where it, or a number of something, is not as it must be."""
    for name, value in least_one.items():
        if value < 1:
            raise InputError(f"{name} must be at least 1, not {value}")
    read = token_numbers("text", text, vocab_size)
    if (read == BOS).any():
        raise InputError("text must be without BOS, which is before each document, but it has some")
    return read
