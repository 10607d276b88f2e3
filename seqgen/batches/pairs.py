"""Inputs with the sequences that are to be written to them."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from seqgen.batches.windows import padded
from seqgen.symbols import BOS, EOS


class Pairs(NamedTuple):
    """What an encoder is given, and what a decoder reads and is to write.

    `tokens` is (batch, steps), BOS first; `targets` is the same a step later, EOS last, and PAD after that. `numbers`
    are those of the inputs, for a loss that knows more about them.
    """

    inputs: tuple[Tensor, ...]
    tokens: Tensor
    targets: Tensor
    numbers: tuple[int, ...] = ()

    def to(self, device: torch.device | str) -> "Pairs":
        """Return the same batch on a device."""
        inputs = tuple(tensor.to(device, non_blocking=True) for tensor in self.inputs)
        tokens, targets = (tensor.to(device, non_blocking=True) for tensor in (self.tokens, self.targets))
        return Pairs(inputs, tokens, targets, self.numbers)

    def seen(self, images: Tensor) -> "Pairs":
        """Return the batch with these pixels or features of its images in the place of the images' numbers."""
        return self._replace(inputs=(images.to(self.tokens.device), *self.inputs[1:]))


def pairs(inputs: tuple[Tensor, ...], targets: list[np.ndarray], longest: int | None = None) -> Pairs:
    """Return a batch of inputs with rows of target tokens, which have neither BOS nor EOS yet.

    Targets are cut to the `longest`, and nothing learns that they end there.
    """
    tokens = torch.from_numpy(padded([np.concatenate([[BOS], row])[:longest] for row in targets]))
    following = torch.from_numpy(padded([np.concatenate([row, [EOS]])[:longest] for row in targets]))
    return Pairs(inputs, tokens, following)
