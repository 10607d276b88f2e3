"""Models of an encoder with a head or a decoder. A decoder alone is a language model."""

from typing import cast

from torch import Tensor, nn

from seqgen.arguments import checked
from seqgen.nn.decoder import RecurrentDecoder
from seqgen.protocols import Encoder, Factored, TrainableDecoder
from seqgen.state import State


@checked
class EncoderClassifier(nn.Module):
    """One answer for an input: the logits of its class.

    Args:
        encoder: of the input, a module.
        head: from (batch, features) summaries to (batch, classes) logits.
    """

    def __init__(self, encoder: Encoder, head: nn.Module):
        super().__init__()
        self.encoder, self.head = encoder, head

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return (batch, classes) logits."""
        logits: Tensor = self.head(self.encoder(*inputs).summary)
        return logits


@checked
class EncoderTagger(nn.Module):
    """One answer a step: the logits of each token's tag.

    Args:
        encoder: of the input, a module.
        head: from (batch, steps, features) states to (batch, steps, tags) logits.
    """

    def __init__(self, encoder: Encoder, head: nn.Module):
        super().__init__()
        self.encoder, self.head = encoder, head

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return (batch, steps, tags) logits; those on padding are meaningless."""
        logits: Tensor = self.head(self.encoder(*inputs).states)
        return logits


@checked
class EncoderDecoder(nn.Module):
    """A sequence for an input: the decoder starts from the summary of the encoder's memory, and attends to its states.

    Args:
        encoder: of the input, a module.
        decoder: whose `start` takes a memory, such as a `RecurrentDecoder` with a bridge.
    """

    def __init__(self, encoder: Encoder, decoder: TrainableDecoder):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    @property
    def output(self) -> nn.Linear:
        """The output layer of a recurrent decoder."""
        return cast("RecurrentDecoder", self.decoder).output

    def forward(self, inputs: tuple[Tensor, ...], tokens: Tensor) -> Tensor:
        """Return the logits of each next token, with teacher forcing.

        Args:
            inputs: of the encoder.
            tokens: (batch, steps) numbers, the first one BOS, right-padded.

        Returns:
            (batch, steps, vocabulary) logits.
        """
        memory = self.encoder(*inputs)
        logits, _ = self.decoder(tokens, self.decoder.start(memory), memory)
        return logits

    def output_layer(self) -> nn.Linear | None:
        """Return the layer that maps `output_features` to logits; None where `forward` computes them otherwise."""
        usual = type(self).forward is EncoderDecoder.forward and isinstance(self.decoder, Factored)
        return cast("Factored", self.decoder).output_layer() if usual else None

    def output_features(
        self, inputs: tuple[Tensor, ...], tokens: Tensor, *, watched: bool = False
    ) -> tuple[Tensor, State]:
        """Return the (batch, steps, features) input of the output layer, and the state after the last step.

        Args:
            inputs: of the encoder.
            tokens: (batch, steps) numbers, the first one BOS, right-padded.
            watched: whether the state has the sum of the attention weights of each position.
        """
        memory = self.encoder(*inputs)
        state = self.decoder.start(memory)
        if watched:
            state = state.watching(memory)
        return cast("Factored", self.decoder).output_features(tokens, state, memory)
