"""Windows of text: the batches of a language model."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor

from seqgen.arguments import checked
from seqgen.hardware.devices import moved
from seqgen.symbols import BOS

B = TypeVar("B", covariant=True)


@checked
class Batch(NamedTuple):
    """One window of several rows of text.

    `inputs` and `targets` are (batch, steps) numbers, each target the token after the input, and PAD where there is no
    target. `starts` is True where the rows begin here, so that no hidden state is carried into them.
    """

    inputs: Tensor
    targets: Tensor
    starts: bool

    def to(self, device: torch.device | str) -> "Batch":
        """Return the same batch on a device."""
        return Batch(moved(self.inputs, device), moved(self.targets, device), self.starts)


class Batches(Protocol[B]):
    """An endless, reproducible sequence of batches: the position in the data is a plain number."""

    def starting_at(self, index: int) -> Iterator[B]:
        """Yield the batches from number `index` on, over any number of epochs."""
        ...


def windows(targets: np.ndarray, window: int) -> Iterator[Batch]:
    """Cut rows of text into successive windows.

    Args:
        targets: (batch, length) numbers; the inputs are the same one step later, with BOS before them.
        window: number of steps of a window; the last may be shorter.
    """
    inputs = np.concatenate([np.full((len(targets), 1), BOS), targets[:, :-1]], axis=1)
    for begin in range(0, targets.shape[1], window):
        cut = slice(begin, begin + window)
        yield Batch(
            torch.from_numpy(inputs[:, cut].astype(np.int64)),
            torch.from_numpy(targets[:, cut].astype(np.int64)),
            starts=begin == 0,
        )
