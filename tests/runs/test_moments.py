"""When to validate."""

from itertools import pairwise, takewhile

from hypothesis import given
from hypothesis import strategies as st

from seqgen.runs.moments import FEWEST, FIRST_SECOND, FIRST_STEP, is_due, moments
from seqgen.training.loop import Progress
from seqgen.training.schedules import Schedule

totals = st.floats(1.0, 10**6)


def until_the_end(total, first):
    return list(takewhile(lambda moment: moment < total, moments(total, first)))


@given(totals)
def test_the_first_is_soon_and_the_distances_grow_up_to_a_part_of_the_training(total):
    found = until_the_end(total, FIRST_SECOND)
    assert 0 < found[0] <= FIRST_SECOND
    distances = [after - before for before, after in pairwise(found)]
    assert all(before <= after * 1.001 for before, after in pairwise(distances))
    assert all(distance <= total / FEWEST * 1.001 for distance in distances)
    assert total - found[-1] <= total / FEWEST * 1.001 or len(found) == 1


@given(st.integers(1, 3000), st.integers(1, 3000))
def test_by_updates_an_interruption_changes_nothing(total, interrupted_after):
    schedule = Schedule(max_steps=total)

    def due(first, last):
        steps = [Progress(steps=number, seconds=0.0) for number in range(first, last + 1)]
        return [after.steps for before, after in pairwise(steps) if is_due(schedule, before, after)]

    middle = min(interrupted_after, total)
    assert due(0, middle) + due(middle, total) == due(0, total)
    whole = due(0, total)
    assert whole[0] <= FIRST_STEP
    assert whole == sorted(set(whole))


@given(totals, st.lists(st.floats(0.001, 100), min_size=1, max_size=50))
def test_by_the_clock_each_moment_counts_once(total, durations):
    clock, ends = 0.0, [Progress()]
    for duration in durations:
        clock += duration
        ends.append(Progress(steps=len(ends), seconds=clock))
    schedule = Schedule(max_seconds=total)
    due = [(before.seconds, after.seconds) for before, after in pairwise(ends) if is_due(schedule, before, after)]
    passed = list(takewhile(lambda moment: moment <= clock, moments(total, FIRST_SECOND)))
    for begin, end in due:
        assert any(begin < moment <= end for moment in passed)
    assert all(any(begin < moment <= end for begin, end in due) for moment in passed)
