"""An encoder with a head: one answer, or one answer a step. A decoder alone already is a language model."""

from torch import Tensor, nn

from seqgen.state import Encoder


class Classifier(nn.Module):
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


class Tagger(nn.Module):
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
