"""The encoder of images: a memory of the positions of a backbone's grid of features."""

import hashlib
from typing import cast

import torch
from torch import Tensor, nn

from seqgen.arguments import checked
from seqgen.nn.batch_norm import accept_single_values
from seqgen.nn.cnn import folded
from seqgen.nn.dropout import LockedDropout
from seqgen.state import Memory


@checked
class Places(nn.Module):
    """Projects the features of a grid to the size of the memory, and adds a learned embedding of each position.

    Args:
        features: features of the grid.
        size: features of the memory.
        count: positions of the grid.
        dropout: dropout probability of the grid's features, the same ones at all positions of an image.
    """

    def __init__(self, features: int, size: int, count: int, dropout: float = 0.0):
        super().__init__()
        self.dropout, self.linear, self.norm = LockedDropout(dropout), nn.Linear(features, size), nn.LayerNorm(size)
        self.place = nn.Parameter(torch.zeros(count, size))

    def forward(self, grid: Tensor) -> Tensor:
        """Return (batch, positions, size) states for the (batch, positions, features) of a grid."""
        placed: Tensor = self.norm(self.linear(self.dropout(grid)) + self.place)
        return placed


@checked
class ImageEncoder(nn.Module):
    """Encodes an image; the positions of the grid are those of the memory, row by row.

    Args:
        backbone: from (batch, 3, height, width) images to a (batch, features, rows, columns) grid; its batch
            normalization takes from now on a single value, too.
        output_size: features of the memory.
        pooling: of (batch, positions, features) states and their mask, to a summary of as many features.
        frozen: whether the backbone is not trained, its running statistics included.
        places: from the (batch, positions, features) of the grid to the states; the same ones by default.
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
        self.backbone, self.output_size, self.summary_size = accept_single_values(backbone), output_size, output_size
        self.pooling, self.frozen, self.places = pooling, frozen, places or nn.Identity()
        if frozen:
            self.backbone.requires_grad_(False)

    def thaw(self) -> None:
        """Unfreeze the backbone except its batch normalization."""
        for part in self.backbone.modules():
            part.requires_grad_(not isinstance(part, nn.BatchNorm2d))

    def train(self, mode: bool = True) -> "ImageEncoder":
        """Set the mode; a frozen backbone stays in evaluation mode."""
        super().train(mode)
        if self.frozen:
            self.backbone.eval()
        return self

    def backbone_alone(self) -> "ImageEncoder":
        """Return an encoder with a copy of the backbone, in evaluation mode and faster, and without `places`."""
        return ImageEncoder(folded(self.backbone), self.output_size, nn.Identity(), frozen=True)

    def fingerprint(self) -> str:
        """Return a hash of the backbone's weights."""
        digest = hashlib.sha256()
        for tensor in self.backbone.state_dict().values():
            digest.update(tensor.cpu().numpy().tobytes())
        return digest.hexdigest()

    def grid(self, images: Tensor) -> Tensor:
        """Return the (batch, positions, features) grid of (batch, 3, height, width) images."""
        # Convolutions are faster with the channels last in memory.
        grid = cast("Tensor", self.backbone(images.contiguous(memory_format=torch.channels_last)))
        return grid.flatten(2).transpose(1, 2)

    def forward(self, images: Tensor, rows: Tensor | None = None) -> Memory:
        """Encode images.

        Args:
            images: (batch, 3, height, width), or their grids as `grid` returns them.
            rows: (rows,) number of the image of each row of the memory, for several captions of an image; by default
                all images in order.
        """
        if images.ndim == 4:
            grid = self.grid(images)
        else:  # stored in bf16, which only autocast multiplies with fp32 weights
            grid = images if torch.is_autocast_enabled(images.device.type) else images.float()
        states = self.places(grid)
        mask = torch.ones(states.shape[:2], dtype=torch.bool, device=states.device)
        memory = Memory(states, mask, self.pooling(states, mask))
        return memory if rows is None else memory.select(rows)
