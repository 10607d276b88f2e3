"""The tokens so far, and those that options exclude: what the logits processors of every runtime go by."""

from typing import Any, Protocol

import numpy as np

from seqgen.errors import InputError
from seqgen.generation.config import GenerationConfig
from seqgen.symbols import EOS

NEVER = float("-inf")


class TokensSoFar(Protocol):
    """The tokens of all rows so far, as the processors take them."""

    vocab_size: int
    written: int

    @property
    def used(self) -> Any:
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
        self.used = np.zeros((len(prompts), vocab_size), dtype=bool)
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


def followers(tokens: list[int], ngram: int) -> list[int]:
    """Return the tokens after which a text would repeat an n-gram of this length; -1 before it is none."""
    before = ngram - 1
    last = tokens[len(tokens) - before :]
    ends = range(before, len(tokens))
    return [tokens[end] for end in ends if tokens[end - before : end] == last and tokens[end] >= 0]


def exclusions(config: GenerationConfig, vocab_size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return two (vocabulary,) summands of logits, -infinity for excluded tokens; in the second, EOS is one of them.

    Raises:
        InputError: tokens to suppress that are not in the vocabulary.
    """
    strange = [token for token in config.suppress_tokens if not 0 <= token < vocab_size]
    if strange:
        raise InputError(f"suppress_tokens must be from 0 to {vocab_size - 1}, not {strange[0]}")
    excluded = np.zeros(vocab_size, np.float32)
    excluded[list(config.suppress_tokens)] = NEVER
    excluded_at_first = excluded.copy()
    excluded_at_first[EOS] = NEVER
    return excluded, excluded_at_first


def logits_factor(config: GenerationConfig) -> float:
    """Return the factor of logits: one over the temperature where tokens are sampled."""
    # Below a temperature of 1e-30 logits would overflow.
    return 1 / max(config.temperature, 1e-30) if config.do_sample else 1.0
