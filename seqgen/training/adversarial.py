"""Training against the worst small change of the embeddings."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from seqgen.state import State
from seqgen.symbols import PAD
from seqgen.training.losses import Loss, LossFunction


def adversarial(loss_function: LossFunction, embedding: nn.Module, size: float) -> LossFunction:
    """Return the mean of a loss and of the same loss where the embeddings are moved so that it rises most.

    Miyato et al. 2017, Adversarial Training Methods for Semi-Supervised Text Classification; here the size of the
    change is a share of what is changed, so that embeddings cannot escape it by growing.

    Args:
        loss_function: of a model that reads its inputs by `embedding`.
        embedding: gives (batch, steps, features) for (batch, steps) tokens.
        size: the norm of each row's change, as a share of the norm of its embeddings.
    """

    def calculate(model: nn.Module, batch: Any, carry: State | None) -> Loss:
        with _watched(embedding) as found:
            loss = loss_function(model, batch, carry)
        if not torch.is_grad_enabled():
            return loss
        [(tokens, embedded)] = found
        # Kept for the backward pass of the loss itself, which goes the same way once more.
        [direction] = torch.autograd.grad(loss.total, embedded, retain_graph=True)
        real = embedded.detach() * (tokens != PAD).unsqueeze(2)
        change = size * _row_norms(real) * direction / _row_norms(direction).clamp(min=1e-12)
        with _moved(embedding, change):
            moved = loss_function(model, batch, carry)
        return replace(loss, total=(loss.total + moved.total) / 2)

    return calculate


def _row_norms(x: Tensor) -> Tensor:
    norms: Tensor = torch.linalg.vector_norm(x, dim=(1, 2), keepdim=True, dtype=torch.float32)
    return norms


@contextmanager
def _watched(embedding: nn.Module) -> Iterator[list[tuple[Tensor, Tensor]]]:
    found: list[tuple[Tensor, Tensor]] = []
    hook = embedding.register_forward_hook(lambda module, inputs, output: found.append((inputs[0], output)))
    try:
        yield found
    finally:
        hook.remove()


@contextmanager
def _moved(embedding: nn.Module, change: Tensor) -> Iterator[None]:
    hook = embedding.register_forward_hook(lambda module, inputs, output: output + change)
    try:
        yield
    finally:
        hook.remove()
