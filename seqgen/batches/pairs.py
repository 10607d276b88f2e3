"""Batches of inputs with their target sequences."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from seqgen.arguments import checked
from seqgen.batches.padded import padded
from seqgen.hardware.devices import moved
from seqgen.symbols import BOS, EOS


@checked
class Pairs(NamedTuple):
    """The inputs of an encoder, and the input and target tokens of a decoder.

    `tokens` is (batch, steps), BOS first; `targets` is the same one step later, EOS last, then PAD. `numbers` are the
    example numbers of the inputs, for a loss with references of its own.
    """

    inputs: tuple[Tensor, ...]
    tokens: Tensor
    targets: Tensor
    numbers: tuple[int, ...] = ()

    def to(self, device: torch.device | str) -> "Pairs":
        """Return the same batch on a device."""
        inputs = tuple(moved(tensor, device) for tensor in self.inputs)
        return Pairs(inputs, moved(self.tokens, device), moved(self.targets, device), self.numbers)

    def seen(self, images: Tensor) -> "Pairs":
        """Return the batch with the pixels or features of its images in place of the images' numbers."""
        return self._replace(inputs=(images.to(self.tokens.device), *self.inputs[1:]))


@checked
def pairs(inputs: tuple[Tensor, ...], targets: list[np.ndarray], longest: int | None = None) -> Pairs:
    """Return a batch of inputs with rows of target tokens, which have neither BOS nor EOS.

    The inputs must be as the model in use collates them: `Translator.examples`, for one, ends source sentences in EOS.

    Targets are cut to at most `longest` tokens, EOS included; those that were cut have no EOS.
    """
    tokens = torch.from_numpy(padded([np.concatenate([[BOS], row])[:longest] for row in targets]))
    following = torch.from_numpy(padded([np.concatenate([row, [EOS]])[:longest] for row in targets]))
    return Pairs(inputs, tokens, following)
