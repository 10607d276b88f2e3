"""Shared base of the models with an encoder: inputs are encoded, batched by similar length, and given to the model."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from seqgen.batches.buckets import Buckets
from seqgen.generation.logits import require_finite
from seqgen.hardware.precision import Calculation, Precision, fastest_calculation
from seqgen.inference.bundle import Bundle, M
from seqgen.settings import evaluating


@dataclass(kw_only=True)
class InputBundle(Bundle[M]):
    """A bundle whose model has an encoder; a subclass encodes inputs as rows, and collates rows into a batch.

    Args:
        precision: of the encoder's matrix products, "fp32", "bf16", or "auto" for the one that is faster on this
            machine; it is not saved.
    """

    precision: Precision = "auto"

    @abstractmethod
    def encode(self, given: Any) -> Any:
        """Return an input as a row: token numbers, or what else `collate` takes."""

    @abstractmethod
    def collate(self, rows: Sequence[Any]) -> tuple[Tensor, ...]:
        """Return the batch of tensors that the encoder takes for these rows."""

    def lengths(self, rows: Sequence[Any]) -> np.ndarray:
        """Return the (rows,) numbers of positions, by which rows are batched."""
        stored: np.ndarray | None = getattr(rows, "lengths", None)  # of rows in a file
        return np.array([len(row) if np.ndim(row) else 1 for row in rows], dtype=np.int64) if stored is None else stored

    def batches(self, rows: Sequence[Any], budget: int) -> Iterator[tuple[np.ndarray, tuple[Tensor, ...]]]:
        """Yield the numbers of rows of similar length with their batch, of at most `budget` positions with padding."""
        if len(rows):
            for numbers in Buckets(self.lengths(rows), budget).once():
                yield numbers, self.collate([rows[number] for number in numbers])

    @torch.inference_mode()
    def logits(self, rows: Sequence[Any], budget: int) -> Iterator[tuple[np.ndarray, Tensor]]:
        """Yield the numbers of each batch's rows with the model's logits, in fp32."""
        calculation = None
        with evaluating(self.model):
            for numbers, inputs in self.batches(rows, budget):
                given = [tensor.to(self.device) for tensor in inputs]
                calculation = calculation or self.fastest(self.model, given, self.precision)
                with calculation.applied(self.device):
                    logits = self.model(*given)
                require_finite(logits)
                yield numbers, logits.float()

    @torch.inference_mode()
    def fastest(self, network: nn.Module, inputs: Sequence[Tensor], precision: Precision) -> Calculation:
        """Return how this network calculates inputs of about this size fastest on this machine."""
        parameters = sum(parameter.numel() for parameter in network.parameters())
        at_most = 1 << (inputs[0].numel() - 1).bit_length()
        question = f"{self.builder} of {parameters:,} parameters, up to {at_most:,} numbers"
        return fastest_calculation(question, lambda: network(*inputs), self.device, precision)[0]
