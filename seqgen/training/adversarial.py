"""Adversarial training: on the worst small perturbation of the embeddings."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from seqgen.batches.semi_supervised import SemiSupervised
from seqgen.hardware.devices import unchanged_random_state
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
        embedding = _embedding(model)
        with _recorded(embedding) as calls:
            loss = loss_function(model, batch, carry)
        if not torch.is_grad_enabled():
            return loss
        [(tokens, embedded)] = calls
        # The graph is retained for the backward pass of the loss itself.
        [direction] = torch.autograd.grad(loss.total, embedded, retain_graph=True)
        with _perturbed(embedding, _of_size(size, direction, tokens, embedded)):
            perturbed = loss_function(model, batch, carry)
        return replace(loss, total=(loss.total + perturbed.total) / 2)

    return calculate


def virtual_adversarial(loss_function: LossFunction, size: float) -> LossFunction:
    """Return a loss and the divergence of answers from those with the perturbation that changes them most.

    The Kullback-Leibler divergence needs no labels (Miyato et al. 2017, as for `adversarial`). The direction that
    raises it most is found from a random one, by one step of the power method; all passes have the same dropout masks,
    so that nothing but the perturbation changes an answer.

    Args:
        loss_function: of a model as `adversarial` takes it, which gives (batch, classes) logits.
        size: norm of each row's perturbation, as a fraction of the norm of its embeddings.

    Returns:
        A loss function of `Examples`, or of `SemiSupervised` batches, whose unlabelled part alone then has the
        divergence.
    """

    def calculate(model: nn.Module, batch: Any, carry: State | None) -> Loss:
        labelled, inputs = batch, batch
        if isinstance(batch, SemiSupervised):
            labelled, inputs = batch
        loss = loss_function(model, labelled, carry)
        if not torch.is_grad_enabled():
            return loss
        embedding, device = _embedding(model), loss.total.device
        with unchanged_random_state(device), torch.no_grad(), _recorded(embedding) as calls:
            expected = _log_probabilities(model, inputs)
            [(tokens, embedded)] = calls
            any_direction = _of_size(size, torch.randn_like(embedded), tokens, embedded).requires_grad_()
        with unchanged_random_state(device), _perturbed(embedding, any_direction):
            found = _log_probabilities(model, inputs)
        [direction] = torch.autograd.grad(_divergence(expected, found), any_direction)
        with _perturbed(embedding, _of_size(size, direction, tokens, embedded)):
            divergence = _divergence(expected, _log_probabilities(model, inputs))
        return replace(loss, total=loss.total + loss.count * divergence)

    return calculate


def _log_probabilities(model: nn.Module, batch: Any) -> Tensor:
    logits: Tensor = model(*batch.inputs)
    return logits.float().log_softmax(dim=-1)


def _divergence(expected: Tensor, found: Tensor) -> Tensor:
    return (expected.exp() * (expected - found)).sum(dim=-1).mean()


def _embedding(model: nn.Module) -> nn.Module:
    """Return the embedding of this model, which may be a copy that is measured."""
    return model.get_submodule("encoder.embedding")


def _of_size(size: float, direction: Tensor, tokens: Tensor, embedded: Tensor) -> Tensor:
    """Return perturbations in a direction, whose norms are a fraction of those of the embeddings without padding."""
    real = (tokens != PAD).unsqueeze(2)
    direction = direction * real
    return size * _row_norms(embedded.detach() * real) * direction / _row_norms(direction).clamp(min=1e-12)


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
