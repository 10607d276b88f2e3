"""The two values that all parts share: State, which changes at every step, and Memory, which never does."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor


class State(NamedTuple):
    """What a recurrence carries from one position to the next; the batch is axis 1 of every tensor.

    `h` is (layers, batch, hidden); `c`, the cell state, has the same shape and exists for an LSTM only. `feed` is
    (1, batch, features), what the output layer read last, and exists with input feeding only. `attended` is
    (1, batch, positions), how much attention each position of a memory has had; it is kept where it was set to zeros.
    """

    h: Tensor
    c: Tensor | None = None
    feed: Tensor | None = None
    attended: Tensor | None = None

    def select(self, rows: Tensor) -> "State":
        """Return the state of these rows, (n,) numbers or a (batch,) mask: expand, reorder, drop or clone."""
        numbers = _numbers(rows)
        return self._map(lambda tensor: tensor.index_select(1, numbers))

    def put(self, rows: Tensor, other: "State") -> "State":
        """Return this state with `rows`, (n,) numbers, replaced by those of `other`, in order."""
        pairs = zip(self, other, strict=True)
        return State._make(a if a is None or b is None else a.index_copy(1, rows, b) for a, b in pairs)

    def detach(self) -> "State":
        """Return the same values cut off from the graph that computed them."""
        return self._map(Tensor.detach)

    def to(self, device: torch.device) -> "State":
        """Return the same values on a device."""
        return self._map(lambda tensor: tensor.to(device))

    def _map(self, function: Callable[[Tensor], Tensor]) -> "State":
        return State._make(tensor if tensor is None else function(tensor) for tensor in self)

    def layers(self, begin: int, end: int | None = None) -> "State":
        """Return the state of some of the layers, without what is not theirs."""
        return State(self.h[begin:end], None if self.c is None else self.c[begin:end])

    def below(self, other: "State") -> "State":
        """Return the state of these layers and, above them, those of `other`."""
        cells = None if self.c is None or other.c is None else torch.cat([self.c, other.c])
        return self._replace(h=torch.cat([self.h, other.h]), c=cells)


class Memory(NamedTuple):
    """What an encoder found; fixed for a whole decode.

    `states` is (batch, positions, dim), which attention reads; `mask` is (batch, positions), True where real;
    `summary` is (batch, dim), which heads and bridges read.
    """

    states: Tensor
    mask: Tensor
    summary: Tensor

    def select(self, rows: Tensor) -> "Memory":
        """Return the memory of these rows, (n,) numbers or a (batch,) mask."""
        numbers = _numbers(rows)
        # Several times faster than indexing, above all on the way back.
        return Memory(*(tensor.index_select(0, numbers) for tensor in self))


def _numbers(rows: Tensor) -> Tensor:
    return rows.nonzero().flatten() if rows.dtype == torch.bool else rows
