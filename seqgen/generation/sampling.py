"""Writing token by token, many rows at once, as a generator that yields as it goes."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from seqgen.generation.config import GenerationConfig
from seqgen.generation.logits import NEVER, History, processor
from seqgen.generation.packed import packed
from seqgen.protocols import Decoder, Reader
from seqgen.state import Memory, State
from seqgen.symbols import EOS


class Hypothesis(NamedTuple):
    """A text that was written: its tokens after the prompt, EOS left out, and how good it is.

    `log_probability` is the natural logarithm of its probability, EOS included: of a text that was searched, among the
    tokens that the options allow; of one that was drawn, by the decoder itself. `score` is that after the penalties.
    `ended` is False where `max_new_tokens` cut it off.
    """

    tokens: list[int]
    score: float
    log_probability: float
    ended: bool

    @classmethod
    def of(
        cls, tokens: list[int], log_probability: float, config: GenerationConfig, penalty: float = 0.0
    ) -> "Hypothesis":
        """Return the hypothesis of tokens, the last of them maybe EOS; `penalty` is added to its score."""
        ended = tokens[-1] == EOS
        score = log_probability / len(tokens) ** config.length_penalty + penalty
        return cls(tokens[:-1] if ended else tokens, score, log_probability, ended)


AHEAD = 256  # random numbers drawn for a row at a time
SHORT = 16  # tokens of a prompt: so few are read faster one by one than in a fused pass, with its fixed cost


class Randomness:
    """One stream of uniform numbers a row, so that what a row draws does not depend on the others.

    Args:
        seeds: of each row.
    """

    def __init__(self, seeds: Sequence[int]):
        self._generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self._drawn = torch.empty(len(seeds), 0, dtype=torch.float64)
        self._next = 0

    def draw(self, rows: list[int]) -> Tensor:
        """Return the next (n, 1) numbers in [0, 1) of these rows; every row moves on."""
        if self._next == self._drawn.shape[1]:
            blocks = [torch.rand(AHEAD, generator=each, dtype=torch.float64) for each in self._generators]
            self._drawn, self._next = torch.stack(blocks), 0
        column = self._drawn[:, self._next : self._next + 1]
        self._next += 1
        return column if len(rows) == len(column) else column[rows]


def choose(logits: Tensor, uniform: Tensor | None) -> Tensor:
    """Return (batch,) tokens: the likeliest, or by inverting the cumulated probabilities at (batch, 1) numbers.

    A token of probability 0 is never chosen. Where every token is excluded, the row ends.
    """
    if uniform is None:
        highest, tokens = logits.max(dim=-1)
        return tokens.masked_fill(highest == NEVER, EOS)
    probabilities = logits.softmax(dim=-1)
    if logits.device.type == "mps":  # which has no double precision
        probabilities = probabilities.cpu()
    cumulated = probabilities.cumsum(dim=-1, dtype=torch.float64)
    points = uniform.to(cumulated.device) * cumulated[:, -1:]
    tokens = torch.searchsorted(cumulated, points, right=True).squeeze(1).to(logits.device)
    # Where every token is excluded all are not a number, which sorts behind the last.
    return tokens.masked_fill(tokens == logits.shape[-1], EOS)


@torch.inference_mode()
def sample(
    decoder: Decoder,
    prompts: list[list[int]],
    config: GenerationConfig,
    *,
    seeds: Sequence[int],
    finished: Callable[[int, int], bool] = lambda row, token: False,
    memory: Memory | None = None,
    device: torch.device | str = "cpu",
) -> Iterator[tuple[list[int], list[int], Tensor]]:
    """Yield, step by step, the rows still being written, the token that each gets, and the logits it was drawn from.

    The (rows, vocabulary) logits are those of the decoder, before the options change them.

    A row ends with EOS, when `finished` says so of a token it got, or after `max_new_tokens`. What has ended costs
    nothing more, and no row depends on another.

    Args:
        decoder: anything with `start` and `step`; its `read` is used where it has one.
        prompts: token numbers of each row, BOS included, at least one.
        config: the options; `stop_strings`, `num_return_sequences` and `seed` are the caller's.
        seeds: of each row.
        finished: called with a row and its new token.
        memory: what the decoder attends to, a row for each prompt.
        device: where the decoder is.
    """
    decoder = packed(decoder, config.precision)
    logits, state = read_prompts(decoder, prompts, memory, device)
    history = History(prompts, logits.shape[-1], config)
    process, randomness = processor(config, history, device), Randomness(seeds)
    rows = list(range(len(prompts)))
    while True:
        chosen = choose(process(logits, rows), randomness.draw(rows) if config.do_sample else None)
        tokens = chosen.tolist()
        history.add(rows, tokens)
        yield rows, tokens, logits
        alive = [i for i, token in enumerate(tokens) if token != EOS and not finished(rows[i], token)]
        if not alive or history.written >= config.max_new_tokens:
            return
        if len(alive) < len(rows):
            kept = torch.tensor(alive, device=device)
            rows, chosen, state = [rows[i] for i in alive], chosen[kept], state.select(kept)
            memory = None if memory is None else memory.select(kept)
        logits, state = decoder.step(chosen, state, memory)


def read_prompts(
    decoder: Decoder,
    prompts: list[list[int]],
    memory: Memory | None,
    device: torch.device | str,
    state: State | None = None,
) -> tuple[Tensor, State]:
    """Return the (batch, vocabulary) logits and the state after each prompt, whatever the lengths of the others."""
    lengths = torch.tensor([len(prompt) for prompt in prompts], device=device)
    tokens = torch.zeros(len(prompts), int(lengths.max()), dtype=torch.long)
    for row, prompt in enumerate(prompts):
        tokens[row, : len(prompt)] = torch.tensor(prompt)
    tokens = tokens.to(device)
    state = decoder.start(memory, batch_size=len(prompts)) if state is None else state
    # Where attention is to be summed up, padding must have none.
    if isinstance(decoder, Reader) and tokens.shape[1] > SHORT and state.attended is None:
        return decoder.read(tokens, lengths, state, memory)
    logits, state = decoder.step(tokens[:, 0], state, memory)
    for position in range(1, tokens.shape[1]):
        longer = (lengths > position).nonzero().flatten()
        part = None if memory is None else memory.select(longer)
        step_logits, after = decoder.step(tokens[longer, position], state.select(longer), part)
        logits, state = logits.index_copy(0, longer, step_logits), state.put(longer, after)
    return logits, state


def sampled(
    decoder: Decoder,
    prompts: list[list[int]],
    config: GenerationConfig,
    *,
    seeds: Sequence[int] | None = None,
    memory: Memory | None = None,
    device: torch.device | str = "cpu",
) -> list[list[Hypothesis]]:
    """Return `num_return_sequences` drawn texts for each row, the likeliest first; no row depends on another.

    Each text has its own of the `seeds`; by default they are as the options say.
    """
    each = config.num_return_sequences
    rows = [row for row in range(len(prompts)) for _ in range(each)]
    many = None if memory is None else memory.select(torch.tensor(rows, device=device))
    tokens: list[list[int]] = [[] for _ in rows]
    logs = [0.0] * len(rows)
    seeds = seeds or [row_seed(config, place % each) for place in range(len(rows))]
    repeated = [prompts[row] for row in rows]
    for places, chosen, logits in sample(decoder, repeated, config, seeds=seeds, memory=many, device=device):
        drawn = logits.float().log_softmax(dim=1)[range(len(chosen)), chosen].tolist()
        for place, token, log in zip(places, chosen, drawn, strict=True):
            tokens[place].append(token)
            logs[place] += log
    found: list[list[Hypothesis]] = [[] for _ in prompts]
    for row, text, log in zip(rows, tokens, logs, strict=True):
        found[row].append(Hypothesis.of(text, log, config))
    return [sorted(texts, key=lambda one: one.score, reverse=True) for texts in found]


def row_seed(config: GenerationConfig, place: int) -> int:
    """Return a seed that depends on a row's place among the texts of its own prompt, never on other prompts."""
    if config.seed is None:
        return secrets.randbits(63)
    return int(np.random.SeedSequence([config.seed, place]).generate_state(1, np.uint64)[0] >> np.uint64(1))
