"""The size that suits a time."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import load_recipe

from seqgen.runs.config import parse_options
from seqgen.runs.sizes import SIZES
from seqgen.runs.suitable_size import BESIDE, EPOCHS, rounded, suitable_size

CONFIG = load_recipe("translator").Config
OPTIONS = parse_options(CONFIG, [])
COST = {"tiny": 0.01, "small": 0.04, "medium": 0.2, "large": 0.7}  # seconds of an update


def chosen(seconds, slower=1.0, *, max_steps=None, batches=10**9):
    config = replace(OPTIONS, max_seconds=seconds, max_steps=max_steps)
    return suitable_size(config, lambda one: (slower * COST[one.size], batches))


@given(st.floats(0.1, 10**5), st.floats(0.1, 100))
def test_it_is_the_largest_that_makes_enough_updates(seconds, slower):
    found = chosen(seconds, slower)

    def enough(size):
        return seconds / (BESIDE * slower * COST[size]) >= CONFIG.sizes[size].updates

    assert enough(found.name)
    larger = SIZES[SIZES.index(found.name) + 1 :]
    assert not larger or not enough(larger[0])
    assert found.larger == (larger[0] if larger else None)


@given(st.floats(0.1, 10**5))
def test_the_time_that_the_next_size_needs_is_enough_for_it(seconds):
    found = chosen(seconds)
    if found.larger is not None:
        assert found.seconds > seconds
        assert chosen(found.seconds * 1.001).name == found.larger


@given(st.floats(0.1, 10**4), st.floats(1, 100))
def test_more_time_or_a_faster_machine_never_gives_a_smaller_one(seconds, more):
    small = SIZES.index(chosen(seconds).name)
    assert SIZES.index(chosen(seconds * more).name) >= small
    assert SIZES.index(chosen(seconds, 1 / more).name) >= small


def test_updates_that_are_limited_do_not_call_for_a_larger_model():
    assert chosen(10**5).name == "large"
    limited = chosen(10**5, max_steps=300)
    assert limited.name == "tiny"
    assert limited.larger is None


@given(st.integers(1, 10**6))
def test_few_data_do_not_call_for_a_larger_model(batches):
    found = chosen(10**6, batches=batches)
    assert EPOCHS * batches >= CONFIG.sizes[found.name].updates or found.name == "tiny"
    assert SIZES.index(chosen(10**6, batches=10 * batches).name) >= SIZES.index(found.name)
    assert found.larger is None


@pytest.mark.parametrize(("number", "text"), [(7.4, "7"), (58.2, "58"), (1289, "1,300"), (123456, "120,000")])
def test_numbers_have_two_digits(number, text):
    assert rounded(number) == text
