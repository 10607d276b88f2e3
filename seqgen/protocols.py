"""The protocols that all parts share: Encoder, Decoder, and what a decoder may offer beside."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, runtime_checkable

from torch import Tensor, nn

from seqgen.state import Memory, State


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

    def output_layer(self) -> nn.Linear | None:
        """Return the layer that makes all logits of `output_features`; None where `forward` makes them otherwise."""
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

    `cell` is "lstm", "gru" or "rnn", and `equation` its arithmetic: from the products of input and hidden state and
    the states before to the states after. `embedding` is (vocabulary, embedding); `output` a (vocabulary, features)
    matrix and its bias, and `projection`, where there is one, the same of what it reads. `attention`, where there is
    one, gives a (batch, steps, features) context vector and attention weights for the hidden states of the first
    `attends_after` layers; the context vector is concatenated to them.
    """

    cell: str
    equation: Callable[..., tuple[Tensor, Tensor | None]]
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
