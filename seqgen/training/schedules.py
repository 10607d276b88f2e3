"""The schedule of training: its end, and the learning rate until then."""

import math
from dataclasses import KW_ONLY, dataclass

from seqgen.arguments import checked
from seqgen.errors import InputError

DECAYS = ("linear", "cosine", "none")


@checked
@dataclass(frozen=True)
class Schedule:
    """Warm-up and then decay of the learning rate, over updates, over wall-clock seconds, or over what ends first.

    Args:
        max_steps: maximum number of updates.
        max_seconds: maximum wall-clock time in seconds, validation and samples included.
        warm_up: fraction of training in which the learning rate rises.
        decay: to zero, "linear" or "cosine" (Loshchilov and Hutter 2017, SGDR), or "none".
        last_part: fraction of training, at its end, which begins at a factor of the maximum learning rate.
        last_rate: this factor, to which the learning rate decays until then; not used without a last part.

    Raises:
        InputError: neither limit is given, one is not positive, or an unknown decay.
    """

    max_steps: int | None = None
    max_seconds: float | None = None
    warm_up: float = 0.02
    decay: str = "linear"
    _: KW_ONLY
    last_part: float = 0.0
    last_rate: float = 0.1

    def __post_init__(self) -> None:
        limits = [limit for limit in (self.max_steps, self.max_seconds) if limit is not None]
        if not limits or min(limits) <= 0:
            raise InputError(f"max_steps or max_seconds must be given and positive, not {limits or 'neither'}")
        if self.decay not in DECAYS:
            raise InputError(f"decay must be one of {', '.join(DECAYS)}, not {self.decay!r}")
        for name in ("last_part", "last_rate"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} must be from 0 to 1, not {getattr(self, name)}")

    def progress(self, steps: int, seconds: float) -> float:
        """Return the fraction of training that is done: 0 at its start, 1 or more at its end."""
        by_steps = steps / self.max_steps if self.max_steps else 0.0
        by_clock = seconds / self.max_seconds if self.max_seconds else 0.0
        return max(by_steps, by_clock)

    def factor(self, progress: float) -> float:
        """Return the factor of the maximum learning rate at this progress."""
        if progress < self.warm_up:
            # The first update must change the weights, too, so the warm-up does not begin at zero itself.
            return max(progress / self.warm_up, 0.01)
        if not self.last_part:
            return self._decayed((progress - self.warm_up) / (1 - self.warm_up))
        begin = max(1 - self.last_part, self.warm_up)  # of the last part
        if progress < begin:
            done = (progress - self.warm_up) / (begin - self.warm_up)
            return self.last_rate + (1 - self.last_rate) * self._decayed(done)
        return self.last_rate * self._decayed((progress - begin) / (1 - begin))

    def _decayed(self, done: float) -> float:
        """Return the factor of the learning rate once this fraction of its decay is done."""
        if self.decay == "linear":
            return 1 - min(done, 1.0)
        return (1 + math.cos(math.pi * min(done, 1.0))) / 2 if self.decay == "cosine" else 1.0
