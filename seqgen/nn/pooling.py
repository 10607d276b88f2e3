"""Poolings of the states of all positions into one summary, without padding."""

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from seqgen.arguments import checked
from seqgen.errors import InputError, nearest


@checked
class Last(nn.Module):
    """The last state in each direction: forward features of the last real position, backward features of the first.

    Args:
        forward_size: number of forward features; the others are backward.
    """

    def __init__(self, forward_size: int):
        super().__init__()
        self.forward_size = forward_size

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Return (batch, features) of (batch, positions, features) states and their (batch, positions) mask."""
        last = mask.sum(dim=1) - 1
        rows = torch.arange(states.shape[0], device=states.device)
        return torch.cat([states[rows, last, : self.forward_size], states[:, 0, self.forward_size :]], dim=1)


@checked
class Mean(nn.Module):
    """The mean over real positions."""

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Return (batch, features) of (batch, positions, features) states and their (batch, positions) mask."""
        total = states.masked_fill(~mask.unsqueeze(2), 0).sum(dim=1, dtype=torch.float32)
        return total / mask.sum(dim=1, keepdim=True)


@checked
class Max(nn.Module):
    """The maximum of each feature over real positions (Collobert and Weston 2008)."""

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Return (batch, features) of (batch, positions, features) states and their (batch, positions) mask."""
        return states.masked_fill(~mask.unsqueeze(2), -torch.inf).amax(dim=1)


@checked
class Attentive(nn.Module):
    """The mean over real positions, weighted by learned attention (Yang et al. 2016, Hierarchical Attention Networks).

    Args:
        size: features of a state.
    """

    def __init__(self, size: int):
        super().__init__()
        self.look = nn.Sequential(nn.Linear(size, size), nn.Tanh(), nn.Linear(size, 1, bias=False))

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Return (batch, features) of (batch, positions, features) states and their (batch, positions) mask."""
        weights = self.look(states).squeeze(2).float().masked_fill(~mask, -torch.inf).softmax(dim=1)
        return torch.einsum("bp,bpf->bf", weights, states.float())


class Concatenated(nn.Module):
    """Several poolings, concatenated, as in ULMFiT (Howard and Ruder 2018)."""

    def __init__(self, *poolings: nn.Module):
        super().__init__()
        self.poolings = nn.ModuleList(poolings)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Return (batch, features) of (batch, positions, features) states and their (batch, positions) mask."""
        return torch.cat([pooling(states, mask).float() for pooling in self.poolings], dim=1)


Pooling = Literal["last", "mean", "max", "attentive", "concat"]
POOLINGS = get_args(Pooling)


def pooling_by_name(name: str, size: int, forward_size: int) -> tuple[nn.Module, int]:
    """Return a pooling and the number of features of its summary.

    Args:
        name: "last", "mean", "max", "attentive", or "concat" for the first three concatenated.
        size: features of a state.
        forward_size: number of forward features of a state.

    Raises:
        InputError: an unknown pooling.
    """
    if name == "concat":
        return Concatenated(Last(forward_size), Mean(), Max()), 3 * size
    if name not in POOLINGS:
        raise InputError(f"pooling must be one of {', '.join(POOLINGS)}, not {name!r}{nearest(name, POOLINGS)}")
    simple = {"last": Last(forward_size), "mean": Mean(), "max": Max(), "attentive": Attentive(size)}
    return simple[name], size
