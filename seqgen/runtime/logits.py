"""Logits processors on arrays: the rules of `seqgen.generation.logits`, where their papers are named."""

from collections.abc import Callable

import numpy as np

from seqgen.errors import NonFiniteLogits
from seqgen.generation.config import GenerationConfig
from seqgen.generation.history import NEVER, TokensSoFar, exclusions, logits_factor


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return the probabilities of logits, on the last axis."""
    with np.errstate(invalid="ignore"):  # where all logits of a row are -infinity, its probabilities are NaN
        powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
        probabilities: np.ndarray = powers / powers.sum(axis=-1, keepdims=True)
    return probabilities


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Return the log-probabilities of logits, on the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    found: np.ndarray = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return found


def top_k(logits: np.ndarray, k: int) -> np.ndarray:
    """Keep exactly the k largest of (batch, vocabulary) logits; of equal ones, those with lower token numbers."""
    if k >= logits.shape[-1]:
        return logits
    smallest = np.partition(logits, -k, axis=-1)[:, -k, None]
    above, equal = logits > smallest, logits == smallest
    room = k - above.sum(axis=-1, keepdims=True)
    return np.where(above | (equal & (equal.cumsum(axis=-1) <= room)), logits, NEVER).astype(np.float32)


def top_p(logits: np.ndarray, p: float) -> np.ndarray:
    """Keep the smallest set of most probable tokens whose probabilities sum to at least p (nucleus sampling)."""
    order = np.argsort(-logits, axis=-1, kind="stable")
    probabilities = softmax(np.take_along_axis(logits, order, axis=-1))
    dropped = probabilities.cumsum(axis=-1) - probabilities >= p
    dropped[:, 0] = False  # whatever rounding makes of the sum before it
    of_tokens = np.empty_like(dropped)
    np.put_along_axis(of_tokens, order, dropped, axis=-1)
    return np.where(of_tokens, np.float32(NEVER), logits)


def min_p(logits: np.ndarray, p: float) -> np.ndarray:
    """Keep the tokens that are at least p times as probable as the most probable one."""
    probabilities = softmax(logits)
    return np.where(probabilities < p * probabilities.max(axis=-1, keepdims=True), np.float32(NEVER), logits)


def repetition_penalty(logits: np.ndarray, used: np.ndarray, penalty: float) -> np.ndarray:
    """Divide positive logits of used tokens by the penalty, and multiply negative ones by it."""
    penalised = np.where(logits > 0, logits / np.float32(penalty), logits * np.float32(penalty))
    return np.where(used, penalised, logits)


def require_finite(logits: np.ndarray) -> None:
    """Raise a NonFiniteLogits where logits are NaN or infinite; -infinity is a probability of 0, but never of all."""
    if not np.isfinite(logits.max(axis=-1)).all():
        raise NonFiniteLogits


def processor(config: GenerationConfig, history: TokensSoFar) -> Callable[[np.ndarray, list[int]], np.ndarray]:
    """Return the function that applies all options to the (batch, vocabulary) logits of some rows.

    Raises:
        InputError: tokens to suppress that are not in the vocabulary.
    """
    # Of two axes, since numpy adds arrays of the same shape faster.
    excluded, excluded_at_first = (one[None] for one in exclusions(config, history.vocab_size))
    factor = np.float32(logits_factor(config))
    cut = config.do_sample and (config.top_k, config.top_p, config.min_p) != (None, None, None)

    def process(logits: np.ndarray, rows: list[int]) -> np.ndarray:
        if config.repetition_penalty != 1:
            logits = repetition_penalty(logits, history.used[rows], config.repetition_penalty)
        now = excluded_at_first if history.written < config.min_new_tokens else excluded
        logits = logits + now if factor == 1 else logits * factor + now
        if config.no_repeat_ngram_size:
            for index, row in enumerate(rows):
                logits[index, history.forbidden(row)] = NEVER
        if cut:
            require_finite(logits)  # which no longer shows afterwards
            logits = logits if config.top_k is None else top_k(logits, config.top_k)
            logits = logits if config.top_p is None else top_p(logits, config.top_p)
            logits = logits if config.min_p is None else min_p(logits, config.min_p)
        return logits

    return process
