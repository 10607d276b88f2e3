"""The size that suits a time: the largest that makes enough updates in it."""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from seqgen.runs.config import RunConfig
from seqgen.runs.sizes import SIZES, Size

C = TypeVar("C", bound=RunConfig)

BESIDE = 1.4  # the time of validations and of what else there is, as a factor of that of the updates
FEW = 200  # updates below which a model has learned little


class Suitable(NamedTuple):
    """A size, the updates that are expected of it, and the next larger one with the seconds that it would need."""

    name: Size
    updates: float
    larger: str | None = None
    seconds: float = 0.0

    def __str__(self) -> str:
        text = f"size {self.name}: about {rounded(self.updates)} updates"
        return text + (f"; {self.larger} would need {rounded(self.seconds)} seconds" if self.larger else "")


def suitable_size(config: C, seconds_of: Callable[[C], float]) -> Suitable:
    """Return the largest size that makes enough updates in `--max_seconds`.

    Args:
        config: the options, with a time.
        seconds_of: measures an update with these options, in seconds.
    """
    assert config.max_seconds is not None
    limit = config.max_steps or float("inf")
    suitable: Suitable | None = None
    for name in SIZES:
        seconds = BESIDE * config.accumulate * seconds_of(config.of_size(name))
        updates = min(config.max_seconds / seconds, limit)
        enough = config.sizes[name].updates
        if suitable is not None and updates < enough:
            return suitable._replace(larger=name, seconds=seconds * enough) if enough <= limit else suitable
        suitable = Suitable(name, updates)
    assert suitable is not None
    return suitable


def rounded(number: float) -> str:
    """Return a number with two digits, as text."""
    digits = max(len(str(int(number))) - 2, 0)
    return f"{round(number, -digits):,.0f}"
