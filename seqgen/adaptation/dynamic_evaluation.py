"""Dynamic evaluation: the weights learn from each window of the text after it was predicted."""

import copy
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from seqgen.adaptation.reading import Predicted, predict, windows
from seqgen.settings import gradients


class Rates(NamedTuple):
    """How fast weights adapt: the learning rate, and the part of the way back to the trained weights, in each window."""

    learning_rate: float
    decay: float = 0.0


def dynamic(model: nn.Module, tokens: np.ndarray, rates: Rates, window: int) -> Iterator[Predicted]:
    """Yield the predictions of each window of a text, by weights that have learned from all windows before it.

    After each window its weights take a step of gradient descent on its loss, and then a part of the way back to the
    trained ones (Krause et al. 2018, Dynamic Evaluation of Neural Sequence Models). They are those of a copy: the model
    stays as it is, whatever happens.

    Args:
        model: a decoder that reads all steps at once; its weights are trained.
        tokens: (length,) numbers of the text.
        rates: of learning and of forgetting.
        window: number of tokens between two steps.
    """
    adapted = copy.deepcopy(model).eval()
    trained = [parameter.detach() for parameter in model.parameters() if parameter.requires_grad]
    weights = [parameter for parameter in adapted.parameters() if parameter.requires_grad]
    state = None
    for inputs, targets in windows(tokens, window, weights[0].device):
        # The kernels of cuDNN have no backward pass in evaluation mode.
        with gradients(), torch.backends.cudnn.flags(enabled=False):
            predicted, after = predict(adapted, inputs, targets, state)
            loss = functional.cross_entropy(predicted.logits, targets, reduction="sum") / window
            slopes = torch.autograd.grad(loss, weights)
        yield predicted.detach()
        with torch.no_grad():
            torch._foreach_add_(weights, slopes, alpha=-rates.learning_rate)
            if rates.decay:
                torch._foreach_lerp_(weights, trained, rates.decay)
        state = after.detach()
