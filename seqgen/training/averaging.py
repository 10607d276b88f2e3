"""The exponential moving average of the weights, which is validated, saved and used instead of these."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

Tensors = tuple[Tensor, ...] | list[Tensor]


def averaged(model: nn.Module, horizon: Callable[[int], float]) -> AveragedModel:
    """Return the moving average of a model, as `module`: call `update_parameters(model)` after every update.

    Polyak and Juditsky 1992, Acceleration of Stochastic Approximation by Averaging; here an exponential average.

    Args:
        model: in training.
        horizon: from the number of updates so far to the number of updates that the average looks back: it should grow
            with the training that is planned. In the first updates it looks back less far, so that the initial weights
            are soon forgotten. With 1 or less the average equals the weights.
    """

    def follow(averages: Tensors, weights: Tensors, updates: Tensor | int) -> None:
        done = int(updates)
        torch._foreach_lerp_(averages, weights, max(1 / max(horizon(done), 1.0), 10 / (done + 10)))

    average = AveragedModel(model, multi_avg_fn=follow)
    average.module.to(next(model.parameters()).device)  # makes the copied weights contiguous again, for cuDNN
    return average
