"""Shared base of the models that answer inputs: it encodes them, makes batches of like length, and runs the model."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seqgen.batches.buckets import Buckets
from seqgen.devices import calculates_in_bf16
from seqgen.inference.bundle import Bundle, M


@dataclass(kw_only=True)
class InputBundle(Bundle[M]):
    """A bundle whose model has an encoder; a subclass says how inputs become rows, and rows a batch."""

    @abstractmethod
    def encode(self, given: Any) -> Any:
        """Return an input as a row: token numbers, or whatever `collate` takes."""

    @abstractmethod
    def collate(self, rows: Sequence[Any]) -> tuple[Tensor, ...]:
        """Return the batch of tensors that the encoder takes for these rows."""

    def lengths(self, rows: Sequence[Any]) -> np.ndarray:
        """Return the (rows,) lengths by which rows are batched; a batch holds so many positions, padding included."""
        stored: np.ndarray | None = getattr(rows, "lengths", None)  # of rows in a memory-mapped file
        return np.array([len(row) for row in rows], dtype=np.int64) if stored is None else stored

    def batches(self, rows: Sequence[Any], budget: int) -> Iterator[tuple[np.ndarray, tuple[Tensor, ...]]]:
        """Yield the numbers of rows of like length, at most `budget` positions of them, with their batch."""
        if len(rows):
            for numbers in Buckets(self.lengths(rows), budget).once():
                yield numbers, self.collate([rows[number] for number in numbers])

    @torch.inference_mode()
    def logits(self, rows: Sequence[Any], budget: int) -> Iterator[tuple[np.ndarray, Tensor]]:
        """Yield the numbers of each batch's rows with the model's logits, calculated in bf16 where that is fast."""
        self.model.eval()
        device = self.device
        with torch.autocast(device.type, torch.bfloat16, enabled=calculates_in_bf16(device)):
            for numbers, inputs in self.batches(rows, budget):
                yield numbers, self.model(*(tensor.to(device) for tensor in inputs)).float()
