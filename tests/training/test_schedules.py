"""Schedules: their learning rate is continuous, rises, falls, and ends at zero; and impossible ones."""

import numpy as np
import pytest

from seqgen.errors import InputError
from seqgen.training.schedules import Schedule

TIMES = np.linspace(0, 1, 2001)
PARTS = [{}, {"last_part": 0.35}, {"last_part": 0.5, "last_rate": 0.9}, {"last_part": 0.99}]


@pytest.mark.parametrize("decay", ["linear", "cosine"])
@pytest.mark.parametrize("part", PARTS)
def test_the_learning_rate_rises_to_its_maximum_and_falls_to_zero_without_a_jump(decay, part):
    schedule = Schedule(max_steps=1000, decay=decay, warm_up=0.005, **part)
    factors = np.array([schedule.factor(time) for time in TIMES])
    top = factors.argmax()
    assert factors[top] == pytest.approx(1)
    assert (np.diff(factors[: top + 1]) > 0).all()
    assert (np.diff(factors[top:]) <= 1e-12).all()
    assert factors[-1] == pytest.approx(0, abs=1e-12)
    assert np.abs(np.diff(factors[top:])).max() < 0.2


@pytest.mark.parametrize("decay", ["linear", "cosine", "none"])
@pytest.mark.parametrize(("part", "rate"), [(0.35, 0.1), (0.6, 0.8), (0.2, 1.0)])
def test_the_last_part_begins_with_its_own_learning_rate(decay, part, rate):
    schedule = Schedule(max_seconds=10, decay=decay, last_part=part, last_rate=rate)
    assert schedule.factor(1 - part) == pytest.approx(rate)
    before, after = schedule.factor(1 - part - 0.01), schedule.factor(1 - part + 0.01)
    assert before >= rate >= after


def test_a_last_part_with_the_rate_of_a_linear_decay_changes_nothing():
    usual = Schedule(max_steps=9, warm_up=0)
    for time in TIMES:
        same = Schedule(max_steps=9, warm_up=0, last_part=0.3, last_rate=0.3)
        assert same.factor(time) == pytest.approx(usual.factor(time), abs=1e-12)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({}, "max_steps or max_seconds must be given"),
        ({"max_steps": 0}, "must be given and positive, not .0"),
        ({"max_steps": 1, "decay": "lineal"}, "decay must be one of linear, cosine, none, not 'lineal'"),
        ({"max_steps": 1, "last_part": 1.5}, "last_part must be from 0 to 1, not 1.5"),
        ({"max_steps": 1, "last_rate": -0.1}, "last_rate must be from 0 to 1, not -0.1"),
    ],
)
def test_an_impossible_schedule_is_a_sentence(options, sentence):
    with pytest.raises(InputError, match=sentence):
        Schedule(**options)
