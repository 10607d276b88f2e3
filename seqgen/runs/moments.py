"""Moments of validation: soon after the start, and then at growing distances."""

from collections.abc import Iterator
from itertools import takewhile

from seqgen.training.loop import Progress
from seqgen.training.schedules import Schedule

FIRST_SECOND = 2.0  # to a small text a model overfits in seconds
FIRST_STEP = 25  # where no time is given
GROWTH = 0.35  # of the distance, as a fraction of what is done
FEWEST = 10  # the longest distance between two is this part of the training


def moments(total: float, first: float) -> Iterator[float]:
    """Yield the moments of a training of this length, in seconds or updates, without end."""
    moment = min(first, total / 4)
    while True:
        yield moment
        moment += min(max(GROWTH * moment, 1.0), total / FEWEST)


def is_due(schedule: Schedule, before: Progress, now: Progress) -> bool:
    """Return whether a moment lies between two updates: by the clock, or by updates where no time is given.

    By updates it depends on nothing else, so that an interrupted run validates when an uninterrupted one does.
    """
    if schedule.max_seconds is not None:
        return _passed(schedule.max_seconds, FIRST_SECOND, before.seconds, now.seconds)
    assert schedule.max_steps is not None  # a schedule has one or the other
    return _passed(schedule.max_steps, FIRST_STEP, before.steps, now.steps)


def _passed(total: float, first: float, before: float, now: float) -> bool:
    return any(moment > before for moment in takewhile(lambda moment: moment <= now, moments(total, first)))
