"""Shared base of the models with an encoder: inputs are encoded, batched by similar length, and given to the model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from seqgen.hardware.precision import Calculation, Precision, fastest_calculation
from seqgen.inference.bundle import Bundle, M
from seqgen.tasks.inputs import InputTask


@dataclass(kw_only=True)
class InputBundle(InputTask, Bundle[M]):
    """A bundle whose model has an encoder; a subclass encodes inputs as rows, and makes a batch of rows.

    Args:
        precision: of the encoder's matrix products, "fp32", "bf16", or "auto" for the one that is faster on this
            machine; it is not saved.
    """

    precision: Precision = "auto"

    def collate(self, rows: Sequence[Any]) -> tuple[Tensor, ...]:
        """Return the batch of tensors that the encoder takes for these rows."""
        return tuple(map(torch.from_numpy, self.arrays(rows)))

    @torch.inference_mode()
    def fastest(self, network: nn.Module, inputs: Sequence[Tensor], precision: Precision) -> Calculation:
        """Return how this network calculates inputs of about this size fastest on this machine."""
        parameters = sum(parameter.numel() for parameter in network.parameters())
        at_most = 1 << (inputs[0].numel() - 1).bit_length()
        question = f"{self.builder} of {parameters:,} parameters, up to {at_most:,} numbers"
        return fastest_calculation(question, lambda: network(*inputs), self.device, precision)[0]
