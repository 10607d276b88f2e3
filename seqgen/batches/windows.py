"""What a language model is trained on at one step."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from seqgen.symbols import BOS, PAD


class Batch(NamedTuple):
    """One window of several rows of text.

    `inputs` and `targets` are (batch, steps) numbers, the target being the token after the input, and PAD where
    nothing is to be predicted. `starts` says that the rows begin here, so that no state is carried into them.
    """

    inputs: Tensor
    targets: Tensor
    starts: bool

    def to(self, device: torch.device | str) -> "Batch":
        """Return the same batch on a device."""
        return Batch(self.inputs.to(device, non_blocking=True), self.targets.to(device, non_blocking=True), self.starts)


class Batches(Protocol):
    """An endless, reproducible row of batches: the position in the data is a plain number."""

    def starting_at(self, index: int) -> Iterator[Batch]:
        """Yield the batches from number `index` on, over as many epochs as are asked for."""
        ...


def windows(targets: np.ndarray, window: int) -> Iterator[Batch]:
    """Cut rows of text into windows that follow each other.

    Args:
        targets: (batch, length) numbers; the inputs are the same one step later, with BOS before them.
        window: steps of each window; the last may be shorter.
    """
    inputs = np.concatenate([np.full((len(targets), 1), BOS), targets[:, :-1]], axis=1)
    for begin in range(0, targets.shape[1], window):
        cut = slice(begin, begin + window)
        yield Batch(
            torch.from_numpy(inputs[:, cut].astype(np.int64)),
            torch.from_numpy(targets[:, cut].astype(np.int64)),
            starts=begin == 0,
        )


def padded(rows: Sequence[np.ndarray], padding: int = PAD) -> np.ndarray:
    """Return rows of token numbers as one right-padded (batch, steps) array."""
    whole = np.full((len(rows), max(map(len, rows))), padding, dtype=np.int64)
    for row, tokens in zip(whole, rows, strict=True):
        row[: len(tokens)] = tokens
    return whole
