"""The Markov chain beside a generator: what counting alone makes of the same text."""

from typing import NamedTuple

from seqgen.batches.text import TextBatches
from seqgen.errors import counted
from seqgen.ngram import NGram

LONGEST = 12  # tokens of the longest n-grams that are tried
MOST_TOKENS = 2_000_000  # that are counted, which takes some seconds


class MarkovChain(NamedTuple):
    """An n-gram model, its validation loss, and the number of tokens that were counted, out of all to train on."""

    model: NGram
    val_loss: float
    tokens: int
    train_tokens: int

    @property
    def figures(self) -> dict[str, float]:
        """The metrics, by their names in `results.json`."""
        return {"ngram_val_loss": self.val_loss, "ngram_order": self.model.order, "ngram_tokens": self.tokens}

    def __str__(self) -> str:
        part = f" of {counted(self.tokens, 'token')} alone" if self.tokens < self.train_tokens else ""
        return f"Markov chain ({self.model.order}-gram{part}): validation loss {self.val_loss:.4f} nats a token"


def markov_chain(data: TextBatches, vocab_size: int) -> MarkovChain:
    """Return the n-gram model of a text, of the order with the lowest validation loss.

    Args:
        data: the training text, of which `MOST_TOKENS` are read at most, and that for validation.
        vocab_size: number of tokens.
    """
    tokens = data.train_text(MOST_TOKENS)
    model = NGram.fit(tokens, vocab_size=vocab_size, order=LONGEST, valid=data.held_back)
    val_loss = -float(model.score(data.held_back).mean())
    return MarkovChain(model, val_loss, len(tokens), data.train_tokens)
