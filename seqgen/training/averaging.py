"""A moving average of the weights, which is validated, saved and used in place of the weights in training."""

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from seqgen.errors import InputError

Tensors = tuple[Tensor, ...] | list[Tensor]


def averaged(model: nn.Module, decay: float) -> AveragedModel:
    """Return a copy of a model, as `module`, that follows it: call `update_parameters(model)` after every update.

    Polyak and Juditsky 1992, Acceleration of Stochastic Approximation by Averaging; here with exponential weights.

    Args:
        model: in training.
        decay: the share of the average that stays at an update; less at first, so that the weights before training
            are soon forgotten. With 0 the copy is the model itself.

    Raises:
        InputError: the decay is outside [0, 1).
    """
    if not 0 <= decay < 1:
        raise InputError(f"averaging must be at least 0 and below 1, not {decay}")

    def follow(averages: Tensors, weights: Tensors, updates: Tensor | int) -> None:
        done = int(updates)
        torch._foreach_lerp_(averages, weights, 1 - min(decay, done / (done + 10)))

    average = AveragedModel(model, multi_avg_fn=follow)
    average.module.to(next(model.parameters()).device)  # puts the copied weights into one piece again, as cuDNN wants
    return average


def follow_closely(average: AveragedModel, updates: int = 1000) -> None:
    """Have an average follow its model as closely as after this number of updates, if there were more.

    After 1,000 updates it has forgotten all but about the last 100, which suits a short last part of a training.
    """
    average.n_averaged.clamp_(max=updates)
