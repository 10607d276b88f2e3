"""Sampling, or greedy search, token by token and of many rows at once."""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from seqgen.arguments import checked
from seqgen.errors import InputError
from seqgen.generation.config import GenerationConfig
from seqgen.generation.history import NEVER, History
from seqgen.generation.hypothesis import Hypothesis, best_first
from seqgen.generation.logits import left_padded, processed, processor, require_finite
from seqgen.generation.logits_processor import LogitsProcessor
from seqgen.generation.packed import packed, threads_of
from seqgen.generation.reading import read
from seqgen.generation.rows import row_seed
from seqgen.protocols import Decoder
from seqgen.settings import unaffected
from seqgen.state import AnyMemory, AnyState
from seqgen.symbols import EOS

AHEAD = 256  # random numbers generated for a row at a time
BLIND = 16  # steps between looks at the tokens, where none of them can end a text


class Randomness:
    """One stream of uniform random numbers for each row, so that rows are independent of each other.

    Args:
        seeds: random seed of each row.
    """

    def __init__(self, seeds: Sequence[int]):
        self._generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self._columns: list[Tensor] = []

    def draw(self, rows: list[int]) -> Tensor:
        """Return the next (n, 1) numbers in [0, 1) of these rows; every row advances."""
        if not self._columns:
            blocks = [torch.rand(AHEAD, generator=each, dtype=torch.float64) for each in self._generators]
            self._columns = list(torch.stack(blocks, dim=1).unsqueeze(2).flip(0))
        column = self._columns.pop()
        return column if len(rows) == len(column) else column[rows]


def choose(logits: Tensor, uniform: Tensor | None) -> Tensor:
    """Return (batch,) tokens: the most probable, or sampled with (batch, 1) uniform random numbers.

    A token of probability 0 is never chosen. Where every token is excluded, the token is EOS.
    """
    if uniform is None:
        highest, tokens = logits.max(dim=-1)
        return tokens.masked_fill(highest == NEVER, EOS)
    probabilities = logits.softmax(dim=-1)
    if logits.device.type == "mps":  # which has no double precision
        probabilities = probabilities.cpu()
    cumulative = probabilities.cumsum(dim=-1, dtype=torch.float64)
    uniform = uniform if uniform.device == cumulative.device else uniform.to(cumulative.device)
    points = uniform * cumulative[:, -1:]
    tokens = torch.searchsorted(cumulative, points, right=True).squeeze(1)
    tokens = tokens if tokens.device == logits.device else tokens.to(logits.device)
    # Where every token is excluded all probabilities are NaN, and the search ends behind the last token.
    return tokens.masked_fill(tokens == logits.shape[-1], EOS)


@checked
@unaffected
@torch.inference_mode()
def sample(
    decoder: Decoder,
    prompts: list[list[int]],
    config: GenerationConfig,
    *,
    seeds: Sequence[int],
    finished: Callable[[int, int], bool] | None = None,
    memory: AnyMemory | None = None,
    logits_processor: Sequence[LogitsProcessor] = (),
    device: torch.device | str = "cpu",
) -> Iterator[tuple[list[int], list[int], Tensor]]:
    """Yield, at each step, the unfinished rows, their new tokens, and the logits of these.

    The (rows, vocabulary) logits are those of the decoder, before the options change them.

    A row ends with EOS, when `finished` is true of its new token, or after `max_new_tokens`. Finished rows cost nothing
    more, and rows are independent of each other.

    Args:
        decoder: any object with `start` and `step`; its `read` is used where it has one.
        prompts: token numbers of each row, at least BOS; at least one row.
        config: the options; `stop_strings`, `num_return_sequences` and `seed` are left to the caller.
        seeds: random seed of each row.
        finished: called with the number of a row and its new token; by default only EOS ends a row.
        memory: memory to attend to, with a row for each prompt.
        logits_processor: processors of one's own, called in their order after the options.
        device: of the decoder.

    Raises:
        NonFiniteLogits: logits that are not finite.
        InputError: a processor returns something else than scores.
    """
    require_begun(prompts, memory)
    decoder = packed(decoder, config.precision, rows=len(prompts), memory=memory)
    with threads_of(decoder):
        logits, state = read_prompts(decoder, prompts, memory, device)
        history = History(prompts, logits.shape[-1], config)
        process, randomness = processor(config, history, device), Randomness(seeds)
        rows, so_far = list(range(len(prompts))), left_padded(prompts, device)
        endless = EOS in config.suppress_tokens and finished is None and not history.records and not logits_processor
        done = finished or (lambda row, token: False)

        def pick(logits: Tensor) -> Tensor:
            scores = processed(logits_processor, so_far, process(logits, rows))
            tokens = choose(scores, randomness.draw(rows) if config.do_sample else None)
            history.written += 1
            return tokens

        while True:
            steps = [(logits, pick(logits))]
            for _ in range(min(BLIND, config.max_new_tokens - history.written) - 1 if endless else 0):
                logits, state = decoder.step(steps[-1][1], state, memory)
                steps.append((logits, pick(logits)))
            require_finite(logits)
            tokens: list[int] = []
            for (logits, _), tokens in zip(steps, torch.stack([token for _, token in steps]).tolist(), strict=True):
                history.add(rows, tokens)
                yield rows, tokens, logits
            ended = (token == EOS or done(row, token) for row, token in zip(rows, tokens, strict=True))
            going = [index for index, end in enumerate(ended) if not end]
            if not going or history.written >= config.max_new_tokens:
                return
            chosen = steps[-1][1]
            so_far = torch.cat([so_far, chosen[:, None]], dim=1) if logits_processor else so_far
            if len(going) < len(rows):
                kept = torch.tensor(going, device=device)
                rows, chosen, state, so_far = [rows[i] for i in going], chosen[kept], state.select(kept), so_far[kept]
                memory = None if memory is None else memory.select(kept)
            logits, state = decoder.step(chosen, state, memory)


