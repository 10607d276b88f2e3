"""The Markov chain beside a generator: what counting alone makes of the same text, and what both know together."""

from functools import partial
from typing import NamedTuple

import numpy as np
from torch import nn

from seqgen.adaptation.mixture import mixed, mixture_weights
from seqgen.adaptation.ngram import MOST_COUNTED, counted_in
from seqgen.adaptation.static import static_components
from seqgen.batches.text import TextBatches
from seqgen.errors import counted
from seqgen.ngram import NGram
from seqgen.runs.run import Run


class MarkovChain(NamedTuple):
    """An n-gram model beside a network, and the number of tokens that were counted, out of all to train on.

    `losses` are those of the n-gram model in nats a token, by the beginning of their names: "val", and "test" where
    there is a text to test on; so are `network_losses`, and `mixture_losses` of the two, mixed: the probability of each
    token is the weighted mean of both, where `weight` is the weight of the n-gram model. It suits the validation text,
    and how much lower that loss is than the network's says what counting knows that the network does not.
    """

    model: NGram
    losses: dict[str, float]
    network_losses: dict[str, float]
    mixture_losses: dict[str, float]
    weight: float
    tokens: int
    train_tokens: int

    @property
    def val_loss(self) -> float:
        """The validation loss in nats a token."""
        return self.losses["val"]

    @property
    def figures(self) -> dict[str, float]:
        """The metrics, by their names in `results.json`."""
        losses = {f"ngram_{name}_loss": loss for name, loss in self.losses.items()}
        losses |= {f"mixture_{name}_loss": loss for name, loss in self.mixture_losses.items()}
        about = {"ngram_order": self.model.order, "ngram_tokens": self.tokens, "mixture_ngram_weight": self.weight}
        return {**losses, **about}

    @property
    def mixture(self) -> str:
        """The losses of the mixture in words."""
        names = {"val": "validation loss", "test": "test loss"}
        losses = ", ".join(f"{names[name]} {loss:.4f}" for name, loss in self.mixture_losses.items())
        return f"both mixed, {self.weight:.1%} of each probability from the Markov chain: {losses} nats a token"

    def __str__(self) -> str:
        part = f" of {counted(self.tokens, 'token')} alone" if self.tokens < self.train_tokens else ""
        return f"Markov chain ({self.model.order}-gram{part}): validation loss {self.val_loss:.4f} nats a token"


def markov_chain(run: Run, network: nn.Module, data: TextBatches, vocab_size: int) -> MarkovChain:
    """Return the n-gram model of a text, of the order with the lowest validation loss, beside a network.

    Args:
        run: whose processes each evaluate a part.
        network: what was trained on the same text.
        data: the training text, of which `MOST_COUNTED` are read at most, and those to validate and to test on.
        vocab_size: number of tokens.
    """
    tokens = data.train_text(MOST_COUNTED)
    model = counted_in(tokens, data.held_back, vocab_size=vocab_size)
    both = {}
    for name, part in data.evaluated.items():
        parts = run.processes.together(partial(static_components, network, model, part.batches()))
        both[name] = np.concatenate(parts, axis=1)
    weights = mixture_weights(both["val"])
    network_losses, losses = ({name: -float(logs[row].mean()) for name, logs in both.items()} for row in (0, 1))
    mixture_losses = {name: -float(mixed(logs, weights).mean()) for name, logs in both.items()}
    weight = float(weights[1])
    return MarkovChain(model, losses, network_losses, mixture_losses, weight, len(tokens), data.train_tokens)
