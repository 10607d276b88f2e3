"""The size that suits a time: the largest that makes enough updates in it."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from torch import nn

from seqgen.runs.config import RunConfig
from seqgen.runs.sizes import SIZES, Size

C = TypeVar("C", bound=RunConfig)

BESIDE = 1.4  # the time of validations and of what else there is, as a factor of that of the updates
FEW = 200  # updates below which a model has learned little
EPOCHS = 100  # after which there is nothing left to learn from the data


class Trial(NamedTuple):
    """A model of a size, a batch like those that it will be trained on, and the number of these in an epoch."""

    model: nn.Module
    batch: Any
    batches_per_epoch: float


class Suitable(NamedTuple):
    """A size, the updates that are expected of it, and the next larger one with the seconds that it would need."""

    name: Size
    updates: float
    larger: str | None = None
    seconds: float = 0.0

    def __str__(self) -> str:
        text = f"size {self.name}: about {rounded(self.updates)} updates"
        return text + (f"; {self.larger} would need {rounded(self.seconds)} seconds" if self.larger else "")


def suitable_size(config: C, measured: Callable[[C], tuple[float, float]]) -> Suitable:
    """Return the largest size that makes enough updates in `--max_seconds`, with data that are enough for them.

    Args:
        config: the options, with a time.
        measured: returns the seconds of an update with these options, and the number of batches in an epoch.
    """
    assert config.max_seconds is not None
    suitable: Suitable | None = None
    for name in SIZES:
        taken, batches = measured(config.of_size(name))
        seconds = BESIDE * config.accumulate * taken
        limit = min(config.max_steps or float("inf"), EPOCHS * batches / config.accumulate)
        updates, enough = config.max_seconds / seconds, config.sizes[name].updates
        if suitable is not None and min(updates, limit) < enough:
            return suitable._replace(larger=name, seconds=seconds * enough) if enough <= limit else suitable
        suitable = Suitable(name, min(updates, config.max_steps or updates))
    assert suitable is not None
    return suitable


def rounded(number: float) -> str:
    """Return a number with two digits, as text."""
    digits = max(len(str(int(number))) - 2, 0)
    return f"{round(number, -digits):,.0f}"
