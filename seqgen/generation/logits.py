"""Logits processors: temperature, top-k, top-p, min-p, repetition penalty and n-grams that must not be repeated."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from seqgen.errors import InputError, NonFiniteLogits
from seqgen.generation.config import GenerationConfig
from seqgen.generation.history import NEVER, TokensSoFar, exclusions, logits_factor
from seqgen.generation.logits_processor import LogitsProcessor


def top_k(logits: Tensor, k: int) -> Tensor:
    """Keep exactly the k largest of (batch, vocabulary) logits; of equal ones, those with lower token numbers.

    Fan et al. 2018, Hierarchical Neural Story Generation.
    """
    if k >= logits.shape[-1]:
        return logits
    order = logits.argsort(dim=-1, descending=True, stable=True)
    return logits.scatter(-1, order[:, k:], NEVER)


def top_p(logits: Tensor, p: float) -> Tensor:
    """Keep the smallest set of most probable tokens whose probabilities sum to at least p (nucleus sampling).

    Holtzman et al. 2020, The Curious Case of Neural Text Degeneration.
    """
    ordered, order = logits.sort(dim=-1, descending=True, stable=True)
    probabilities = ordered.softmax(dim=-1)
    before = probabilities.cumsum(dim=-1) - probabilities
    # The most probable token is always kept, whatever rounding makes of the sum before it.
    dropped = (before >= p).scatter(-1, torch.zeros_like(order[:, :1]), False)
    return logits.masked_fill(dropped.gather(-1, order.argsort(dim=-1)), NEVER)


def min_p(logits: Tensor, p: float) -> Tensor:
    """Keep the tokens that are at least p times as probable as the most probable one.

    Nguyen et al. 2025, Turning Up the Heat: Min-p Sampling for Creative and Coherent LLM Outputs.
    """
    probabilities = logits.softmax(dim=-1)
    return logits.masked_fill(probabilities < p * probabilities.amax(dim=-1, keepdim=True), NEVER)


def repetition_penalty(logits: Tensor, used: Tensor, penalty: float) -> Tensor:
    """Divide positive logits of used tokens by the penalty, and multiply negative ones by it.

    Keskar et al. 2019, CTRL. `used` is (batch, vocabulary), True for tokens that the row already has.
    """
    penalised = torch.where(logits > 0, logits / penalty, logits * penalty)
    return torch.where(used, penalised, logits)


def require_finite(logits: Tensor) -> None:
    """Raise a NonFiniteLogits where logits are NaN or infinite; -infinity is a probability of 0."""
    if not logits.amax() < float("inf"):
        raise NonFiniteLogits


def processor(
    config: GenerationConfig, history: TokensSoFar, device: torch.device | str = "cpu"
) -> Callable[[Tensor, list[int]], Tensor]:
    """Return the function that applies all options to the (batch, vocabulary) logits of some rows.

    Raises:
        InputError: tokens to suppress that are not in the vocabulary.
    """
    excluded, excluded_at_first = (torch.from_numpy(one).to(device) for one in exclusions(config, history.vocab_size))
    factor = logits_factor(config)

    def process(logits: Tensor, rows: list[int]) -> Tensor:
        if config.repetition_penalty != 1:
            used = torch.as_tensor(history.used[rows], device=logits.device)
            logits = repetition_penalty(logits, used, config.repetition_penalty)
        now = excluded_at_first if history.written < config.min_new_tokens else excluded
        logits = torch.add(now, logits, alpha=factor)  # in fp32; temperature and exclusions in one operation
        if config.no_repeat_ngram_size:
            for index, row in enumerate(rows):
                logits[index, history.forbidden(row)] = NEVER
        if config.do_sample:
            logits = logits if config.top_k is None else top_k(logits, config.top_k)
            logits = logits if config.top_p is None else top_p(logits, config.top_p)
            logits = logits if config.min_p is None else min_p(logits, config.min_p)
        return logits

    return process


def left_padded(prompts: list[list[int]], device: torch.device | str) -> Tensor:
    """Return the (rows, steps) tokens of prompts, with -1 before shorter ones."""
    longest = max(map(len, prompts))
    return torch.tensor([[-1] * (longest - len(prompt)) + prompt for prompt in prompts], device=device)


def processed(processors: Sequence[LogitsProcessor], tokens: Tensor, scores: Tensor) -> Tensor:
    """Return the (rows, vocabulary) scores as processors of one's own leave them, one after the other.

    Rows of the same length are given together, so that none is padded and no row depends on the others.

    Args:
        processors: of one's own.
        tokens: (rows, steps), with -1 before those of shorter rows.
        scores: (rows, vocabulary), which are changed.

    Raises:
        InputError: a processor returned something else than scores.
    """
    lengths = (tokens >= 0).sum(dim=1)
    for length in sorted(set(lengths.tolist())) if processors else []:
        rows = (lengths == length).nonzero().flatten()
        found = scores[rows]
        for one in processors:
            found = _require_scores(one(tokens[rows, -length:], found), found)
        scores[rows] = found
    return scores


def _require_scores(found: Any, given: Tensor) -> Tensor:
    """Return what a processor made of the scores it was given, with their dtype and device."""
    rule = f"a logits processor must return scores of shape {tuple(given.shape)}"
    if not isinstance(found, Tensor) or found.shape != given.shape:
        received = f"those of shape {tuple(found.shape)}" if isinstance(found, Tensor) else type(found).__name__
        raise InputError(f"{rule}, not {received}")
    if found.is_complex() or found.is_quantized or found.is_meta or found.layout != torch.strided:
        raise InputError(f"{rule} as plain numbers, not {found.dtype} ({found.layout}) on {found.device}")
    converted: Tensor = found.to(given)  # in which a number of 64 bits may be infinite
    if not converted.amax() < float("inf"):
        raise InputError("a logits processor must return scores that are finite or -infinity, but some are not")
    return converted
