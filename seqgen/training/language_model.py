"""The language model loss of an encoder's directions beside the loss of its task."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from seqgen.state import State
from seqgen.symbols import PAD
from seqgen.training.losses import Loss, LossFunction, output_cross_entropy

DIRECTIONS = ("encoder.forwards", "encoder.backwards")


class OutputLayer(NamedTuple):
    """The output layer of a language model, and the module between its hidden states and that layer."""

    projection: nn.Module
    output: nn.Linear


def with_language_model(
    loss_function: LossFunction, layers: Sequence[OutputLayer], weight: float, shares: Tensor | None = None
) -> LossFunction:
    """Return a loss with the cross-entropy of each next token, as each direction of the encoder predicts it.

    Rei 2017, Semi-supervised Multitask Learning for Sequence Labeling; for a pretrained language model that is tuned,
    Chronopoulou et al. 2019, An Embarrassingly Simple Approach for Transfer Learning from Pretrained Language Models.
    Dai and Le 2015, Semi-supervised Sequence Learning, begin with a language model, but do not go on with its loss.

    Args:
        loss_function: of a model whose encoder is a `SequenceEncoder` of (batch, steps) tokens, BOS first.
        layers: the output layers of the generators that the directions began with, forward first; they are not trained.
        weight: of the mean over tokens and directions, which is added to each example's loss.
        shares: (vocabulary,) probabilities of sampling each token for an estimate, as `next_token` takes them.
    """

    def calculate(model: nn.Module, batch: Any, carry: State | None) -> Loss:
        with _hidden_states(model, len(layers)) as calls:
            loss = loss_function(model, batch, carry)
        if not torch.is_grad_enabled():
            return loss
        readings = model.get_submodule("encoder").readings(batch.inputs[0])  # type: ignore[operator]
        total = loss.total.new_zeros(())
        for layer, read, states in zip(layers, readings, calls, strict=False):
            targets = read[:, 1:]
            # Of the first pass: where there are others, these are perturbed.
            features = layer.projection(states[0][:, :-1])
            cross_entropy = output_cross_entropy(layer.output, features, targets, shares=shares)
            total = total + cross_entropy / (targets != PAD).sum().clamp(min=1)
        return replace(loss, total=loss.total + weight * loss.count * total / len(layers))

    return calculate


@contextmanager
def _hidden_states(model: nn.Module, directions: int) -> Iterator[list[list[Tensor]]]:
    """Record the (batch, steps, hidden) states of each direction, of one pass after the other."""
    calls: list[list[Tensor]] = [[] for _ in range(directions)]
    with ExitStack() as hooks:
        for name, found in zip(DIRECTIONS, calls, strict=False):
            record = lambda module, inputs, output, found=found: found.append(output[0])  # noqa: E731
            hooks.callback(model.get_submodule(name).register_forward_hook(record).remove)
        yield calls
