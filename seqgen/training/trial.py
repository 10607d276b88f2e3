"""An update on one batch: what the precision, the threads and the size of a training are decided by."""

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from seqgen.hardware.decisions import Operation
from seqgen.hardware.devices import memory_of
from seqgen.hardware.memory import FLOAT, require_memory
from seqgen.training.losses import LossFunction
from seqgen.training.optimizers import set_learning_rates


def update(
    name: str, model: nn.Module, batch: Any, loss_function: LossFunction, trainers: list[Optimizer]
) -> tuple[str, Operation]:
    """Return the question and the operation for `fastest_calculation`: an update on a batch of this shape.

    Args:
        name: of what is trained.
        model: in training mode; the operation leaves it without gradients, and its weights unchanged.
        batch: on the device of the model.
        loss_function: of the model, the batch, and no state before it.
        trainers: the optimizers of the model; none for the forward and backward pass alone.

    Raises:
        InputError: it does not fit the memory.
    """
    parameters = sum(parameter.numel() for parameter in model.parameters())
    shapes = list(_shapes(batch))
    _require_memory(model, max(math.prod(shape) for shape in shapes if len(shape) < 3))
    if trainers:
        set_learning_rates(trainers, 0.0)

    def calculate() -> None:
        torch.autograd.backward(loss_function(model, batch, None).total)
        for optimizer in trainers:
            optimizer.step()
        model.zero_grad()

    alone = "" if trainers else ", without optimizers"
    shown = ", ".join(" x ".join(map(str, shape)) for shape in shapes)
    return f"{name} of {parameters:,} parameters, batches of {shown}{alone}", calculate


def _require_memory(model: nn.Module, tokens: int) -> None:
    """Require memory for a gradient, a momentum and an average of each weight, and for the gates of each token."""
    weights = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    gates = sum(len(layer.all_weights[0][1]) for layer in model.modules() if isinstance(layer, nn.RNNBase))
    needed, device = FLOAT * (3 * weights + gates * tokens), next(model.parameters()).device
    require_memory(needed, f"an update of {weights:,} weights by {tokens:,} tokens", memory_of(device))


def _shapes(batch: Any) -> Iterator[tuple[int, ...]]:
    """Yield the shapes of the tensors of a batch, which may be nested tuples."""
    if isinstance(batch, Tensor):
        yield tuple(batch.shape)
    elif isinstance(batch, tuple):
        for part in batch:
            yield from _shapes(part)
