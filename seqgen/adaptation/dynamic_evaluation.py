"""Dynamic evaluation: the weights learn from each window of the text after it was predicted."""

import math
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from seqgen.adaptation.learner import Learner
from seqgen.adaptation.reading import Predicted
from seqgen.errors import InputError

LARGE = 1000  # tokens; a vocabulary of more is one of words or subwords
STEPS = 200  # windows of a validation text that scales are of, and as many that rates are chosen on
DECAYED = 10  # windows between two steps towards the trained weights
FLOOR = 0.1  # of the root mean square of a row of weights, as a fraction of the mean of all
CLIP = 2.0  # usual norms of a step that one may have
LEARNING_RATE, DECAY, FACTOR = 0.1, 0.001, 2.5  # first tried, and the factor between two that are
LEAST = 0.001  # of the loss that a further one must be worth


class Rates(NamedTuple):
    """The learning rate, and the part of the way back to the trained weights that they go in each window."""

    learning_rate: float
    decay: float = 0.0

    def __str__(self) -> str:
        return f"learning rate {self.learning_rate:g}, decay {self.decay:g}"


class Scales(NamedTuple):
    """The factors of the learning rate, and the usual norm of a step with a learning rate of one.

    `factors` has, for each weight in the order of the model, (rows,) numbers, larger for rows with small gradients, as
    those of rare words have.
    """

    factors: list[Tensor]
    norm: float

    @classmethod
    def of(cls, model: nn.Module, tokens: np.ndarray, window: int) -> "Scales":
        """Return the mean gradient over that of each row.

        Gradients are root mean squares over the windows of a (length,) text and the columns of a row.
        """
        learner = Learner(model)
        squares, count = [torch.zeros(len(weight), device=weight.device) for weight in learner.weights], 0
        for predicted in learner.read(tokens, window):
            count += 1
            for place, gradient in learner.gradients(predicted):
                squares[place] += gradient.squares()
        columns = [weight.numel() // len(weight) for weight in learner.weights]
        roots = [(each / size).sqrt() for each, size in zip(squares, columns, strict=True)]
        total = sum(float(root.sum()) * size for root, size in zip(roots, columns, strict=True))
        mean = total / sum(weight.numel() for weight in learner.weights)
        factors = [mean / (root + FLOOR * mean) for root in roots]
        steps = [float((factor.square() * each).sum()) for factor, each in zip(factors, squares, strict=True)]
        return cls(factors, math.sqrt(sum(steps) / count))


class Dynamic(NamedTuple):
    """The settings of dynamic evaluation.

    `window` is the number of tokens between two steps.
    """

    rates: Rates
    window: int
    scales: Scales

    @classmethod
    def chosen(cls, model: nn.Module, tokens: np.ndarray, window: int) -> "Dynamic":
        """Return the settings with the lowest loss of the beginning of a (length,) validation text.

        The learning rate is tried upwards for as long as that helps, or else downwards, and then the decay upwards.

        Args:
            model: a decoder that can learn.
            tokens: (length,) numbers of the validation text.
            window: number of tokens between two steps.
        """
        # Rates are tried on other tokens than those that the scales are of, as rows unseen there have large ones.
        half = min(STEPS * window, len(tokens) // 2)
        scales, tokens = Scales.of(model, tokens[: max(half, 1)], window), tokens[half:][: STEPS * window]

        @cache
        def loss(rates: Rates) -> float:
            total = 0.0
            for predicted in dynamic(model, tokens, cls(rates, window, scales)):
                total += functional.cross_entropy(predicted.logits, predicted.targets, reduction="sum").item()
                if not math.isfinite(total):
                    return math.inf
            return total

        def last(best: Rates, following: Callable[[Rates], Rates]) -> Rates:
            """Return the last of successive rates of which each lowers the loss."""
            while loss(following(best)) < (1 - LEAST) * loss(best):
                best = following(best)
            return best

        best = first = Rates(LEARNING_RATE)
        while loss(best) == math.inf and best.learning_rate > 1e-9:
            best = Rates(best.learning_rate / FACTOR)
        best = last(best, lambda one: Rates(one.learning_rate * FACTOR))
        if best == first:
            best = last(best, lambda one: Rates(one.learning_rate / FACTOR))
        best = last(best, lambda one: one._replace(decay=one.decay * FACTOR or DECAY))
        return cls(best, window, scales)


def can_learn(model: nn.Module) -> bool:
    """Return whether a model has weights that gradients train."""
    return any(weight.requires_grad for weight in model.parameters())


def suitable_window(vocab_size: int) -> int:
    """Return a number of tokens between two steps: the fewer, the better and slower; words say more than characters."""
    return 20 if vocab_size > LARGE else 50


def dynamic(model: nn.Module, tokens: np.ndarray, settings: Dynamic) -> Iterator[Predicted]:
    """Yield the predictions of each window of a text, by weights that have learned from all windows before it.

    After each window its weights take a step of gradient descent on its loss, and then a part of the way back to the
    trained ones (Krause et al. 2018, Dynamic Evaluation of Neural Sequence Models; their root mean squares are here
    those of rows). The weights are those of a copy: the model stays as it is, whatever happens.

    Args:
        model: a decoder that reads all steps at once; its weights are trained.
        tokens: (length,) numbers of the text.
        settings: as they were chosen.

    Raises:
        InputError: other weights are trained than those that the scales are of.
    """
    rates, window, scales = settings
    learner = Learner(model)
    rows = [[len(each) for each in several] for several in (scales.factors, learner.weights)]
    if rows[0] != rows[1]:
        raise InputError(
            f"the weights that gradients train must be those that scales were chosen for, with {sum(rows[0]):,} rows, "
            f"but they have {sum(rows[1]):,}"
        )
    rate = rates.learning_rate / window
    factors = [rate * factor for factor in scales.factors]
    trained = [weight.detach() for weight in model.parameters() if weight.requires_grad]
    for number, predicted in enumerate(learner.read(tokens, window), start=1):
        yield predicted.detach()
        if rates.learning_rate:
            learner.step(predicted, factors, CLIP * rate * scales.norm)
        if rates.decay and number % DECAYED == 0:
            with torch.no_grad():
                torch._foreach_lerp_(learner.weights, trained, 1 - (1 - rates.decay) ** DECAYED)
