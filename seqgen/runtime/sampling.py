"""Sampling, or greedy search, on arrays: token by token and of many rows at once, as in `seqgen.generation.sampling`.

Random numbers are numpy's, so that a seed samples other texts than with torch, and the same ones again.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from seqgen.errors import NonFiniteLogits
from seqgen.generation.config import GenerationConfig
from seqgen.generation.history import NEVER, History
from seqgen.generation.hypothesis import Hypothesis, best_first
from seqgen.generation.rows import row_seed
from seqgen.runtime.decoder import Decoder, Memory, State, Steps, selected
from seqgen.runtime.logits import log_softmax, processor
from seqgen.symbols import EOS

AHEAD = 256  # random numbers generated for a row at a time


class Randomness:
    """One stream of uniform random numbers for each row, so that rows are independent of each other.

    Args:
        seeds: random seed of each row.
    """

    def __init__(self, seeds: Sequence[int]):
        self._generators = [np.random.default_rng(seed) for seed in seeds]
        self._columns: list[np.ndarray] = []

    def draw(self, rows: list[int]) -> np.ndarray:
        """Return the next (n, 1) numbers in [0, 1) of these rows; every row advances."""
        if not self._columns:
            self._columns = list(np.stack([each.random(AHEAD) for each in self._generators], axis=1)[::-1, :, None])
        column = self._columns.pop()
        return column if len(rows) == len(column) else column[rows]


def choose(logits: np.ndarray, uniform: np.ndarray | None) -> np.ndarray:
    """Return (batch,) tokens: the most probable, or sampled with (batch, 1) uniform random numbers.

    A token of probability 0 is never chosen. Where every token is excluded, the token is EOS.

    Raises:
        NonFiniteLogits: logits that are NaN or infinite.
    """
    tokens: np.ndarray = logits.argmax(axis=1)  # several times faster than the maximum
    highest = logits[np.arange(len(tokens)), tokens]
    bounds = highest.tolist()
    if not all(one < float("inf") for one in bounds):
        raise NonFiniteLogits
    if NEVER in bounds:
        excluded = highest == NEVER
        logits[excluded, EOS] = highest[excluded] = 0.0
        tokens[excluded] = EOS
    if uniform is None:
        return tokens
    cumulative = np.exp(logits - highest[:, None]).astype(np.float64).cumsum(axis=1)
    points = uniform * cumulative[:, -1:]
    if len(points) == 1:  # in half of the time that many take
        tokens[0] = cumulative[0].searchsorted(points[0, 0], side="right")
        return tokens
    chosen: np.ndarray = (cumulative > points).argmax(axis=1)
    return chosen


def sample(
    decoder: Decoder,
    prompts: list[list[int]],
    config: GenerationConfig,
    *,
    seeds: Sequence[int],
    start: State,
    finished: Callable[[int, int], bool] | None = None,
    memory: Memory | None = None,
) -> Iterator[tuple[list[int], list[int], np.ndarray]]:
    """Yield, at each step, the unfinished rows, their new tokens, and the logits of these.

    The (rows, vocabulary) logits are those of the decoder, before the options change them, and overwritten by the next
    step. A row ends with EOS, when `finished` is true of its new token, or after `max_new_tokens`.

    Args:
        decoder: of the texts.
        prompts: token numbers of each row, at least BOS; at least one row.
        config: the options; `stop_strings`, `num_return_sequences` and `seed` are left to the caller.
        seeds: random seed of each row.
        start: the state before the first token, with a row for each prompt.
        finished: called with the number of a row and its new token; by default only EOS ends a row.
        memory: memory to attend to, with a row for each prompt.

    Raises:
        NonFiniteLogits: logits that are not finite.
    """
    logits, state = decoder.read(prompts, start, memory)
    history = History(prompts, decoder.vocab_size, config)
    process, randomness = processor(config, history), Randomness(seeds)
    rows, steps = list(range(len(prompts))), Steps(decoder, state, memory)
    done = finished or (lambda row, token: False)
    while True:
        chosen = choose(process(logits, rows), randomness.draw(rows) if config.do_sample else None)
        history.written += 1
        tokens: list[int] = chosen.tolist()
        history.add(rows, tokens)
        yield rows, tokens, logits
        going = [index for index, token in enumerate(tokens) if token != EOS and not done(rows[index], token)]
        if not going or history.written >= config.max_new_tokens:
            return
        if len(going) < len(rows):
            kept = np.array(going)
            rows, chosen = [rows[index] for index in going], chosen[kept]
            memory = None if memory is None else memory.select(kept)
            steps = Steps(decoder, selected(steps.state, kept), memory)
        logits = steps.step(chosen)


def sampled(
    decoder: Decoder,
    prompts: list[list[int]],
    config: GenerationConfig,
    *,
    start: State,
    memory: Memory | None = None,
) -> list[list[Hypothesis]]:
    """Return `num_return_sequences` sampled texts for each row, the best score first; rows are independent."""
    each = config.num_return_sequences
    rows = [row for row in range(len(prompts)) for _ in range(each)]
    tokens: list[list[int]] = [[] for _ in rows]
    logs = [0.0] * len(rows)
    steps = sample(
        decoder,
        [prompts[row] for row in rows],
        config,
        seeds=[row_seed(config, place % each) for place in range(len(rows))],
        start=selected(start, np.array(rows)),
        memory=None if memory is None else memory.select(np.array(rows)),
    )
    for places, chosen, logits in steps:
        of_chosen = log_softmax(logits)[range(len(chosen)), chosen].tolist()
        for place, token, log in zip(places, chosen, of_chosen, strict=True):
            tokens[place].append(token)
            logs[place] += log
    return best_first(rows, tokens, logs, config)
