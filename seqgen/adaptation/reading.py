"""A text as a model predicts it: in one piece with carried state, window by window, so that memory is bounded."""

from collections.abc import Iterator
from typing import NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn

from seqgen.protocols import Factored
from seqgen.settings import evaluating
from seqgen.state import State
from seqgen.symbols import BOS

WINDOW = 256  # tokens; without a backward pass it may be longer than where the weights adapt


class Predicted(NamedTuple):
    """The predictions of the tokens of a window.

    `logits` is (steps, vocabulary), `targets` (steps,); `features` is (steps, features), the input of the output layer,
    and None where the model has none.
    """

    logits: Tensor
    targets: Tensor
    features: Tensor | None

    def detach(self) -> "Predicted":
        """Return the same values, detached from the graph that computed them."""
        return Predicted(self.logits.detach(), self.targets, None if self.features is None else self.features.detach())


def has_features(model: nn.Module) -> bool:
    """Return whether the logits of a model are a linear layer of features, which a neural cache needs."""
    return isinstance(model, Factored) and model.output_layer() is not None


def predict(model: nn.Module, inputs: Tensor, targets: Tensor, state: State | None) -> tuple[Predicted, State]:
    """Return the predictions of (steps,) targets after (steps,) inputs, and the state after the last of these."""
    if has_features(model):
        factored = cast("Factored", model)
        features, state = factored.output_features(inputs[None], state)
        layer = cast("nn.Linear", factored.output_layer())
        return Predicted(layer(features[0]), targets, features[0]), state
    logits, state = model(inputs[None], state)
    return Predicted(logits[0], targets, None), state


def windows(tokens: np.ndarray, size: int, device: torch.device) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the inputs and targets of a (length,) text, a window of this size after the other; the first input is BOS.

    Args:
        tokens: (length,) numbers.
        size: number of tokens of a window; the last may be shorter.
        device: that of the model.
    """
    targets = torch.from_numpy(np.asarray(tokens, np.int64)).to(device)
    inputs = torch.cat([targets.new_tensor([BOS]), targets[:-1]])
    yield from zip(torch.split(inputs, size), torch.split(targets, size), strict=True)


@torch.no_grad()
def static(model: nn.Module, tokens: np.ndarray) -> Iterator[Predicted]:
    """Yield the predictions of a model whose weights stay as they are, for each window of a (length,) text."""
    state = None
    for inputs, targets in windows(tokens, WINDOW, next(model.parameters()).device):
        with evaluating(model):
            predicted, state = predict(model, inputs, targets, state)
        yield predicted
