"""Muon: updates of matrices are orthogonalized, with few and small products of matrices."""

import math
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import torch
from torch import Tensor, distributed
from torch.optim import Optimizer

from seqgen.hardware.decisions import Operation, decide
from seqgen.hardware.precision import DTYPES, possible_precisions
from seqgen.training.transfer import transfer

# Amsel et al. 2025, The Polar Express, arXiv 2505.16932: the first two polynomials a x + b x^3 + c x^5 of those
# that bring singular values from 0.001 to 1 closest to 1. The input of the first is divided by 1.01 against rounding.
FIRST = 8.28721201814563 / 1.01, -23.595886519098837 / 1.01**3, 17.300387312530933 / 1.01**5
SECOND = 4.107059111542203, -2.9478499167379106, 0.5448431082926601

# Columns of the longer side; a matrix with more is cut into blocks: with a 512-wide LSTM an update then costs half as
# much, and learns no less. (Halves of 384 columns cost 0.003 to 0.008 nats a character after 700 updates.)
WIDEST = 384


def orthogonalized(matrix: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return a (rows, columns) matrix with singular values nearer to each other, and most of them near one.

    The columns of the longer side X are first divided by the square roots of the sums of |X^T X|, after which no
    singular value is above one, and small ones are larger than after a division by the norm (Boissin et al. 2025,
    Turbo-Muon, arXiv 2512.04632). Each polynomial a X + b X G + c X G^2 of the Gram matrix G = X^T X is then
    multiplied up on the shorter side, so that the longer one takes part in the first and the last product only. A wide
    matrix is orthogonalized in blocks of columns.

    Args:
        matrix: of any scale; zeros stay zeros.
        dtype: of the products.
    """
    if matrix.shape[0] < matrix.shape[1]:
        return orthogonalized(matrix.mT, dtype).mT
    if matrix.shape[1] > WIDEST:
        blocks = matrix.chunk(-(-matrix.shape[1] // WIDEST), dim=1)
        return torch.cat([orthogonalized(block, dtype) for block in blocks], dim=1)
    x = (matrix / matrix.norm().clamp(min=1e-30)).to(dtype)
    gram = x.mT @ x
    scale = gram.abs().sum(dim=1).clamp(min=1e-30).rsqrt()
    gram = gram * scale * scale.unsqueeze(1)
    first = _polynomial(gram, *FIRST)
    # All polynomials of the same matrix commute.
    second = _polynomial(first @ gram @ first, *SECOND)
    result: Tensor = (x @ (scale.unsqueeze(1) * (first @ second))).to(matrix.dtype)
    return result


def _polynomial(gram: Tensor, a: float, b: float, c: float) -> Tensor:
    """Return a I + b G + c G^2."""
    result = torch.addmm(gram, gram, gram, beta=b, alpha=c)
    result.diagonal().add_(a)
    return result


class Muon(Optimizer):
    """Momentum whose updates are orthogonalized, for the matrices of recurrent layers.

    Jordan et al. 2024, Muon: An optimizer for hidden layers in neural networks. With several processes each of them
    orthogonalizes a share of the matrices, and sends it to the others.

    Args:
        params: matrices, or groups of them.
        lr: learning rate; multiplied by the square root of rows over columns where there are more rows.
        weight_decay: fraction of the weights that an update subtracts, times the learning rate.
        momentum: decay of the average of gradients, with Nesterov's look ahead.

    Raises:
        ValueError: a parameter that is no matrix.
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 0.05, weight_decay: float = 0.1, momentum: float = 0.95
    ) -> None:
        # The precision of the products is decided at the first update, and kept in checkpoints.
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum, "precision": None})
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.ndim != 2:
                    raise ValueError(f"Muon is for matrices, but a parameter has the shape {tuple(parameter.shape)}")

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Make an update."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        matrices = [
            (group, parameter)
            for group in self.param_groups
            for parameter in group["params"]
            if parameter.grad is not None
        ]
        directions = [self._direction(group["momentum"], parameter) for group, parameter in matrices]
        self._decide(directions)
        for (group, parameter), update in zip(matrices, self._orthogonalized(directions), strict=True):
            rows, columns = parameter.shape
            parameter.mul_(1 - group["lr"] * group["weight_decay"])
            parameter.add_(update, alpha=-group["lr"] * math.sqrt(max(1.0, rows / columns)))
        return loss

    def _direction(self, momentum: float, parameter: Tensor) -> Tensor:
        assert parameter.grad is not None
        state = self.state[parameter]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(parameter.grad)
        state["momentum"].lerp_(parameter.grad, 1 - momentum)
        return parameter.grad.lerp(state["momentum"], momentum)

    def _decide(self, directions: list[Tensor]) -> None:
        """Decide the precision of the products, once, by orthogonalizing these matrices."""
        if not directions or self.param_groups[0]["precision"] is not None:
            return
        device = directions[0].device

        def prepare(precision: str) -> Operation:
            return lambda: [orthogonalized(each, DTYPES[precision]) for each in directions]

        shapes = ", ".join(f"{rows} x {columns}" for rows, columns in (each.shape for each in directions))
        candidates = {precision: partial(prepare, precision) for precision in possible_precisions("auto", device)}
        choice = [decide(f"orthogonalizing matrices of {shapes}", candidates, device).choice]
        if distributed.is_initialized():  # processes that measured may have found different ones
            distributed.broadcast_object_list(choice)
        for group in self.param_groups:
            group["precision"] = choice[0]

    def _orthogonalized(self, directions: list[Tensor]) -> list[Tensor]:
        """Return all updates; with several processes each calculates its own share, the costliest matrices first."""
        dtype = DTYPES[self.param_groups[0]["precision"]] if directions else torch.float32
        processes = distributed.get_world_size() if distributed.is_initialized() else 1
        if processes == 1:
            return [orthogonalized(each, dtype) for each in directions]
        costs = [each.numel() * min(each.shape) for each in directions]
        owners, rank = _shares(costs, processes), distributed.get_rank()
        updates = [
            orthogonalized(each, dtype) if owner == rank else torch.empty_like(each)
            for each, owner in zip(directions, owners, strict=True)
        ]
        for process in range(processes):
            share = [update for update, owner in zip(updates, owners, strict=True) if owner == process]
            transfer(partial(distributed.broadcast, src=process), share)
        return updates


def _shares(costs: list[int], processes: int) -> list[int]:
    """Return the process that calculates each matrix, so that the sums of costs are about the same."""
    owners, loads = [0] * len(costs), [0] * processes
    for index in sorted(range(len(costs)), key=lambda index: -costs[index]):
        owners[index] = loads.index(min(loads))
        loads[owners[index]] += costs[index]
    return owners
