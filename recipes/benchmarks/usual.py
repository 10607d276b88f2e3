"""The usual updates of a generator and of a translator, with each optimizer, and the time that the optimizers take."""

import statistics
from collections.abc import Callable
from functools import partial
from itertools import repeat
from typing import Any

import numpy as np
import torch
from measuring import Plain, columns, in_turns
from torch import nn
from updates import calculation, generator, plain_update, seconds_of, updates, window

from seqgen import patterns
from seqgen.batches.padded import padded
from seqgen.batches.pairs import Pairs, pairs
from seqgen.symbols import UNK
from seqgen.training.losses import LossFunction, next_token, target_tokens
from seqgen.training.optimizers import optimizers

USUAL = (384, 64), (512, 32)  # hidden states and rows of LSTMs; the first are the defaults of char_generator
WORDS = 6000  # of the translator
TRANSLATED = 60, 120  # pairs of its batches: 2,000 tokens of both sides, its default, or of each side


def usual_updates(steps: int, rounds: int, device: torch.device) -> list[dict[str, Any]]:
    """Return a row for each usual update, of generators and of translators."""
    rows = []
    for width, lanes in USUAL:
        build, batch = partial(generator, device, hidden_size=width), window(lanes, steps, device)
        name, plain = f"1 x {width} LSTM, {lanes} x {steps} tokens", plain_update(Plain(build()).to(device), batch)
        rows.append(with_optimizers(name, build, batch, next_token, rounds, plain))

    def translator() -> nn.Module:
        return patterns.translator(WORDS).to(device)

    smooth = partial(target_tokens, label_smoothing=0.1)  # as the recipe's
    for count in TRANSLATED:
        name = f"translator, {count} pairs"
        rows.append(with_optimizers(name, translator, bucket(count).to(device), smooth, rounds))
    return rows


def with_optimizers(
    name: str,
    build: Callable[[], nn.Module],
    batch: Any,
    loss_function: LossFunction,
    rounds: int,
    plain: Callable[[], None] | None = None,
) -> dict[str, Any]:
    """Return the milliseconds of an update with each optimizer, and those of the optimizer alone."""
    chosen = calculation("auto", name, build(), batch, loss_function)
    systems = {} if plain is None else {"plain": plain}
    inside = {}
    for optimizer in ("adamw", "muon"):
        model = build()
        trainers = optimizers(model, optimizer)
        inside[optimizer] = seconds_of(trainers)
        systems[optimizer] = updates(model, repeat(batch), trainers, chosen, loss_function)
    seconds = in_turns(systems, rounds)
    alone = {name: statistics.median(taken[1:]) for name, taken in inside.items()}  # the first one warms up
    return {
        "update": name,
        "chosen": str(chosen),
        **columns("ms", {system: 1e3 * taken for system, taken in seconds.items()}, ["plain", *inside]),
        "muon ratio": seconds["plain"] / seconds["muon"] if plain else None,
        **columns("step() ms", {optimizer: 1e3 * taken for optimizer, taken in alone.items()}, list(inside)),
        **columns("step() share", {name: taken / seconds[name] for name, taken in alone.items()}, list(inside)),
    }


def bucket(count: int) -> Pairs:
    """Return random pairs like a bucket of Multi30k's of mean length: 17 source tokens and 16 target tokens."""
    random = np.random.default_rng(0)
    lengths = random.normal(17, 2, count).round().clip(10, 24).astype(int)
    # EOS is the last of the source tokens; pairs of a bucket have about the same number of tokens of both sides.
    sources, targets = (
        [random.integers(UNK + 1, WORDS, length) for length in side] for side in (lengths, 32 - lengths)
    )
    return pairs((torch.from_numpy(padded(sources)),), targets)
