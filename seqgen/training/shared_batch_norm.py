"""Batch normalization by the rows of all processes together, with which several processes learn what one does."""

from typing import Any

import torch
from torch import Tensor, distributed, nn


class SharedBatchNorm(nn.BatchNorm2d):
    """Batch normalization whose mean and variance are those of the rows of all processes, which must train in step.

    It is as `nn.SyncBatchNorm`, which needs a GPU.
    """

    def forward(self, grid: Tensor) -> Tensor:
        """Keep the shape of (batch, channels, rows, columns)."""
        if not self.training:
            return super().forward(grid)
        values = grid.to(torch.promote_types(grid.dtype, torch.float32))
        places = values.new_tensor([values[:, 0].numel()])
        sums = _sum_over_processes(torch.cat([values.sum((0, 2, 3)), places]))
        mean, count = sums[:-1] / sums[-1], sums[-1].detach()
        # Not the mean of squares less the squared mean, which cancel where the mean is large.
        centred = values - mean[:, None, None]
        variance = _sum_over_processes(centred.square().sum((0, 2, 3))) / count
        self._track(mean.detach(), (variance * count / (count - 1)).detach())
        scale = self.weight * (variance + self.eps).rsqrt()
        return torch.addcmul(self.bias[:, None, None], centred, scale[:, None, None]).to(grid.dtype)

    @torch.no_grad()
    def _track(self, mean: Tensor, variance: Tensor) -> None:
        for running, now in ((self.running_mean, mean), (self.running_var, variance)):
            if running is not None and self.momentum is not None:
                running.lerp_(now, self.momentum)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)


def share_batch_norms(model: nn.Module) -> nn.Module:
    """Return the model, in which batch normalization is from now on by the rows of all processes."""
    for part in model.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.__class__ = SharedBatchNorm  # keeps its weights, which optimizers and averages know
    return model


class _Sum(torch.autograd.Function):
    """The sum over processes of a tensor, and in the backward pass of the gradients of that sum."""

    @staticmethod
    def forward(context: Any, tensor: Tensor) -> Tensor:
        total = tensor.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        return _sum_over_processes(gradients[0].contiguous())


def _sum_over_processes(tensor: Tensor) -> Tensor:
    total: Tensor = _Sum.apply(tensor)
    return total
