"""A small residual network, and batch normalization folded into the convolutions before it for evaluation."""

import copy

from torch import Tensor, fx, nn

STAGES = 4  # of the small network


class Residual(nn.Module):
    """Two convolutions whose output is added to their input (He et al. 2016, Deep Residual Learning)."""

    def __init__(self, channels: int):
        super().__init__()
        self.body = nn.Sequential(
            convolution(channels, channels), nn.ReLU(inplace=True), convolution(channels, channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape of (batch, channels, rows, columns)."""
        grid: Tensor = x + self.body(x)
        return grid.relu()


def convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """Return a 3 x 3 convolution with batch normalization."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False), nn.BatchNorm2d(outputs))


def small_cnn(width: int = 16) -> nn.Sequential:
    """Return an untrained residual network of four stages.

    Args:
        width: channels of the first stage; every stage halves rows and columns, and the next has twice the channels.
    """
    channels = [width * 2**stage for stage in range(STAGES)]
    stages = [
        nn.Sequential(convolution(inputs, outputs, stride=2), nn.ReLU(inplace=True), Residual(outputs))
        for inputs, outputs in zip((3, *channels), channels, strict=False)
    ]
    return nn.Sequential(*stages)


class _Tracer(fx.Tracer):
    """Does not trace into convolutions, those of subclasses included."""

    def is_leaf_module(self, module: nn.Module, name: str) -> bool:
        return isinstance(module, nn.Conv2d | nn.BatchNorm2d) or super().is_leaf_module(module, name)


def folded(network: nn.Module) -> nn.Module:
    """Return a copy of a network in evaluation mode whose batch normalization is folded into its convolutions.

    It is faster and equal except for rounding. A network that cannot be traced is only copied.
    """
    network = copy.deepcopy(network).eval()
    try:
        graph = _Tracer().trace(network)
    except Exception:  # tracing runs the network's own code, which may do anything
        return network
    parts = dict(network.named_modules())
    for node in graph.nodes:
        if node.op != "call_module" or not isinstance(parts[node.target], nn.BatchNorm2d):
            continue
        before = node.args[0]
        if before.op == "call_module" and isinstance(parts[before.target], nn.Conv2d) and len(before.users) == 1:
            fused = nn.utils.fuse_conv_bn_eval(parts[before.target], parts[node.target])
            network.set_submodule(before.target, fused)
            network.set_submodule(node.target, nn.Identity())
    return network
