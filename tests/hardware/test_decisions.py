"""Decisions: the fastest candidate is chosen, once, and every process goes by what is kept."""

import json
import os
import random
import time
from pathlib import Path

import pytest
import torch
from running import CONTEXT, forked

from seqgen.errors import InputError
from seqgen.files import cache_directory
from seqgen.hardware import decisions
from seqgen.hardware.decisions import decide, forget, noted

CPU = torch.device("cpu")


class Clock:
    """A clock that only the operations of these tests move on."""

    now = 0.0

    def perf_counter(self):
        return self.now

    process_time = perf_counter


@pytest.fixture(autouse=True)
def quick_decisions():
    """Decisions are made here as they are elsewhere."""


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    monkeypatch.setattr(decisions, "time", Clock())


def taking(milliseconds, calls=None):
    """Return a candidate whose operation takes so long."""

    def prepare():
        def operation():
            if calls is not None:
                calls.append(milliseconds)
            decisions.time.now += milliseconds / 1000

        return operation

    return prepare


def unsupported():
    raise RuntimeError("could not create a primitive")


def kept():
    return list((cache_directory() / "decisions").glob("*/*.json"))


def forgotten(monkeypatch):
    """As in another process."""
    monkeypatch.setattr(decisions, "_KNOWN", {})


def test_the_fastest_is_chosen():
    assert decide("sleep", {"slow": taking(9), "fast": taking(3), "middle": taking(6)}, CPU).choice == "fast"


def test_the_first_is_preferred_unless_another_is_clearly_faster():
    assert decide("a tie", {"first": taking(1), "second": taking(0.99)}, CPU).choice == "first"
    assert decide("no tie", {"first": taking(1), "second": taking(0.9)}, CPU).choice == "second"


def test_a_handicap_must_be_overcome():
    for milliseconds, choice in ((9, "usual"), (8, "handicapped")):
        candidates = {"usual": taking(10), "handicapped": taking(milliseconds)}
        assert decide(f"{milliseconds}", candidates, CPU, {"handicapped": 1.15}).choice == choice


def test_what_a_device_does_not_support_is_not_chosen():
    decision = decide("sleep", {"missing": unsupported, "there": taking(1)}, CPU)
    assert decision.choice == "there"
    assert list(decision.seconds) == ["there"]
    with pytest.raises(RuntimeError, match="nothing: cpu supports none of missing"):
        decide("nothing", {"missing": unsupported}, CPU)


def too_large():
    raise torch.OutOfMemoryError("CUDA out of memory")


def test_what_does_not_fit_is_not_chosen_and_a_sentence_where_nothing_does():
    assert decide("a large sum", {"large": too_large, "small": taking(9)}, CPU).choice == "small"
    with pytest.raises(InputError, match="a larger sum must fit the memory of cpu, but it does not: choose smaller"):
        decide("a larger sum", {"large": too_large, "unsupported": unsupported}, CPU)


def test_it_is_measured_once_and_then_kept(monkeypatch):
    calls = []
    candidates = {"slow": taking(4, calls), "fast": taking(1, calls)}
    decide("sleep", candidates, CPU)
    measured = len(calls)
    forgotten(monkeypatch)
    swapped = {"slow": taking(1, calls), "fast": taking(4, calls)}
    assert decide("sleep", swapped, CPU).choice == "fast"
    assert len(calls) == measured > 2
    assert decide("another sleep", swapped, CPU).choice == "slow"


@pytest.mark.parametrize(("share", "busy"), [(1.0, False), (0.5, True)])
def test_other_programs_are_noticed_by_the_time_that_they_take(share, busy, clock, monkeypatch):
    monkeypatch.setattr(decisions.time, "process_time", lambda: share * decisions.time.now)
    monkeypatch.setattr(torch.Tensor, "__matmul__", lambda one, other: taking(1)()())
    decision = decide("sleep", {"slow": taking(4), "fast": taking(1)}, CPU)
    assert decision.busy is busy
    assert ("other programs" in str(decision)) is busy


def test_a_hopeless_candidate_is_soon_left_alone():
    calls = []
    decide("sleep", {"fast": taking(1), "hopeless": taking(300, calls)}, CPU)
    assert len(calls) == 1


