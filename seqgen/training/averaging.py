"""The exponential moving average of the weights, which is validated, saved and used instead of these."""

from collections.abc import Callable

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel


class Average(AveragedModel):
    """The moving average of a model in training, as `module`: call `update_parameters(model)` after every update.

    Polyak and Juditsky 1992, Acceleration of Stochastic Approximation by Averaging; here an exponential average.

    Args:
        model: in training.
        horizon: from the number of updates so far to the number of updates that the average looks back: it should grow
            with the training that is planned. In the first updates it looks back less far, so that the initial weights
            are soon forgotten. With 1 or less the average equals the weights.
    """

    def __init__(self, model: nn.Module, horizon: Callable[[int], float]):
        super().__init__(model)
        self.horizon = horizon
        self.module.to(next(model.parameters()).device)  # makes the copied weights contiguous again, for cuDNN

    @torch.no_grad()
    def update_parameters(self, model: nn.Module) -> None:
        """Follow the weights after an update; unlike torch's own average, it does not wait for a GPU."""
        done = int(self.n_averaged)  # which is on the CPU
        weight = max(1 / max(self.horizon(done), 1.0), 10 / (done + 10))
        torch._foreach_lerp_(list(self.module.parameters()), list(model.parameters()), weight)
        for average, buffer in zip(self.module.buffers(), model.buffers(), strict=True):
            average.copy_(buffer)
        self.n_averaged += 1
