"""Batches of inputs with their answers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from seqgen.batches.buckets import Buckets

B = TypeVar("B")

IGNORED = -100  # the target where there is nothing to answer; what torch's losses leave out by default


class Examples(NamedTuple):
    """What a model is given, and (batch,) or (batch, steps) numbers of right answers, IGNORED where there is none."""

    inputs: tuple[Tensor, ...]
    targets: Tensor

    def to(self, device: torch.device | str) -> "Examples":
        """Return the same batch on a device."""
        inputs = tuple(tensor.to(device, non_blocking=True) for tensor in self.inputs)
        return Examples(inputs, self.targets.to(device, non_blocking=True))


class Batchable(NamedTuple, Generic[B]):
    """Examples to make batches of: their (examples,) lengths, and what makes a batch of (batch,) numbers of them."""

    lengths: np.ndarray
    collate: Callable[[np.ndarray], B]


@dataclass(frozen=True)
class ExampleBatches(Generic[B]):
    """Batches made of example numbers as they are needed.

    Args:
        buckets: which examples share a batch.
        collate: makes a batch of (batch,) numbers of examples.
    """

    buckets: Buckets
    collate: Callable[[np.ndarray], B]

    def starting_at(self, index: int) -> Iterator[B]:
        """Yield the batches from number `index` on, without end."""
        return map(self.collate, self.buckets.starting_at(index))

    def once(self) -> Iterator[B]:
        """Yield every example once, by length."""
        return map(self.collate, self.buckets.once())

    @property
    def batches_per_epoch(self) -> int:
        """The number of batches in which every example is read once."""
        return self.buckets.batches_per_epoch

    @property
    def mean_length(self) -> float:
        """The mean length of an example."""
        return float(self.buckets.lengths.mean())
