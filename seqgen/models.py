"""An encoder with a head or a decoder. A decoder alone already is a language model."""

from typing import cast

import torch
from torch import Tensor, nn

from seqgen.nn.decoder import RecurrentDecoder
from seqgen.protocols import Encoder
from seqgen.state import State


class EncoderClassifier(nn.Module):
    """One answer to an input: the logits of its class.

    Args:
        encoder: of the input, a module.
        head: of (batch, features) summaries, to (batch, classes) logits.
    """

    def __init__(self, encoder: Encoder, head: nn.Module):
        super().__init__()
        self.encoder, self.head = encoder, head

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return (batch, classes) logits."""
        logits: Tensor = self.head(self.encoder(*inputs).summary)
        return logits


class EncoderTagger(nn.Module):
    """One answer a step: the logits of each token's tag.

    Args:
        encoder: of the input, a module.
        head: of (batch, steps, features) states, to (batch, steps, tags) logits.
    """

    def __init__(self, encoder: Encoder, head: nn.Module):
        super().__init__()
        self.encoder, self.head = encoder, head

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return (batch, steps, tags) logits; those on padding mean nothing."""
        logits: Tensor = self.head(self.encoder(*inputs).states)
        return logits


class EncoderDecoder(nn.Module):
    """A sequence to an input: what the encoder finds is where the decoder starts, and what it looks at.

    Args:
        encoder: of the input, a module.
        decoder: with a bridge from the encoder's summary.
    """

    def __init__(self, encoder: Encoder, decoder: RecurrentDecoder):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    @property
    def output(self) -> nn.Linear:
        """The decoder's output layer."""
        return self.decoder.output

    def forward(self, inputs: tuple[Tensor, ...], tokens: Tensor) -> Tensor:
        """Return the logits of each next token, with teacher forcing.

        Args:
            inputs: of the encoder.
            tokens: (batch, steps) the first of them BOS, right-padded.

        Returns:
            (batch, steps, vocabulary) logits.
        """
        memory = self.encoder(*inputs)
        logits, _ = self.decoder(tokens, self.decoder.start(memory), memory)
        return cast("Tensor", logits)

    def output_layer(self) -> nn.Linear | None:
        """Return the layer that makes all logits of `output_features`; None where a subclass has its own `forward`."""
        return self.decoder.output_layer() if type(self).forward is EncoderDecoder.forward else None

    def output_features(
        self, inputs: tuple[Tensor, ...], tokens: Tensor, *, watched: bool = False
    ) -> tuple[Tensor, State]:
        """Return the (batch, steps, features) that the output layer reads, and the state after the last position.

        Args:
            inputs: of the encoder.
            tokens: (batch, steps) the first of them BOS, right-padded.
            watched: whether the state says how much attention each position has had.
        """
        memory = self.encoder(*inputs)
        state = self.decoder.start(memory)
        if watched:
            state = state._replace(attended=memory.states.new_zeros(1, *memory.mask.shape, dtype=torch.float32))
        return self.decoder.output_features(tokens, state, memory)
