"""Batch normalization that takes a single value, such as that of one image whose grid has one position."""

from torch import Tensor, nn
from torch.nn import functional


class BatchNorm(nn.BatchNorm2d):
    """Batch normalization, by its running statistics where a channel has a single value, which has no variance."""

    def forward(self, grid: Tensor) -> Tensor:
        """Keep the shape of (batch, channels, rows, columns)."""
        if grid[:, 0].numel() > 1:
            return super().forward(grid)
        return functional.batch_norm(grid, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)


def accept_single_values(network: nn.Module) -> nn.Module:
    """Return the network, whose batch normalization takes from now on a single value, too."""
    for part in network.modules():
        if type(part) is nn.BatchNorm2d and part.track_running_stats:
            part.__class__ = BatchNorm  # keeps its weights and their names
    return network
