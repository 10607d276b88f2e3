"""Muon: what orthogonalized matrices are, and that shares of several processes make the same updates."""

import copy

import pytest
import torch

from seqgen.training import muon
from seqgen.training.muon import Muon, _shares, orthogonalized

SHAPES = [(64, 64), (256, 64), (64, 256), (1, 5), (5, 1), (3, 3)]


@pytest.mark.parametrize("shape", SHAPES)
def test_singular_values_come_near_one(shape):
    values = torch.linalg.svdvals(orthogonalized(torch.randn(shape)))
    assert values.max() < 2.1
    assert values.median() > 0.3


def test_singular_values_of_all_sizes_come_near_each_other():
    left, right = (torch.linalg.qr(torch.randn(256, 256))[0] for _ in range(2))
    sizes = torch.logspace(0, -1.5, 256)
    values = torch.linalg.svdvals(orthogonalized(left * sizes @ right))
    assert values.max() / values.quantile(0.1) < 0.4 * sizes.max() / sizes.quantile(0.1)


@pytest.mark.parametrize("shape", [(256, 64), (64, 256), (5, 1)])
@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_neither_scale_nor_orientation_matters(shape, scale):
    matrix = torch.randn(shape)
    expected = orthogonalized(matrix)
    torch.testing.assert_close(orthogonalized(matrix * scale), expected, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(orthogonalized(matrix.mT).mT, expected, rtol=1e-3, atol=1e-4)


def test_an_orthogonal_matrix_keeps_its_singular_vectors():
    matrix = torch.linalg.qr(torch.randn(40, 40))[0]
    result = orthogonalized(matrix)
    torch.testing.assert_close(result / result.norm() * 40**0.5, matrix, rtol=1e-3, atol=1e-3)


def test_a_wide_matrix_is_orthogonalized_in_blocks(monkeypatch):
    matrix = torch.randn(50, 21)
    monkeypatch.setattr(muon, "WIDEST", 8)
    result = orthogonalized(matrix)
    assert result.shape == matrix.shape
    for block, own in zip(result.split(7, dim=1), matrix.split(7, dim=1), strict=True):
        torch.testing.assert_close(block, orthogonalized(own))


def test_zeros_stay_zeros():
    assert torch.equal(orthogonalized(torch.zeros(5, 3)), torch.zeros(5, 3))


def test_products_in_bf16_are_within_its_rounding():
    matrix = torch.randn(256, 64)
    exact, rounded = orthogonalized(matrix), orthogonalized(matrix, torch.bfloat16)
    assert rounded.dtype == torch.float32
    assert 0 < (rounded - exact).norm() / exact.norm() < 0.1


def test_only_matrices_are_accepted():
    with pytest.raises(ValueError, match="Muon is for matrices, but a parameter has the shape \\(3,\\)"):
        Muon([torch.nn.Parameter(torch.zeros(3))])


def test_weights_without_a_gradient_stay_as_they_are():
    used, unused = (torch.nn.Parameter(torch.randn(4, 3)) for _ in range(2))
    before = unused.detach().clone()
    optimizer = Muon([used, unused], lr=0.1)
    used.square().sum().backward()
    optimizer.step()
    assert torch.equal(unused.detach(), before)


def test_a_restored_optimizer_makes_the_same_updates_in_the_same_precision():
    def updated(parameter, optimizer, times):
        for number in range(times):
            generator = torch.Generator().manual_seed(number)
            parameter.grad = torch.randn(parameter.shape, generator=generator)
            optimizer.step()

    first = torch.nn.Parameter(torch.ones(8, 6))
    optimizer = Muon([first])
    updated(first, optimizer, 2)
    second = torch.nn.Parameter(first.detach().clone())
    restored = Muon([second])
    restored.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    assert restored.param_groups[0]["precision"] == optimizer.param_groups[0]["precision"] is not None
    for parameter, each in ((first, optimizer), (second, restored)):
        updated(parameter, each, 2)
    assert torch.equal(first, second)


@pytest.mark.parametrize("processes", [1, 2, 3, 8])
def test_every_matrix_has_one_process_and_loads_are_balanced(processes):
    costs = [9, 7, 6, 5, 4, 3, 2, 2]
    owners = _shares(costs, processes)
    loads = [sum(cost for cost, owner in zip(costs, owners, strict=True) if owner == each) for each in range(processes)]
    assert sum(loads) == sum(costs)
    assert max(loads) - min(loads) <= max(costs)
