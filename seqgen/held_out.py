"""Held-out n-grams: what the Markov chain of the rest of a text says of each part, as a prior for a network.

A network that learns with the probabilities of an n-gram model beside its own (Li et al. 2022, N-gram Is Back: Residual
Learning of Neural Text Generation with n-gram Language Model) must not see those of a model that has counted the very
tokens that it learns to predict: it would trust them too much. So the text is cut into parts, and each is scored by the
model of all others, as new text is.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from seqgen.arguments import checked
from seqgen.errors import InputError
from seqgen.hardware.memory import FLOAT, require_memory
from seqgen.ngram_counts import NGramCounts, token_numbers
from seqgen.symbols import BOS

FOLDS = 10
HALF = 2  # bytes of a number of 16 bits


@checked
def held_out_score(
    tokens: np.ndarray | Sequence[int], *, vocab_size: int, order: int = 5, folds: int = FOLDS
) -> np.ndarray:
    """Return the (length,) log-probabilities of the tokens of a text but for BOS, in nats, by the model of the rest.

    Args:
        tokens: (length,) numbers of a text; EOS ends a document.
        vocab_size: number of tokens.
        order: number of tokens of the longest n-grams.
        folds: number of contiguous parts that the text is cut into.

    Raises:
        InputError: a number outside its range, or a text without tokens.
    """
    return np.concatenate([counts.score(part) for counts, part in _parts(tokens, vocab_size, order, folds)])


@checked
def held_out_rows(
    tokens: np.ndarray | Sequence[int], *, vocab_size: int, order: int = 5, folds: int = FOLDS
) -> np.ndarray:
    """Return the (length, vocabulary) log-probabilities of all tokens at each place of a text, in 16 bits.

    The arguments and errors are those of `held_out_score`; there must be memory for the rows.
    """
    length = int((token_numbers("tokens", tokens, vocab_size) != BOS).sum())
    require_memory(HALF * length * vocab_size, f"{length:,} rows of {vocab_size:,} log-probabilities")
    rows = np.empty((length, vocab_size), np.float16)
    begin = 0
    for counts, part in _parts(tokens, vocab_size, order, folds):
        rows[begin : begin + len(part)] = _rows(counts, part)
        begin += len(part)
    return rows


@checked
def held_out_candidates(
    tokens: np.ndarray | Sequence[int],
    candidates: np.ndarray,
    *,
    vocab_size: int,
    order: int = 5,
    folds: int = FOLDS,
) -> np.ndarray:
    """Return the (length, candidates) log-probabilities of some tokens at each place of a text, in 16 bits.

    This is `held_out_rows` for vocabularies whose rows fill the memory, as of words.

    Args:
        tokens: (length,) numbers of a text; EOS ends a document.
        candidates: (length, candidates) numbers of tokens, for each token of the text but for BOS.
        vocab_size: number of tokens.
        order: number of tokens of the longest n-grams.
        folds: number of contiguous parts that the text is cut into.

    Raises:
        InputError: a number outside its range, or a text without tokens.
    """
    length = int((token_numbers("tokens", tokens, vocab_size) != BOS).sum())
    if candidates.ndim != 2 or len(candidates) != length:
        raise InputError(f"candidates must be a row for each of {length:,} tokens, not of shape {candidates.shape}")
    token_numbers("candidates", candidates.ravel(), vocab_size)
    found, begin = np.empty(candidates.shape, np.float16), 0
    for counts, part in _parts(tokens, vocab_size, order, folds):
        cut = slice(begin, begin + len(part))
        found[cut] = _candidates(counts, part, candidates[cut])
        begin += len(part)
    return found


def _parts(
    tokens: np.ndarray | Sequence[int], vocab_size: int, order: int, folds: int
) -> Iterator[tuple[NGramCounts, np.ndarray]]:
    """Yield the places of each part in the text, with the counts of all others."""
    if order < 1:
        raise InputError(f"order must be at least 1, not {order}")
    if folds < 2:
        raise InputError(f"folds must be at least 2, not {folds}")
    counts = NGramCounts(token_numbers("tokens", tokens, vocab_size), vocab_size)
    counts.extend_to(order)
    for part in np.array_split(counts.places, folds):
        counts.count(part, -1)
        yield counts, part
        counts.count(part, 1)


def _rows(counts: NGramCounts, places: np.ndarray) -> np.ndarray:
    """Return the (places, vocabulary) log-probabilities of all tokens.

    Those after each context of a length are a row of a table, which is made of that of the contexts one token shorter.
    """
    found, weights = counts.probabilities()
    contexts = np.stack([counts.contexts(length, places) for length in range(len(counts.orders))])
    longest = (contexts >= 0).sum(axis=0) - 1
    require_memory(FLOAT * len(weights[-1]) * counts.vocab_size, f"a table of {len(weights[-1]):,} contexts")
    rows = np.empty((len(places), counts.vocab_size), np.float32)
    table, suffixes = np.full((1, counts.vocab_size), found[0][0], np.float32), np.zeros(1, np.int64)
    for length, order in enumerate(counts.orders):
        table = table[suffixes]
        table *= weights[length].astype(np.float32)[:, None]
        table.reshape(-1)[order.keys] = found[length + 1]
        rows[longest == length] = table[contexts[length, longest == length]]
        suffixes = order.suffixes
    return np.log(rows, out=rows)


def _candidates(counts: NGramCounts, places: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """Return the (places, candidates) log-probabilities of some tokens."""
    found, weights = counts.probabilities()
    logs = np.full(candidates.shape, np.log(found[0][0]), np.float32)
    # The places and tokens of n-grams that are in the text: a longer one is only where the shorter one is.
    rows, columns = np.nonzero(np.ones(candidates.shape, bool))
    for length, order in enumerate(counts.orders):
        contexts = counts.contexts(length, places)
        logs[contexts >= 0] += np.log(weights[length])[contexts[contexts >= 0], None]
        known = contexts[rows] >= 0
        rows, columns = rows[known], columns[known]
        keys = contexts[rows] * counts.vocab_size + candidates[rows, columns]
        numbers = np.searchsorted(order.keys, keys).clip(max=len(order.keys) - 1)
        known = order.keys[numbers] == keys
        rows, columns = rows[known], columns[known]
        logs[rows, columns] = np.log(found[length + 1])[numbers[known]]
    return logs