def require_begun(prompts: list[list[int]], memory: AnyMemory | None = None) -> None:
    """Raise an InputError where there is no prompt, or one without tokens, or without a memory to attend to."""
    if not prompts or not all(map(len, prompts)):
        raise InputError(f"prompts must be at least one, each of at least BOS, not {prompts[:5]}")
    if memory is not None and (len(memory.mask) != len(prompts) or not memory.mask.any(dim=1).all()):
        raise InputError(
            f"memory must have a row for each of {len(prompts)} prompts, each with a position to attend to, not "
            f"{memory.mask.sum(dim=1).tolist()[:5]} positions"
        )


def read_prompts(
    decoder: Decoder,
    prompts: list[list[int]],
    memory: AnyMemory | None,
    device: torch.device | str,
    state: AnyState | None = None,
) -> tuple[Tensor, AnyState]:
    """Return the (batch, vocabulary) logits and the state after each prompt, independent of the others' lengths."""
    lengths = torch.tensor([len(prompt) for prompt in prompts], device=device)
    tokens = torch.zeros(len(prompts), int(lengths.max()), dtype=torch.long)
    for row, prompt in enumerate(prompts):
        tokens[row, : len(prompt)] = torch.tensor(prompt)
    tokens = tokens.to(device)
    state = decoder.start(memory, batch_size=len(prompts)) if state is None else state
    return read(decoder, tokens, lengths, state, memory)


@unaffected
def sampled(
    decoder: Decoder,
    prompts: list[list[int]],
    config: GenerationConfig,
    *,
    seeds: Sequence[int] | None = None,
    memory: AnyMemory | None = None,
    logits_processor: Sequence[LogitsProcessor] = (),
    device: torch.device | str = "cpu",
) -> list[list[Hypothesis]]:
    """Return `num_return_sequences` sampled texts for each row, the best score first; rows are independent.

    The `seeds` are the random seeds of all texts; by default they come from the seed of the options.
    """
    require_begun(prompts, memory)
    each = config.num_return_sequences
    rows = [row for row in range(len(prompts)) for _ in range(each)]
    many = None if memory is None else memory.select(torch.tensor(rows, device=device))
    tokens: list[list[int]] = [[] for _ in rows]
    logs = [0.0] * len(rows)
    seeds = seeds or [row_seed(config, place % each) for place in range(len(rows))]
    repeated = [prompts[row] for row in rows]
    steps = sample(
        decoder, repeated, config, seeds=seeds, memory=many, logits_processor=logits_processor, device=device
    )
    for places, chosen, logits in steps:
        of_chosen = logits.float().log_softmax(dim=1)[range(len(chosen)), chosen].tolist()
        for place, token, log in zip(places, chosen, of_chosen, strict=True):
            tokens[place].append(token)
            logs[place] += log
    return best_first(rows, tokens, logs, config)
