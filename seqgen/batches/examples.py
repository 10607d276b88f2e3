"""Batches of inputs with their target classes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from seqgen.arguments import checked
from seqgen.batches.buckets import Buckets
from seqgen.hardware.devices import moved

B = TypeVar("B")

IGNORED = -100  # the target of padding, which torch's losses ignore by default


@checked
class Examples(NamedTuple):
    """The inputs of a model, and (batch,) or (batch, steps) numbers of target classes, IGNORED on padding."""

    inputs: tuple[Tensor, ...]
    targets: Tensor

    def to(self, device: torch.device | str) -> "Examples":
        """Return the same batch on a device."""
        return Examples(tuple(moved(tensor, device) for tensor in self.inputs), moved(self.targets, device))


@checked
@dataclass(frozen=True)
class ExampleBatches(Generic[B]):
    """Batches that are collated as they are needed.

    Args:
        buckets: the example numbers of all batches.
        collate: from (batch,) example numbers to a batch.
    """

    buckets: Buckets
    collate: Callable[[np.ndarray], B]

    def starting_at(self, index: int) -> Iterator[B]:
        """Yield the batches from number `index` on, without end."""
        return map(self.collate, self.buckets.starting_at(index))

    def once(self) -> Iterator[B]:
        """Yield every example of this process once, sorted by length."""
        return map(self.collate, self.buckets.once())

    @property
    def batches_per_epoch(self) -> int:
        """The number of batches of an epoch."""
        return self.buckets.batches_per_epoch

    @property
    def mean_length(self) -> float:
        """The mean length of an example."""
        return float(self.buckets.lengths.mean())


class Batchable(NamedTuple, Generic[B]):
    """Examples to make batches of: their (examples,) lengths, and `collate`, from example numbers to a batch."""

    lengths: np.ndarray
    collate: Callable[[np.ndarray], B]

    def batches(self, budget: int, *, seed: int = 0, rank: int = 0, world_size: int = 1) -> ExampleBatches[B]:
        """Return batches of examples of similar length, whose lengths sum to at most `budget`, padding included.

        Args:
            budget: number of tokens, or images, of a batch.
            seed: random seed of their order.
            rank: number of this process among `world_size`.
            world_size: number of processes that train together.
        """
        return ExampleBatches(Buckets(self.lengths, budget, seed=seed, rank=rank, world_size=world_size), self.collate)
