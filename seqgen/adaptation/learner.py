"""A copy of a model whose weights learn from each window of a text, with few passes over large weights."""

import copy
from collections.abc import Iterator
from typing import NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from seqgen.adaptation.reading import Predicted, predict, windows
from seqgen.protocols import Factored
from seqgen.settings import gradients


class Gradient(NamedTuple):
    """The gradient of a weight: `left` transposed times `right` where there are both, else `right`.

    `left` is (steps, rows) and `right` (steps, columns), so that the gradient of an output layer over a large
    vocabulary is never written down; or `right` has the shape of the weight, and is sparse for an embedding.
    """

    left: Tensor | None
    right: Tensor

    def subtract_from(self, weight: Tensor, factors: Tensor) -> None:
        """Subtract the gradient, each row times its (rows,) factor, from a weight."""
        if self.left is not None:
            weight.addmm_((self.left * factors).t(), self.right, alpha=-1)
        elif self.right.is_sparse:
            rows = self.right._indices()[0]
            weight.index_add_(0, rows, self.right._values() * factors[rows, None], alpha=-1)
        else:
            weight.addcmul_(self.right, factors.view(-1, *[1] * (weight.dim() - 1)), value=-1)

    def squares(self) -> Tensor:
        """Return the (rows,) sums of squares."""
        if self.left is not None:
            return ((self.right @ self.right.t()) @ self.left).mul_(self.left).sum(dim=0)
        dense = self.right.to_dense() if self.right.is_sparse else self.right
        return dense.square().flatten(1).sum(dim=1) if dense.dim() > 1 else dense.square()


class Learner:
    """A copy of a model in evaluation mode, which learns what it is told to; the model itself stays as it is.

    Args:
        model: a decoder that reads all steps at once.
    """

    def __init__(self, model: nn.Module):
        self.model = copy.deepcopy(model).eval()
        for module in self.model.modules():
            if isinstance(module, nn.Embedding):
                module.sparse = True
        self.weights: list[Tensor] = [weight for weight in self.model.parameters() if weight.requires_grad]

    def read(self, tokens: np.ndarray, window: int) -> Iterator[Predicted]:
        """Yield the predictions of each window of a (length,) text with what gradients need, by the present weights."""
        state = None
        for inputs, targets in windows(tokens, window, self.weights[0].device):
            # The kernels of cuDNN have no backward pass in evaluation mode.
            with gradients(), torch.backends.cudnn.flags(enabled=False):
                predicted, after = predict(self.model, inputs, targets, state)
            yield predicted
            state = after.detach()

    def gradients(self, predicted: Predicted) -> Iterator[tuple[int, Gradient]]:
        """Yield the places of weights with their gradients of the summed loss of a window; a place may come twice."""
        if predicted.features is None:
            with gradients():
                loss = functional.cross_entropy(predicted.logits, predicted.targets, reduction="sum")
            of_all = torch.autograd.grad(loss, self.weights, allow_unused=True)
        else:
            layer = cast("nn.Linear", cast("Factored", self.model).output_layer())
            error = predicted.logits.detach().softmax(dim=1)
            error[torch.arange(len(error), device=error.device), predicted.targets] -= 1
            of_features = error @ layer.weight.detach()
            of_all = torch.autograd.grad(predicted.features, self.weights, of_features, allow_unused=True)
            for place, weight in enumerate(self.weights):
                if weight is layer.weight:
                    yield place, Gradient(error, predicted.features.detach())
                elif weight is layer.bias:
                    yield place, Gradient(None, error.sum(dim=0))
        yield from ((place, Gradient(None, right)) for place, right in enumerate(of_all) if right is not None)

    @torch.no_grad()
    def step(self, predicted: Predicted, factors: list[Tensor], longest: float) -> None:
        """Take a step of gradient descent on the summed loss of a window.

        Args:
            predicted: the predictions of the window by the present weights.
            factors: for each weight, the (rows,) learning rates.
            longest: norm of the step; a longer one is shortened to it, as one outlier would undo what was learned.
        """
        found = list(self.gradients(predicted))
        squares = [(factors[place].square() * gradient.squares()).sum() for place, gradient in found]
        shortened = (longest / torch.stack(squares).sum().sqrt()).clamp(max=1)
        for place, gradient in found:
            gradient.subtract_from(self.weights[place], factors[place] * shortened)
