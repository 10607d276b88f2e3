"""Logits processors: temperature, top-k, top-p, min-p, repetition penalty and n-grams that must not be repeated."""

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from seqgen.errors import InputError, NonFiniteLogits
from seqgen.generation.config import GenerationConfig
from seqgen.symbols import EOS

NEVER = float("-inf")


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
        raise NonFiniteLogits(
            "the logits of a model must be finite, but some are not: its weights are damaged, or its training "
            "diverged, and a smaller learning rate may help"
        )


class TokensSoFar(Protocol):
    """The tokens of all rows so far, as the processors take them."""

    vocab_size: int
    written: int

    @property
    def used(self) -> Tensor:
        """The (rows, vocabulary) mask of tokens that each row already has."""
        ...

    def forbidden(self, row: int) -> list[int]:
        """Return the tokens that would repeat an n-gram of the row."""
        ...


class History:
    """The tokens of all rows so far, updated at the same cost in every step.

    Args:
        prompts: token numbers of each row.
        vocab_size: number of tokens.
        config: the options, which decide what has to be recorded.
    """

    def __init__(self, prompts: list[list[int]], vocab_size: int, config: GenerationConfig):
        self.config = config
        self.ngram = config.no_repeat_ngram_size
        self.vocab_size = vocab_size
        self.used = torch.zeros(len(prompts), vocab_size, dtype=torch.bool)
        self.last: list[tuple[int, ...]] = [() for _ in prompts]
        self.followers: list[dict[tuple[int, ...], list[int]]] = [{} for _ in prompts]
        self.written = 0  # new tokens of each row, counted by the caller
        self.records = bool(self.ngram) or config.repetition_penalty != 1  # whether the options depend on tokens
        for row, prompt in enumerate(prompts):
            for token in prompt:
                self._add(row, token)

    def add(self, rows: list[int], tokens: list[int]) -> None:
        """Record the new tokens of these rows, where the options depend on them."""
        if self.records:
            for row, token in zip(rows, tokens, strict=True):
                self._add(row, token)

    def _add(self, row: int, token: int) -> None:
        if self.config.repetition_penalty != 1:
            self.used[row, token] = True
        if self.ngram:
            if len(self.last[row]) == self.ngram - 1:
                self.followers[row].setdefault(self.last[row], []).append(token)
            self.last[row] = (*self.last[row], token)[-(self.ngram - 1) :] if self.ngram > 1 else ()

    def forbidden(self, row: int) -> list[int]:
        """Return the tokens that would repeat an n-gram of the row."""
        return self.followers[row].get(self.last[row], [])


def processor(
    config: GenerationConfig, history: TokensSoFar, device: torch.device | str = "cpu"
) -> Callable[[Tensor, list[int]], Tensor]:
    """Return the function that applies all options to the (batch, vocabulary) logits of some rows.

    Raises:
        InputError: tokens to suppress that are not in the vocabulary.
    """
    strange = [token for token in config.suppress_tokens if not 0 <= token < history.vocab_size]
    if strange:
        raise InputError(f"suppress_tokens must be from 0 to {history.vocab_size - 1}, not {strange[0]}")
    excluded = torch.zeros(history.vocab_size, device=device)
    excluded[list(config.suppress_tokens)] = NEVER
    excluded_at_first = excluded.clone()
    excluded_at_first[EOS] = NEVER
    # Below a temperature of 1e-30 logits would overflow.
    factor = 1 / max(config.temperature, 1e-30) if config.do_sample else 1.0

    def process(logits: Tensor, rows: list[int]) -> Tensor:
        if config.repetition_penalty != 1:
            logits = repetition_penalty(logits, history.used[rows].to(logits.device), config.repetition_penalty)
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
