"""The words that all parts share: State, Memory, and the protocols Encoder and Decoder."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor, nn


class State(NamedTuple):
    """What a recurrence carries from one position to the next; the batch is axis 1 of every tensor.

    `h` is (layers, batch, hidden); `c`, the cell state, has the same shape and exists for an LSTM only.
    """

    h: Tensor
    c: Tensor | None = None

    def select(self, rows: Tensor) -> "State":
        """Return the state of these rows, (n,) numbers or a (batch,) mask: expand, reorder, drop or clone."""
        rows = rows.nonzero().flatten() if rows.dtype == torch.bool else rows
        return self._map(lambda tensor: tensor.index_select(1, rows))

    def put(self, rows: Tensor, other: "State") -> "State":
        """Return this state with `rows`, (n,) numbers, replaced by those of `other`, in order."""
        return State(
            self.h.index_copy(1, rows, other.h),
            None if self.c is None or other.c is None else self.c.index_copy(1, rows, other.c),
        )

    def detach(self) -> "State":
        """Return the same values cut off from the graph that computed them."""
        return self._map(Tensor.detach)

    def to(self, device: torch.device) -> "State":
        """Return the same values on a device."""
        return self._map(lambda tensor: tensor.to(device))

    def _map(self, function: Callable[[Tensor], Tensor]) -> "State":
        return State(function(self.h), None if self.c is None else function(self.c))


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
        return Memory(self.states[rows], self.mask[rows], self.summary[rows])


class Encoder(Protocol):
    """Any module that turns an input into a memory."""

    output_size: int

    def __call__(self, *inputs: Any) -> Memory:
        """Encode a batch of inputs."""
        ...


class Decoder(Protocol):
    """All that sampling and search ask for."""

    def start(self, memory: Memory | None = None, *, batch_size: int | None = None) -> State:
        """Return the state before the first token, for the rows of `memory` or for `batch_size` rows."""
        ...

    def step(self, tokens: Tensor, state: State, memory: Memory | None = None) -> tuple[Tensor, State]:
        """Read (batch,) tokens and return the (batch, vocabulary) logits of the next ones, and the state."""
        ...


@runtime_checkable
class Reader(Protocol):
    """A decoder that also reads a whole prompt in one fused pass; sampling uses it where it is there."""

    def read(self, tokens: Tensor, lengths: Tensor, state: State, memory: Memory | None = None) -> tuple[Tensor, State]:
        """Read right-padded (batch, steps) tokens; return logits and state after each row's last real one."""
        ...


@runtime_checkable
class Factored(Protocol):
    """A model whose logits are one linear layer of its features, so that a loss need not hold all of them at once."""

    output: nn.Linear

    def features(
        self, tokens: Tensor, state: State | None = None, memory: Memory | None = None
    ) -> tuple[Tensor, State]:
        """Return the (batch, steps, features) that the output layer reads, and the state after the last position."""
        ...


class LayerWeights(NamedTuple):
    """Of a recurrent layer, in torch's order of gates: (gates, input) and (gates, hidden) matrices and their biases."""

    input: Tensor
    state: Tensor
    input_bias: Tensor
    state_bias: Tensor


class DecoderWeights(NamedTuple):
    """All that a recurrent decoder calculates with.

    `cell` names its equations; `embedding` is (vocabulary, embedding); `output` a (vocabulary, hidden) matrix and
    its bias.
    """

    cell: str
    embedding: Tensor
    layers: list[LayerWeights]
    output: tuple[Tensor, Tensor | None]


@runtime_checkable
class Packable(Decoder, Reader, Protocol):
    """A decoder whose step is an embedding, recurrent layers and an output layer; writing lays it out anew."""

    def weights(self) -> DecoderWeights | None:
        """Return what the step calculates with, or None where it does anything else."""
        ...
