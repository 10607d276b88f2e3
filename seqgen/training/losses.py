"""Losses as a sum and a count, so that averages over unequal batches stay exact."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from seqgen.arguments import checked
from seqgen.batches.examples import IGNORED, Examples
from seqgen.batches.pairs import Pairs
from seqgen.batches.windows import Batch
from seqgen.protocols import Factored
from seqgen.settings import evaluating
from seqgen.state import AnyState, State
from seqgen.symbols import PAD
from seqgen.training.cross_entropy import linear_cross_entropy, sampled_cross_entropy


@checked
@dataclass(frozen=True, slots=True)
class Loss:
    """A batch's loss: `total` and `count` are 0-dimensional, `carry` is the hidden state for the next batch."""

    total: Tensor
    count: Tensor
    carry: AnyState | None = None


# Of a model, a batch of any kind, and the state after the batch before it.
LossFunction = Callable[[nn.Module, Any, Any], Loss]


@checked
def next_token(
    model: nn.Module,
    batch: Batch,
    carry: AnyState | None = None,
    *,
    label_smoothing: float = 0.0,
    shares: Tensor | None = None,
) -> Loss:
    """Return the cross-entropy of each next token, in nats.

    Args:
        model: gives (batch, steps, vocabulary) logits and a state for (batch, steps) tokens and a state.
        batch: a window.
        carry: the state after the window before; ignored where the rows of the batch begin.
        label_smoothing: probability spread evenly over all tokens (Szegedy et al. 2016, Rethinking the Inception
            Architecture for Computer Vision).
        shares: (vocabulary,) probability of sampling each token for an estimate of the loss, which is cheaper for large
            vocabularies (`cross_entropy.sampling_shares`); by default the loss is exact.
    """
    before = None if batch.starts else carry
    if isinstance(model, Factored) and (layer := model.output_layer()) is not None:
        features, state = model.output_features(batch.inputs, before)
        total = output_cross_entropy(layer, features, batch.targets, label_smoothing, shares)
    else:
        logits, state = model(batch.inputs, before)
        total = _from_logits(logits, batch.targets, label_smoothing)
    return Loss(total, (batch.targets != PAD).sum(), state)


def output_cross_entropy(
    layer: nn.Linear, features: Tensor, targets: Tensor, label_smoothing: float = 0.0, shares: Tensor | None = None
) -> Tensor:
    """Return the summed cross-entropy, in nats, of an output layer's logits.

    Args:
        layer: from features to the vocabulary.
        features: (batch, steps, features) input of the layer.
        targets: (batch, steps) token numbers, PAD where there is no target.
        label_smoothing: as `next_token` takes it.
        shares: as `next_token` takes them.
    """
    if shares is not None:
        real = targets != PAD
        return sampled_cross_entropy(features[real], layer, targets[real], shares)
    features, targets = _compact(features, targets)
    return linear_cross_entropy(features, layer, targets, label_smoothing)


def _from_logits(logits: Tensor, targets: Tensor, label_smoothing: float) -> Tensor:
    logits, targets = _compact(logits, targets)
    return functional.cross_entropy(
        logits, targets, ignore_index=IGNORED, reduction="sum", label_smoothing=label_smoothing
    )


def _compact(x: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return the positions with a target; on a GPU, which the CPU would wait for, all of them, and IGNORED targets."""
    real = targets != PAD
    if x.device.type == "cpu":
        return x[real], targets[real]
    return x.flatten(0, 1), targets.masked_fill(~real, IGNORED).flatten()


@checked
def target_tokens(
    model: nn.Module,
    batch: Pairs,
    carry: State | None = None,
    *,
    label_smoothing: float = 0.0,
    scheduled_sampling: float = 0.0,
    doubly_stochastic: float = 0.0,
) -> Loss:
    """Return the cross-entropy of each target token, in nats, with teacher forcing.

    Args:
        model: gives (batch, steps, vocabulary) logits for inputs and the tokens before.
        batch: inputs and targets.
        carry: not used, as batches are independent.
        label_smoothing: probability spread evenly over all tokens.
        scheduled_sampling: probability of feeding the model's own prediction instead of the target token, in a second
            pass (Bengio et al. 2015, Scheduled Sampling; in parallel as Duckworth et al. 2019, Parallel Scheduled
            Sampling). An update then takes nearly twice as long.
        doubly_stochastic: weight of the penalty drawing each position's total attention to one (Xu et al. 2015, Show,
            Attend and Tell).
    """
    tokens = (
        _mixed_with_predictions(model, batch, scheduled_sampling)
        if scheduled_sampling and torch.is_grad_enabled()
        else batch.tokens
    )
    if isinstance(model, Factored) and (layer := model.output_layer()) is not None:
        watched: dict[str, Any] = {"watched": True} if doubly_stochastic else {}
        features, state = model.output_features(batch.inputs, tokens, **watched)
        total = output_cross_entropy(layer, features, batch.targets, label_smoothing)
        if doubly_stochastic and state.attended is not None:
            # The attention weights of padding are zero, those of real positions are not.
            total = total + doubly_stochastic * ((1 - state.attended) ** 2 * (state.attended > 0)).sum()
    else:
        total = _from_logits(model(batch.inputs, tokens), batch.targets, label_smoothing)
    return Loss(total, (batch.targets != PAD).sum())


@torch.no_grad()
def _mixed_with_predictions(model: nn.Module, batch: Pairs, probability: float) -> Tensor:
    predicted = model(batch.inputs, batch.tokens).argmax(dim=2)[:, :-1]
    tokens = batch.tokens[:, 1:]
    replaced = (torch.rand(tokens.shape, dtype=torch.float32, device=tokens.device) < probability) & (tokens != PAD)
    return torch.cat([batch.tokens[:, :1], torch.where(replaced, predicted, tokens)], dim=1)


@checked
def right_answer(
    model: nn.Module,
    batch: Examples,
    carry: State | None = None,
    *,
    label_smoothing: float = 0.0,
    class_weights: Tensor | None = None,
) -> Loss:
    """Return the cross-entropy of the target classes, one for each input or each step, in nats.

    Args:
        model: gives (batch, classes) or (batch, steps, classes) logits of the inputs.
        batch: inputs and target classes.
        carry: not used, as batches are independent.
        label_smoothing: probability spread evenly over all classes.
        class_weights: (classes,) weight of each class in the loss; all the same by default.
    """
    logits = model(*batch.inputs)
    total = functional.cross_entropy(
        logits.flatten(0, -2),
        batch.targets.flatten(),
        weight=class_weights,
        ignore_index=IGNORED,
        reduction="sum",
        label_smoothing=label_smoothing,
    )
    return Loss(total, (batch.targets != IGNORED).sum())


@checked
def evaluate(model: nn.Module, batches: Iterable[Any], loss_function: LossFunction = next_token) -> float:
    """Return the mean loss over all batches in evaluation mode, with the hidden state carried from one to the next."""
    loss = total_loss(model, batches, loss_function)
    mean: float = (loss.total / loss.count).item()
    return mean


@torch.no_grad()
def total_loss(model: nn.Module, batches: Iterable[Any], loss_function: LossFunction) -> Loss:
    """Return the sum of the losses of all batches, as `evaluate` calculates them."""
    device = next(model.parameters()).device
    (total, count), carry = torch.zeros(2, dtype=torch.float32, device=device), None
    with evaluating(model):
        for batch in batches:
            loss = loss_function(model, batch.to(device), carry)
            total, count, carry = total + loss.total, count + loss.count, loss.carry
    return Loss(total, count, carry)
