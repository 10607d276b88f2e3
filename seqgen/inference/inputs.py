"""Shared base of the models with an encoder: inputs are encoded, batched by similar length, and given to the model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from seqgen.generation.logits import require_finite
from seqgen.hardware.precision import Calculation, Precision, fastest_calculation
from seqgen.inference.bundle import Bundle, M
from seqgen.settings import evaluating
from seqgen.state import Memory
from seqgen.tasks.inputs import InputTask

EMBEDDED = 64  # inputs, each as long as the longest, that are encoded at once


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

    def embed(self, inputs: Any) -> np.ndarray:
        """Return the (inputs, size) vectors by which the encoder summarizes inputs, as float32.

        The model answers from them, so inputs that it takes for similar have similar vectors.

        Args:
            inputs: one input, or a list of them, as the model takes them; batches are made of them inside. The vector
                of one without a token is zero.

        Raises:
            InputError: an input cannot be read, or this is an ensemble.
        """
        self.require_single("embed")
        rows = [self.encode(one) for one in (inputs if isinstance(inputs, list) else [inputs])]
        lengths = self.lengths(rows)
        real, budget = np.flatnonzero(lengths), EMBEDDED * int(lengths.max(initial=1))
        # Encoders of one's own may have no such attribute; without it the first batch tells the size.
        vectors = np.zeros((len(rows), getattr(self.model.encoder, "summary_size", 0)), np.float32)
        with evaluating(self.model):
            for numbers, batch in self.batches([rows[number] for number in real], budget):
                summary = self._encode(batch, self.precision).summary
                require_finite(summary)
                if not vectors.size:
                    vectors = np.zeros((len(rows), summary.shape[1]), np.float32)
                vectors[real[numbers]] = summary.cpu().numpy()
        return vectors

    @torch.inference_mode()
    def _encode(self, inputs: tuple[Tensor, ...], precision: Precision) -> Memory:
        given, encoder = [tensor.to(self.device) for tensor in inputs], cast("nn.Module", self.model.encoder)
        with self.fastest(encoder, given, precision).applied(self.device):
            memory: Memory = encoder(*given)
        return memory.float()

    @torch.inference_mode()
    def fastest(self, network: nn.Module, inputs: Sequence[Tensor], precision: Precision) -> Calculation:
        """Return how this network calculates inputs of about this size fastest on this machine."""
        parameters = sum(parameter.numel() for parameter in network.parameters())
        at_most = 1 << (inputs[0].numel() - 1).bit_length()
        question = f"{self.builder} of {parameters:,} parameters, up to {at_most:,} numbers"
        return fastest_calculation(question, lambda: network(*inputs), self.device, precision)[0]
