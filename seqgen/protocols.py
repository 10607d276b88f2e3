"""The protocols of encoders and decoders, and of what a decoder may offer in addition."""

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
    """All that sampling and beam search need of a model.

    States and memories are a `State` and a `Memory`, but of an ensemble `States` and `Memories`.
    """

    def start(self, memory: Any = None, *, batch_size: int | None = None) -> Any:
        """Return the state before the first token, for the rows of `memory` or for `batch_size` rows."""
        ...

    def step(self, tokens: Tensor, state: Any, memory: Any = None) -> tuple[Tensor, Any]:
        """Read (batch,) tokens and return the (batch, vocabulary) logits of the next ones, and the state."""
        ...


class TrainableDecoder(Decoder, Protocol):
    """A decoder that also reads all steps at once, which training and the scores of texts need."""

    def __call__(self, tokens: Tensor, state: Any = None, memory: Any = None) -> tuple[Tensor, Any]:
        """Return (batch, steps, vocabulary) logits for (batch, steps) tokens, and the state after the last step.

        It starts from `state`, or without one from that of `start`.
        """
        ...


@runtime_checkable
class Reader(Protocol):
    """A decoder that also reads a whole prompt in one fused pass; sampling uses this where it exists."""

    def read(self, tokens: Tensor, lengths: Tensor, state: Any, memory: Any = None) -> tuple[Tensor, Any]:
        """Read right-padded (batch, steps) tokens; return logits and state after each row's last real token."""
        ...


@runtime_checkable
class Factored(Protocol):
    """A model whose logits are a linear layer of its features, so that a loss need not hold all logits at once."""

    def output_layer(self) -> nn.Linear | None:
        """Return the layer that maps `output_features` to logits; None where `forward` computes them otherwise."""
        ...

    def output_features(self, *inputs: Any, **options: Any) -> tuple[Tensor, State]:
        """Return the (batch, steps, features) input of the output layer, and the state after the last step."""
        ...


class LayerWeights(NamedTuple):
    """A recurrent layer's (gates, input) and (gates, hidden) matrices and their biases, in torch's order of gates."""

    input: Tensor
    state: Tensor
    input_bias: Tensor
    state_bias: Tensor


class DecoderWeights(NamedTuple):
    """The weights of a recurrent decoder.

    `cell` is "lstm", "gru" or "rnn", and `equation` its arithmetic: from the products of input and hidden state, and
    both states, to the next of both. `embedding` is (vocabulary, embedding); `output` a (vocabulary, features) matrix
    and its bias, and `projection`, where there is one, those of the layer before it. `attention`, where there is one,
    gives (batch, steps, features) context vectors and attention weights for the hidden states of the first
    `attends_after` layers; the context vectors are concatenated to them.
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
    """A decoder whose step is an embedding, recurrent layers and an output layer; generation packs its weights."""

    def weights(self) -> DecoderWeights | None:
        """Return the weights of the step, or None where it has other parts."""
        ...
