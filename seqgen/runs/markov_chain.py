"""The Markov chain beside a generator: what counting alone makes of the same text."""

from typing import NamedTuple

from seqgen.batches.text import TextBatches
from seqgen.errors import counted
from seqgen.ngram import NGram

LONGEST = 12  # tokens of the longest n-grams that are tried
MOST_TOKENS = 2_000_000  # that are counted, which takes some seconds


class MarkovChain(NamedTuple):
    """An n-gram model, its losses, and the number of tokens that were counted, out of all to train on.

    `losses` are in nats a token, by the beginning of their names: "val", and "test" where there is a text to test on.
    """

    model: NGram
    losses: dict[str, float]
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
        return {**losses, "ngram_order": self.model.order, "ngram_tokens": self.tokens}

    def __str__(self) -> str:
        part = f" of {counted(self.tokens, 'token')} alone" if self.tokens < self.train_tokens else ""
        return f"Markov chain ({self.model.order}-gram{part}): validation loss {self.val_loss:.4f} nats a token"


def markov_chain(data: TextBatches, vocab_size: int) -> MarkovChain:
    """Return the n-gram model of a text, of the order with the lowest validation loss.

    Args:
        data: the training text, of which `MOST_TOKENS` are read at most, and those to validate and to test on.
        vocab_size: number of tokens.
    """
    tokens = data.train_text(MOST_TOKENS)
    model = NGram.fit(tokens, vocab_size=vocab_size, order=LONGEST, valid=data.held_back)
    losses = {name: -float(model.score(part.tokens).mean()) for name, part in data.evaluated.items()}
    return MarkovChain(model, losses, len(tokens), data.train_tokens)
