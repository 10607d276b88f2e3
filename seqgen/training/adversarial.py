"""Adversarial training: on the worst small perturbation of the embeddings."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from seqgen.state import State
from seqgen.symbols import PAD
from seqgen.training.losses import Loss, LossFunction


def adversarial(loss_function: LossFunction, size: float) -> LossFunction:
    """Return the mean of a loss and of the same loss with the perturbation of the embeddings that raises it most.

    Miyato et al. 2017, Adversarial Training Methods for Semi-Supervised Text Classification; here the norm of the
    perturbation is a fraction of that of the embeddings, so that they cannot escape it by growing.

    Args:
        loss_function: of a model whose encoder has an `embedding`, from (batch, steps) tokens to (batch, steps,
            features).
        size: norm of each row's perturbation, as a fraction of the norm of its embeddings.
    """

    def calculate(model: nn.Module, batch: Any, carry: State | None) -> Loss:
        embedding = model.get_submodule("encoder.embedding")  # of this model, which may be a copy that is measured
        with _recorded(embedding) as calls:
            loss = loss_function(model, batch, carry)
        if not torch.is_grad_enabled():
            return loss
        [(tokens, embedded)] = calls
        # The graph is retained for the backward pass of the loss itself.
        [direction] = torch.autograd.grad(loss.total, embedded, retain_graph=True)
        real = embedded.detach() * (tokens != PAD).unsqueeze(2)
        perturbation = size * _row_norms(real) * direction / _row_norms(direction).clamp(min=1e-12)
        with _perturbed(embedding, perturbation):
            perturbed = loss_function(model, batch, carry)
        return replace(loss, total=(loss.total + perturbed.total) / 2)

    return calculate


def _row_norms(x: Tensor) -> Tensor:
    norms: Tensor = torch.linalg.vector_norm(x, dim=(1, 2), keepdim=True, dtype=torch.float32)
    return norms


@contextmanager
def _recorded(embedding: nn.Module) -> Iterator[list[tuple[Tensor, Tensor]]]:
    calls: list[tuple[Tensor, Tensor]] = []
    hook = embedding.register_forward_hook(lambda module, inputs, output: calls.append((inputs[0], output)))
    try:
        yield calls
    finally:
        hook.remove()


@contextmanager
def _perturbed(embedding: nn.Module, perturbation: Tensor) -> Iterator[None]:
    hook = embedding.register_forward_hook(lambda module, inputs, output: output + perturbation)
    try:
        yield
    finally:
        hook.remove()