def test_a_damaged_decision_is_made_again(monkeypatch):
    candidates = {"slow": taking(4), "fast": taking(1)}
    decide("sleep", candidates, CPU)
    [path] = kept()
    whole = path.read_text()
    times = [{"slow": 1.0, "fast": time} for time in (-1.0, 1e9, float("nan"), "0.1", None, True)]
    odd = [("choice", "other"), ("choice", ["fast"]), ("question", "another"), ("question", 1), ("busy", "yes")]
    odd += [("seconds", seconds) for seconds in (*times, [0.1], "fast", None)]
    texts = ["", whole[:20], "[]", "[" * 100_000, "\0" * len(whole)]
    for damaged in (*texts, *(json.dumps({**json.loads(whole), **dict([one])}) for one in odd)):
        path.write_text(damaged)
        forgotten(monkeypatch)
        assert decide("sleep", candidates, CPU).choice == "fast"
        made = json.loads(path.read_text())
        assert (made["question"], made["choice"], set(made["seconds"])) == ("sleep", "fast", {"slow", "fast"})


def test_another_number_of_threads_is_another_decision():
    candidates = {"slow": taking(2), "fast": taking(1)}
    decide("sleep", candidates, CPU)
    torch.set_num_threads(2)
    try:
        decide("sleep", candidates, CPU)
    finally:
        torch.set_num_threads(1)
    assert len(kept()) == 2


def test_the_number_of_threads_is_restored():
    def prepare():
        torch.set_num_threads(3)
        return taking(1)()

    decide("threads", {"three": prepare}, CPU)
    assert torch.get_num_threads() == 1


def test_measuring_changes_no_random_numbers():
    def prepare():
        torch.rand(5)
        return lambda: (torch.rand(3), taking(1)()())

    torch.manual_seed(1)
    expected = torch.rand(2)
    torch.manual_seed(1)
    decide("random numbers", {"random": prepare}, CPU)
    assert torch.equal(torch.rand(2), expected)


def test_without_a_cache_a_decision_holds_for_the_process(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    calls = []
    for _ in range(2):
        assert decide("sleep", {"slow": taking(3), "fast": taking(1, calls)}, CPU).choice == "fast"
        measured = len(calls)
    assert measured == len(calls)


def test_what_is_forgotten_is_measured_again(monkeypatch):
    decide("sleep", {"slow": taking(4), "fast": taking(1)}, CPU)
    swapped = {"slow": taking(1), "fast": taking(4)}
    assert decide("sleep", swapped, CPU).choice == "fast"
    assert forget(CPU) == 1
    assert not kept()
    assert decide("sleep", swapped, CPU).choice == "slow"


def test_decisions_are_noted_whether_they_are_made_or_kept():
    candidates = {"slow": taking(4), "fast": taking(1)}
    made = decide("sleep", candidates, CPU)
    with noted() as outer:
        decide("sleep", candidates, CPU)
        with noted() as inner:
            other = decide("another sleep", candidates, CPU)
    decide("a third sleep", candidates, CPU)
    assert outer == [made, other]
    assert inner == [other]


def test_all_that_is_kept_is_listed_also_one_question_about_several_candidates():
    made = [decide("sleep", {name: taking(1), "slow": taking(3)}, CPU) for name in ("one", "other")]
    assert sorted(decisions.decisions(CPU), key=str) == sorted(made, key=str)


def decide_by_luck(cache, answers):
    os.environ["XDG_CACHE_HOME"] = cache
    torch.set_num_threads(1)

    def candidate():
        seconds = random.uniform(0, 0.002)
        return lambda: time.sleep(seconds)

    answers.put(decide("luck", dict.fromkeys("abcd", candidate), CPU).choice)


@pytest.mark.processes
def test_processes_that_measure_at_the_same_time_agree():
    answers = CONTEXT.Queue()
    running = [forked(decide_by_luck, os.environ["XDG_CACHE_HOME"], answers) for _ in range(4)]
    assert len({answers.get(timeout=60) for _ in running}) == 1
    for process in running:
        process.join()
    [path] = kept()
    assert not [other for other in Path(path).parent.iterdir() if other != path]
