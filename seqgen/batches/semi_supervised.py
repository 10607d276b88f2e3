"""Batches of labelled examples, each beside one of unlabelled ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch

from seqgen.arguments import checked
from seqgen.batches.examples import Examples
from seqgen.batches.windows import Batches


@checked
class SemiSupervised(NamedTuple):
    """A batch of labelled examples, and one of unlabelled ones, whose targets are not read."""

    labelled: Examples
    unlabelled: Examples

    def to(self, device: torch.device | str) -> "SemiSupervised":
        """Return the same batches on a device."""
        return SemiSupervised(self.labelled.to(device), self.unlabelled.to(device))


@dataclass(frozen=True)
class SemiSupervisedBatches:
    """Batches of labelled and of unlabelled examples in step, though their epochs differ in length."""

    labelled: Batches[Examples]
    unlabelled: Batches[Examples]

    def starting_at(self, index: int) -> Iterator[SemiSupervised]:
        """Yield the batches from number `index` on, without end."""
        return map(SemiSupervised, self.labelled.starting_at(index), self.unlabelled.starting_at(index))
