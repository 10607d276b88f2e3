"""The values that all parts share: State, which changes at every step, and Memory, which never does; and several."""

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

    def watching(self, memory: "Memory") -> "State":
        """Return this state with the sums of the attention weights of each position of a memory, all zero so far."""
        return self._replace(attended=memory.states.new_zeros(1, *memory.mask.shape, dtype=torch.float32))

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

    def float(self) -> "Memory":
        """Return the same values in fp32."""
        return Memory(self.states.float(), self.mask, self.summary.float())


@checked
class States(tuple[State, ...]):
    """The states of the decoders of an ensemble, in their order, all with the same rows."""

    __slots__ = ()

    @property
    def attended(self) -> Tensor | None:
        """The mean of the members' sums of attention weights, or None where a member has none.

        A member with other positions than the first, as from another grid of an image, is left out.
        """
        found = [state.attended for state in self if state.attended is not None]
        alike = [sums for sums in found if sums.shape == found[0].shape]
        return torch.stack(alike).mean(dim=0) if len(found) == len(self) else None

    def select(self, rows: Tensor) -> "States":
        """Return the states of these rows, as `State.select` does."""
        return States(state.select(rows) for state in self)

    def put(self, rows: Tensor, other: "States") -> "States":
        """Return these states with `rows` replaced by those of `other`, as `State.put` does."""
        return States(state.put(rows, theirs) for state, theirs in zip(self, other, strict=True))

    def detach(self) -> "States":
        """Return the same values, detached from the graph that computed them."""
        return States(state.detach() for state in self)

    def to(self, device: torch.device) -> "States":
        """Return the same values on a device."""
        return States(state.to(device) for state in self)

    def watching(self, memories: "Memories") -> "States":
        """Return these states with sums of attention weights, each of its own memory, all zero so far."""
        return States(state.watching(memory) for state, memory in zip(self, memories, strict=True))


@checked
class Memories(tuple[Memory, ...]):
    """The memories of the encoders of an ensemble, in their order, all with the same rows."""

    __slots__ = ()

    @property
    def mask(self) -> Tensor:
        """The (batch, positions) mask of the first."""
        return self[0].mask

    def select(self, rows: Tensor) -> "Memories":
        """Return the memories of these rows, as `Memory.select` does."""
        return Memories(memory.select(rows) for memory in self)

    def float(self) -> "Memories":
        """Return the same values in fp32."""
        return Memories(memory.float() for memory in self)


AnyState = State | States  # of a decoder, or of an ensemble
AnyMemory = Memory | Memories


def _numbers(rows: Tensor) -> Tensor:
    return rows.nonzero().flatten() if rows.dtype == torch.bool else rows
