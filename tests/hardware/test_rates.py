"""Rates of matrix products."""

import pytest
import torch

from seqgen.hardware import rates
from seqgen.hardware.rates import product_rate

CPU = torch.device("cpu")


@pytest.mark.parametrize(("seconds", "size"), [(1.0, 128), (1e-3, 1024), (1e-9, 8192)])
def test_the_largest_product_is_measured_that_takes_no_longer_than_asked(monkeypatch, seconds, size):
    measured = []

    def taken(matrix):
        measured.append(len(matrix))
        return seconds * (len(matrix) / 128) ** 3

    monkeypatch.setattr(torch, "randn", lambda rows, columns, device: torch.empty(rows, columns, device="meta"))
    monkeypatch.setattr(rates, "_seconds", taken)
    assert product_rate(CPU, torch.float32, longest=1.0) == pytest.approx(2 * 128**3 / seconds)
    assert max(measured) == size


def test_measuring_changes_no_random_numbers():
    torch.manual_seed(1)
    expected = torch.rand(2)
    torch.manual_seed(1)
    assert product_rate(CPU, torch.bfloat16, longest=0.0) > 0
    assert torch.equal(torch.rand(2), expected)
