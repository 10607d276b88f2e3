"""The words that all parts share: State, Memory, and the protocols Encoder and Decoder."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor, nn


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

    @property
    def output(self) -> nn.Linear:
        """The linear layer."""
        ...

    def output_features(self, *inputs: Any, **options: Any) -> tuple[Tensor, State]:
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

    `cell` names its equations; `embedding` is (vocabulary, embedding); `output` a (vocabulary, features) matrix and
    its bias, and `projection`, where there is one, the same of what it reads. `attention`, where there is one, gives
    (batch, steps, found) and weights for what the first `attends_after` layers find; what it finds stands beside that.
    """

    cell: str
    embedding: Tensor
    layers: list[LayerWeights]
    output: tuple[Tensor, Tensor | None]
    projection: tuple[Tensor, Tensor | None] | None = None
    attention: Callable[[Tensor, Memory], tuple[Tensor, Tensor]] | None = None
    attends_after: int = 0


@runtime_checkable
class Packable(Decoder, Reader, Protocol):
    """A decoder whose step is an embedding, recurrent layers and an output layer; writing lays it out anew."""

    def weights(self) -> DecoderWeights | None:
        """Return what the step calculates with, or None where it does anything else."""
        ...


def _numbers(rows: Tensor) -> Tensor:
    return rows.nonzero().flatten() if rows.dtype == torch.bool else rows
