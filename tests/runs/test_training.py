"""The fractions of a training that an update passes."""

import itertools
from types import SimpleNamespace

from seqgen.runs.training import Training


def test_each_fraction_is_crossed_once_and_the_end_never():
    ends = [0.0, 0.3, 0.5, 0.9, 1.02]  # of updates by the clock
    updates = [SimpleNamespace(before=before, done=done) for before, done in itertools.pairwise(ends)]
    for fraction in (0.0, 0.1, 0.5, 0.95):
        assert sum(Training.crosses(update, fraction) for update in updates) == 1
    assert not any(Training.crosses(update, 1.0) for update in updates)
