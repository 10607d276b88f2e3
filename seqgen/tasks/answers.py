"""Shared base of the tasks with answers: of classifiers one for each input, of taggers one for each of its tokens."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqgen.tasks.inputs import InputTask


@dataclass(kw_only=True)
class AnswerTask(InputTask):
    """Inputs around a network that gives each answer a probability."""

    @abstractmethod
    def distributions(self, rows: Sequence[Any], budget: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the numbers of each batch's rows with the probabilities of all answers, on the last axis, as float32.

        A batch has at most `budget` positions, with padding.
        """
