"""The Markov chain that adapts: counted anew as it reads a text, beside the network that it is mixed with."""

from collections.abc import Sequence

import numpy as np

from seqgen.arguments import checked
from seqgen.errors import InputError
from seqgen.ngram_counts import NGramCounts, token_numbers
from seqgen.symbols import BOS

EVERY = 10_000  # tokens between two refits to the training text and what was read
EVERY_ALONE = 1000  # and between two refits to what was read alone, which is less to count


@checked
def adaptive_ngrams(
    text: np.ndarray | Sequence[int], *, train: np.ndarray | Sequence[int], vocab_size: int, order: int = 5
) -> np.ndarray:
    """Return the (2, length) log-probabilities of a text by two n-gram models that adapt to it, to be mixed.

    One is refitted to the training text and what it has read, the other, more often, to what it has read alone: that
    knows what is said again and again in this text, and is worth more than to count it twice in the first.

    Args:
        text: (length,) numbers of the text to read, without BOS.
        train: (length,) numbers of the training text.
        vocab_size: number of tokens.
        order: number of tokens of the longest n-grams.

    Raises:
        InputError: a number outside its range, or a text without tokens.
    """
    refitted = refitted_ngram(text, train=train, vocab_size=vocab_size, order=order)
    alone = refitted_ngram(text, vocab_size=vocab_size, order=order, every=EVERY_ALONE)
    return np.stack([refitted, alone])


@checked
def refitted_ngram(
    text: np.ndarray | Sequence[int],
    *,
    train: np.ndarray | Sequence[int] | None = None,
    vocab_size: int,
    order: int = 5,
    every: int = EVERY,
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
    if order < 1:
        raise InputError(f"order must be at least 1, not {order}")
    if every < 1:
        raise InputError(f"every must be at least 1, not {every}")
    read = token_numbers("text", text, vocab_size)
    if (read == BOS).any():
        raise InputError("text must be without BOS, which is before each document, but it has some")
    before = read[:0] if train is None else token_numbers("train", train, vocab_size)
    # The n-grams of both texts are found once; what is not read yet has the count 0.
    counts = NGramCounts(np.concatenate([before, read]), vocab_size)
    while len(counts.orders) < order and counts.extend():
        pass
    places = counts.places[-len(read) :]
    counts.count(places, -1)
    parts = []
    for begin in range(0, len(places), every):
        part = places[begin : begin + every]
        parts.append(counts.score(part))
        counts.count(part, 1)
    return np.concatenate(parts)
