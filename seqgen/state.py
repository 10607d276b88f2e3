"""The two values that all parts share: State, which changes at every step, and Memory, which never does."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from seqgen.arguments import checked


@checked
class State(NamedTuple):
    """The state of a recurrent decoder between two steps; the batch is axis 1 of every tensor.

    `h`, the hidden state, is (layers, batch, hidden); `c`, the cell state, has the same shape and exists for an LSTM
    only. `feed` is (1, batch, features), the last input of the output layer, and exists with input feeding only.
    `attended` is (1, batch, positions), the sum of the attention weights of each position, where it began with zeros.
    """

    h: Tensor
    c: Tensor | None = None
    feed: Tensor | None = None
    attended: Tensor | None = None

    def select(self, rows: Tensor) -> "State":
        """Return the state of these rows, (n,) numbers or a (batch,) mask: repeated, reordered or dropped."""
        numbers = _numbers(rows)
        return self._map(lambda tensor: tensor.index_select(1, numbers))

    def put(self, rows: Tensor, other: "State") -> "State":
        """Return this state with `rows`, (n,) numbers, replaced by those of `other`, in order."""
        pairs = zip(self, other, strict=True)
        return State._make(a if a is None or b is None else a.index_copy(1, rows, b) for a, b in pairs)

    def detach(self) -> "State":
        """Return the same values, detached from the graph that computed them."""
        return self._map(Tensor.detach)

    def to(self, device: torch.device) -> "State":
        """Return the same values on a device."""
        return self._map(lambda tensor: tensor.to(device))

    def _map(self, function: Callable[[Tensor], Tensor]) -> "State":
        return State._make(tensor if tensor is None else function(tensor) for tensor in self)

    def layers(self, begin: int, end: int | None = None) -> "State":
        """Return the hidden and cell states of some of the layers alone."""
        return State(self.h[begin:end], None if self.c is None else self.c[begin:end])

    @classmethod
    def joined(cls, states: Sequence["State"]) -> "State":
        """Return the state of the rows of all these states, one after another."""
        return cls._make(None if None in parts else torch.cat(parts, dim=1) for parts in zip(*states, strict=True))

    def below(self, other: "State") -> "State":
        """Return this state with the layers of `other` above its own."""
        cells = None if self.c is None or other.c is None else torch.cat([self.c, other.c])
        return self._replace(h=torch.cat([self.h, other.h]), c=cells)


@checked
class Memory(NamedTuple):
    """The output of an encoder, which is the same for all steps of a decoder.

    `states` is (batch, positions, features), for attention; `mask` is (batch, positions), False on padding; `summary`
    is (batch, features), for heads and bridges.
    """

    states: Tensor
    mask: Tensor
    summary: Tensor

    def select(self, rows: Tensor) -> "Memory":
        """Return the memory of these rows, (n,) numbers or a (batch,) mask."""
        numbers = _numbers(rows)
        # Several times faster than indexing, above all in the backward pass.
        return Memory(*(tensor.index_select(0, numbers) for tensor in self))


def _numbers(rows: Tensor) -> Tensor:
    return rows.nonzero().flatten() if rows.dtype == torch.bool else rows
