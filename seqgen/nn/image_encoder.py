"""The encoder of images: a backbone's grid of features as a memory, a position for each place."""

import hashlib
from typing import cast

import torch
from torch import Tensor, nn

from seqgen.nn.cnn import folded
from seqgen.nn.dropout import LockedDropout
from seqgen.state import Memory


class Places(nn.Module):
    """What a decoder looks at: the features of a grid's places, brought to another size, and where each place is.

    Args:
        features: of the grid.
        size: of what is looked at.
        count: of the places.
        dropout: the share of the grid's features dropped, the same at all places of an image.
    """

    def __init__(self, features: int, size: int, count: int, dropout: float = 0.0):
        super().__init__()
        self.dropout, self.linear, self.norm = LockedDropout(dropout), nn.Linear(features, size), nn.LayerNorm(size)
        self.place = nn.Parameter(torch.zeros(count, size))

    def forward(self, grid: Tensor) -> Tensor:
        """Return (batch, places, size) for the (batch, places, features) of a grid."""
        placed: Tensor = self.norm(self.linear(self.dropout(grid)) + self.place)
        return placed


class ImageEncoder(nn.Module):
    """Reads an image; the places of the network's grid are the positions of the memory, row by row.

    Args:
        backbone: of (batch, 3, height, width) images, to a (batch, features, rows, columns) grid.
        output_size: features of the grid.
        pooling: of (batch, positions, features) states and their mask, to as many features of the summary.
        frozen: whether the backbone stays as it is, its running statistics included.
        places: applied to the features of the grid's places; none by default.
    """

    def __init__(
        self,
        backbone: nn.Module,
        output_size: int,
        pooling: nn.Module,
        *,
        frozen: bool = False,
        places: nn.Module | None = None,
    ):
        super().__init__()
        self.backbone, self.output_size, self.summary_size = backbone, output_size, output_size
        self.pooling, self.frozen, self.places = pooling, frozen, places or nn.Identity()
        if frozen:
            self.backbone.requires_grad_(False)

    def thaw(self) -> None:
        """Have a frozen backbone trained all the same, but for its batch normalization."""
        for part in self.backbone.modules():
            part.requires_grad_(not isinstance(part, nn.BatchNorm2d))

    def train(self, mode: bool = True) -> "ImageEncoder":
        """Set the mode; a frozen backbone stays in evaluation mode."""
        super().train(mode)
        if self.frozen:
            self.backbone.eval()
        return self

    def backbone_alone(self) -> "ImageEncoder":
        """Return an encoder of the same backbone as it is now, in evaluation mode and faster, without places."""
        return ImageEncoder(folded(self.backbone), self.output_size, nn.Identity(), frozen=True)

    def fingerprint(self) -> str:
        """Return what tells the backbone's weights from others."""
        digest = hashlib.sha256()
        for tensor in self.backbone.state_dict().values():
            digest.update(tensor.cpu().numpy().tobytes())
        return digest.hexdigest()

    def grid(self, images: Tensor) -> Tensor:
        """Return the (batch, positions, features) that the backbone finds in (batch, 3, height, width) images."""
        # Convolutions are faster with the channels last in memory.
        found = cast("Tensor", self.backbone(images.contiguous(memory_format=torch.channels_last)))
        return found.flatten(2).transpose(1, 2)

    def forward(self, images: Tensor, rows: Tensor | None = None) -> Memory:
        """Encode images.

        Args:
            images: (batch, 3, height, width), or what `grid` found in them, where that was kept.
            rows: (more,) numbers of the images whose memories are wanted, where an image is wanted more than once; by
                default all of them in order.
        """
        if images.ndim == 4:
            grid = self.grid(images)
        else:  # kept in bf16, which only autocast multiplies with other weights
            grid = images if torch.is_autocast_enabled(images.device.type) else images.float()
        states = self.places(grid)
        mask = torch.ones(states.shape[:2], dtype=torch.bool, device=states.device)
        memory = Memory(states, mask, self.pooling(states, mask))
        return memory if rows is None else memory.select(rows)
