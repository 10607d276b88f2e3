"""The inputs of graphs: their shapes, and random ones to try a graph with."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

Shape = tuple[int | str, ...]  # the name of an axis in place of its length, where that is any
Axes = dict[str, int]  # lengths of axes, by their names


class Input(NamedTuple):
    """An input.

    Args:
        shape: the lengths of its axes, or their names.
        values: random ones of a shape, given the lengths of all axes.
    """

    shape: Shape
    values: Callable[[list[int], Axes], Tensor]

    def draw(self, axes: Axes) -> Tensor:
        """Return random values for axes of these lengths."""
        return self.values([axes[one] if isinstance(one, str) else one for one in self.shape], axes)


def whole_numbers(below: int, *shape: int | str) -> Input:
    """Return tokens or categories."""
    return Input(shape, lambda sizes, axes: torch.randint(below, sizes))


def padded(vocab_size: int, *shape: int | str) -> Input:
    """Return tokens of right-padded rows, none of them empty."""
    return Input(shape, lambda sizes, axes: torch.randint(1, vocab_size, sizes) * _real(sizes))


def places(*shape: int | str) -> Input:
    """Return rows of spellings."""
    return Input(shape, lambda sizes, axes: torch.randint(axes["words"], sizes))


def lengths(*shape: int | str) -> Input:
    """Return numbers of real tokens."""
    return Input(shape, lambda sizes, axes: torch.randint(1, axes["time"] + 1, sizes))


def mask(*shape: int | str) -> Input:
    """Return masks of right-padded rows."""
    return Input(shape, lambda sizes, axes: _real(sizes))


def numbers(*shape: int | str) -> Input:
    """Return images, numbers, hidden states or the states of a memory."""
    return Input(shape, lambda sizes, axes: torch.randn(sizes))


def _real(sizes: list[int]) -> Tensor:
    """Return the (rows, positions) mask of random lengths."""
    rows, positions = sizes
    return torch.arange(positions) < torch.randint(1, positions + 1, (rows, 1))
