"""The forward and backward pass of an update: what the precision and the threads of a training are decided by."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from seqgen.hardware.decisions import Operation
from seqgen.training.losses import LossFunction


def passes(name: str, model: nn.Module, batch: Any, loss_function: LossFunction) -> tuple[str, Operation]:
    """Return the question and the operation for `fastest_calculation`: the gradients of a batch of this shape.

    Args:
        name: of what is trained.
        model: in training mode; the operation leaves it without gradients.
        batch: on the device of the model.
        loss_function: of the model, the batch, and no state before it.
    """

    def calculate() -> None:
        torch.autograd.backward(loss_function(model, batch, None).total)
        model.zero_grad()

    parameters = sum(parameter.numel() for parameter in model.parameters())
    shapes = ", ".join(" x ".join(map(str, shape)) for shape in _shapes(batch))
    return f"{name} of {parameters:,} parameters, batches of {shapes}", calculate


def _shapes(batch: Any) -> Iterator[tuple[int, ...]]:
    """Yield the shapes of the tensors of a batch, which may be nested tuples."""
    if isinstance(batch, Tensor):
        yield tuple(batch.shape)
    elif isinstance(batch, tuple):
        for part in batch:
            yield from _shapes(part)
