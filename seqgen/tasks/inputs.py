"""Shared base of the tasks with an input: inputs are encoded as rows, and batched by similar length."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqgen.batches.buckets import Buckets
from seqgen.tasks.task import Task


@dataclass(kw_only=True)
class InputTask(Task):
    """Inputs around a network, which a subclass has: a task encodes them as rows, and makes a batch of rows."""

    @abstractmethod
    def encode(self, given: Any) -> Any:
        """Return an input as a row: token numbers, or what else `arrays` takes."""

    @abstractmethod
    def arrays(self, rows: Sequence[Any]) -> tuple[np.ndarray, ...]:
        """Return the batch of arrays that the network takes for these rows."""

    def collate(self, rows: Sequence[Any]) -> tuple[Any, ...]:
        """Return the batch as the network of this runtime takes it: here the arrays."""
        return self.arrays(rows)

    def lengths(self, rows: Sequence[Any]) -> np.ndarray:
        """Return the (rows,) numbers of positions, by which rows are batched."""
        stored: np.ndarray | None = getattr(rows, "lengths", None)  # of rows in a file
        return np.array([len(row) if np.ndim(row) else 1 for row in rows], dtype=np.int64) if stored is None else stored

    def batches(self, rows: Sequence[Any], budget: int) -> Iterator[tuple[np.ndarray, tuple[Any, ...]]]:
        """Yield the numbers of rows of similar length with their batch, of at most `budget` positions with padding."""
        if len(rows):
            for numbers in Buckets(self.lengths(rows), budget).once():
                yield numbers, self.collate([rows[number] for number in numbers])
