"""The exponential moving average of the weights, which is validated, saved and used instead of these."""

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from seqgen.errors import InputError

Tensors = tuple[Tensor, ...] | list[Tensor]


def averaged(model: nn.Module, decay: float) -> AveragedModel:
    """Return the moving average of a model, as `module`: call `update_parameters(model)` after every update.

    Polyak and Juditsky 1992, Acceleration of Stochastic Approximation by Averaging; here an exponential average.

    Args:
        model: in training.
        decay: of the exponential moving average; lower in the first updates, so that the initial weights are soon
            forgotten. With 0 the average equals the weights.

    Raises:
        InputError: the decay is outside [0, 1).
    """
    if not 0 <= decay < 1:
        raise InputError(f"averaging must be at least 0 and below 1, not {decay}")

    def follow(averages: Tensors, weights: Tensors, updates: Tensor | int) -> None:
        done = int(updates)
        torch._foreach_lerp_(averages, weights, 1 - min(decay, done / (done + 10)))

    average = AveragedModel(model, multi_avg_fn=follow)
    average.module.to(next(model.parameters()).device)  # makes the copied weights contiguous again, for cuDNN
    return average


def follow_closely(average: AveragedModel, updates: int = 1000) -> None:
    """Let an average follow its model as closely as after this number of updates, if there were more.

    After 1,000 updates it averages about the last 100, which suits a short last phase of training.
    """
    average.n_averaged.clamp_(max=updates)
