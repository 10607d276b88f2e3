"""The options of a generator that its text decides: by the size of the vocabulary, and by the number of epochs."""

import math
from dataclasses import fields
from typing import TypeVar

from seqgen.batches.text import TextBatches
from seqgen.runs.config import RunConfig
from seqgen.training.regularization import GATES, suitable_dropout, suitable_weight_drop

C = TypeVar("C", bound=RunConfig)

LARGE_VOCABULARY = 2000  # tokens, from which on the output layer has most of the weights
SAMPLED = (
    1000  # tokens at least that estimate a loss; a smaller part of a larger vocabulary than a sixteenth costs quality
)
PRODUCTS_PER_SECOND = 2.9e10  # multiplications by weights in training, the usual speed on two cores
MOST_TOKENS = 200_000  # that the smallest network reads in a second
WORDS_WITHOUT_DROPOUT = 1.5  # epochs after which words, of which there are fewer than characters, are overfitted


def of_vocabulary(config: C, words: type[C], vocab_size: int) -> C:
    """Return the options for a vocabulary; for a large one those that nobody has given are the defaults of `words`.

    Args:
        config: the options.
        words: the class of the options for a large vocabulary.
        vocab_size: number of tokens.
    """
    if vocab_size < LARGE_VOCABULARY:
        return config
    usual = {option.name: option.default for option in fields(config)}
    options = {name: getattr(config, name) for name in usual}
    for option in fields(words):
        if option.name not in config.settled and option.default != usual[option.name]:
            options[option.name] = option.default
    if "learning_rate" not in config.settled:
        options["learning_rate"] = words.learning_rates[config.optimizer]
    suited = words(**options)
    return suited if suited.size == "auto" else suited.of_size(suited.size)


def suitable_sample(vocab_size: int) -> int | None:
    """Return the number of tokens whose logits estimate the loss of an update; None where all are as cheap."""
    return max(SAMPLED, vocab_size // 16) if vocab_size > 4 * SAMPLED else None


def regularize(config: RunConfig, data: TextBatches, vocab_size: int) -> float:
    """Set the dropout probabilities of a generator that were not given, and return the number of epochs.

    Args:
        config: the options of a generator.
        data: its batches.
        vocab_size: number of tokens.
    """
    options = vars(config)
    sizes = {name: config.model[name] for name in ("cell", "hidden_size", "layers")}
    logits = options["sampled_softmax"] or vocab_size
    by_steps = (config.max_steps or math.inf) * config.accumulate / data.batches_per_epoch
    rate = tokens_per_second(**sizes, embedding_size=config.model["embedding_size"], logits=logits)
    epochs = min(by_steps, (config.max_seconds or math.inf) * rate / data.train_tokens)
    without = {} if vocab_size < LARGE_VOCABULARY else {"without": WORDS_WITHOUT_DROPOUT}
    if options["dropout"] is None:
        options["dropout"] = suitable_dropout(epochs, **without)
    if options["weight_drop"] is None:
        options["weight_drop"] = suitable_weight_drop(**sizes, tokens=data.train_tokens, epochs=epochs)
    return epochs


def tokens_per_second(cell: str, hidden_size: int, layers: int, embedding_size: int, logits: int) -> float:
    """Return the usual speed of training a generator: by the weights that each token is multiplied by."""
    of_layers = GATES[cell] * hidden_size * (embedding_size + (2 * layers - 1) * hidden_size)
    return min(PRODUCTS_PER_SECOND / (of_layers + hidden_size * logits), MOST_TOKENS)
