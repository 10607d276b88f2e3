"""Shared base of classifiers and taggers in use: the logits and probabilities of all answers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seqgen.generation.logits import require_finite
from seqgen.inference.bundle import M
from seqgen.inference.inputs import InputBundle
from seqgen.settings import evaluating
from seqgen.tasks.answers import AnswerTask


@dataclass(kw_only=True)
class AnswerBundle(AnswerTask, InputBundle[M]):
    """A bundle whose model gives each answer a logit."""

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

    def distributions(self, rows: Sequence[Any], budget: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the numbers of each batch's rows with the probabilities of all answers, on the last axis, as float32.

        A batch has at most `budget` positions, with padding.
        """
        for numbers, logits in self.logits(rows, budget):
            yield numbers, logits.softmax(dim=-1).cpu().numpy()
