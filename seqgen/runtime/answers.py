"""Shared base of classifiers and taggers in onnxruntime."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqgen.errors import InputError
from seqgen.runtime.graph import Graph
from seqgen.runtime.logits import require_finite, softmax
from seqgen.tasks.answers import AnswerTask


@dataclass(kw_only=True)
class GraphAnswers(AnswerTask):
    """A task whose answers a graph gives a logit each.

    Args:
        graph: from the arrays of a batch to its logits.
    """

    graph: Graph

    def distributions(self, rows: Sequence[Any], budget: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the numbers of each batch's rows with the probabilities of all answers, on the last axis, as float32.

        A batch has at most `budget` positions, with padding.
        """
        for numbers, inputs in self.batches(rows, budget):
            logits = self.graph(*inputs)["logits"]
            if len(logits) != len(numbers):
                raise InputError(f"{self.graph.path} must answer {len(numbers)} inputs, but it answers {len(logits)}")
            require_finite(logits)
            yield numbers, softmax(logits)
