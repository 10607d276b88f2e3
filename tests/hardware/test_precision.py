"""Precision and threads: what may be chosen from, what was asked for, and what is refused."""

import pytest
import torch

from seqgen.errors import InputError
from seqgen.hardware import precision as module
from seqgen.hardware.decisions import Decision
from seqgen.hardware.precision import Calculation, calculations, fastest_calculation, using_threads

CPU = torch.device("cpu")


@pytest.fixture
def four_threads():
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(1)


def test_what_was_asked_for_is_taken_and_its_time_is_known():
    calls = []
    found, decision = fastest_calculation("nothing", lambda: calls.append(1), CPU, "fp32", 1)
    assert found == Calculation("fp32", 1)
    assert list(decision.seconds) == [str(found)]
    assert decision.fastest >= 0
    assert calls


def test_threads_are_powers_of_two_up_to_what_torch_uses(four_threads, monkeypatch):
    monkeypatch.setattr(module, "is_worth_trying", lambda device: True)
    assert calculations(CPU) == [Calculation(name, count) for count in (4, 2, 1) for name in ("fp32", "bf16")]
    assert calculations(CPU, "fp32", 1) == [Calculation("fp32", 1)]
    torch.set_num_threads(3)
    assert [each.threads for each in calculations(CPU, "fp32")] == [3, 2, 1]


def test_the_operation_is_measured_in_each_way_and_the_fastest_is_applied(four_threads, monkeypatch):
    seen = set()
    monkeypatch.setattr(module, "is_worth_trying", lambda device: True)

    def operation():
        seen.add((torch.get_num_threads(), torch.is_autocast_enabled("cpu")))
        torch.ones(8, 8) @ torch.ones(8, 8)

    found, decision = fastest_calculation("a product", operation, CPU)
    assert seen == {(count, bf16) for count in (4, 2, 1) for bf16 in (False, True)}
    assert set(decision.seconds) == {str(each) for each in calculations(CPU)}
    with found.applied(CPU):
        assert torch.get_num_threads() == found.threads
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == {"fp32": torch.float32, "bf16": torch.bfloat16}[
            found.precision
        ]
    assert torch.get_num_threads() == 4


def test_more_threads_than_processors_are_refused():
    with pytest.raises(InputError, match="threads must be at most"):
        calculations(CPU, "fp32", 100_000)


def test_threads_are_restored_after_an_error(four_threads):
    with pytest.raises(ZeroDivisionError), using_threads(2):
        raise ZeroDivisionError
    assert torch.get_num_threads() == 4


@pytest.mark.parametrize(("bf16", "worth"), [(0.5, True), (3.9, True), (4.1, False), (None, False)])
def test_emulated_bf16_is_not_tried(bf16, worth, monkeypatch):
    seconds = {"fp32": 1.0} | ({} if bf16 is None else {"bf16": bf16})
    monkeypatch.setattr(module, "has_bf16", lambda device: True)
    monkeypatch.setattr(module, "decide", lambda question, candidates, device: Decision(question, "fp32", seconds))
    assert module.is_worth_trying(CPU) is worth


def test_asking_for_calculations_changes_no_random_numbers():
    torch.manual_seed(1)
    expected = torch.rand(2)
    torch.manual_seed(1)
    calculations(CPU)
    assert torch.equal(torch.rand(2), expected)


def test_bf16_is_refused_where_lstms_have_none(monkeypatch):
    def forward(self, *inputs):
        raise RuntimeError("could not create a primitive descriptor")

    monkeypatch.setattr(torch.nn.LSTM, "forward", forward)
    with pytest.raises(InputError, match="precision must be fp32 or auto on cpu"):
        calculations(CPU, "bf16")
    assert {each.precision for each in calculations(CPU)} == {"fp32"}
