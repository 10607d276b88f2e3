"""How far a training is, and what learning rate belongs there."""

import math
from dataclasses import dataclass

from seqgen.errors import InputError

DECAYS = ("linear", "cosine", "none")


@dataclass(frozen=True)
class Schedule:
    """Warm-up and then decay to zero, over steps, over seconds of wall-clock, or over what ends first.

    Args:
        max_steps: optimizer steps of the whole training.
        max_seconds: wall-clock seconds of the whole training, evaluation and samples included.
        warm_up: the share of the training in which the rate rises from zero.
        decay: "linear", "cosine" (Loshchilov and Hutter 2017, SGDR) or "none".

    Raises:
        InputError: neither limit is given, or one is not positive, or an unknown decay.
    """

    max_steps: int | None = None
    max_seconds: float | None = None
    warm_up: float = 0.02
    decay: str = "linear"

    def __post_init__(self) -> None:
        limits = [limit for limit in (self.max_steps, self.max_seconds) if limit is not None]
        if not limits or min(limits) <= 0:
            raise InputError(f"a positive max_steps or max_seconds is needed, not {limits or 'neither'}")
        if self.decay not in DECAYS:
            raise InputError(f"decay must be one of {', '.join(DECAYS)}, not {self.decay!r}")

    def progress(self, steps: int, seconds: float) -> float:
        """Return how much of the training is done: 0 at its start, 1 or more at its end."""
        by_steps = steps / self.max_steps if self.max_steps else 0.0
        by_clock = seconds / self.max_seconds if self.max_seconds else 0.0
        return max(by_steps, by_clock)

    def factor(self, progress: float) -> float:
        """Return what the learning rate is multiplied by at this progress."""
        if progress < self.warm_up:
            # The first step of a training must move too, so the warm-up does not begin at zero itself.
            return max(progress / self.warm_up, 0.01)
        done = min((progress - self.warm_up) / (1 - self.warm_up), 1.0)
        if self.decay == "linear":
            return 1 - done
        return (1 + math.cos(math.pi * done)) / 2 if self.decay == "cosine" else 1.0
