"""The reading directions of an encoder, each of which begins with the weights of a generator that reads so."""

from collections.abc import Sequence
from typing import cast

import torch
from torch import nn

from seqgen.errors import InputError
from seqgen.inference.generator import Generator
from seqgen.nn.decoder import RecurrentDecoder
from seqgen.nn.encoders import SequenceEncoder
from seqgen.text.tokenizer import tokenizer_data

FROM_EMBEDDINGS = "layers.0.weight_ih_l0"


def recurrent_decoder(generator: Generator) -> RecurrentDecoder:
    """Return the model of a generator.

    Raises:
        InputError: it is an ensemble, or no recurrent network, such as an n-gram model.
    """
    generator.require_single("what a classifier begins with")
    if not isinstance(generator.model, RecurrentDecoder):
        kind = type(generator.model).__name__
        raise InputError(f"a generator to begin with must have a RecurrentDecoder as its model, not a {kind}")
    return generator.model


def require_fitting(forward: Generator, backward: Generator | None) -> None:
    """Raise an InputError where generators do not suit the two directions of one encoder.

    Args:
        forward: for the forward direction.
        backward: for the backward direction, or None.
    """
    if forward.backward:
        raise InputError("generator must read forward to begin the forward direction with, but it reads backward")
    if backward is None:
        return
    if not backward.backward:
        raise InputError("backward must be a generator that learned texts from their end, but it reads forward")
    if tokenizer_data(forward.tokenizer) | {"backward": True} != tokenizer_data(backward.tokenizer):
        rule = "backward must have the vocabulary of generator, but it has another"
        raise InputError(f"{rule}: train both on the same text, with the same --tokenizer and --vocab_size")
    layers = recurrent_decoder(forward).recurrent, recurrent_decoder(backward).recurrent
    one, other = ((stack.cell, stack.hidden_size, len(stack.stack)) for stack in layers)
    if one != other:
        sizes = [f"{cell}, hidden_size {size}, layers {count}" for cell, size, count in (one, other)]
        raise InputError(f"backward must have the cell and sizes of generator, {sizes[0]}, but it has {sizes[1]}")


@torch.no_grad()
def begin_with(encoder: SequenceEncoder, decoders: Sequence[RecurrentDecoder]) -> None:
    """Set the weights of the directions of an encoder, forward first, so that its hidden states are those of decoders.

    Args:
        encoder: untrained, on the CPU; its embeddings have the size of those of all decoders together.
        decoders: language models of one vocabulary, whose embeddings may differ.
    """
    embedding = cast("nn.Embedding", encoder.embedding).weight
    scale, begin = embedding.std(), 0
    stacks = [stack for stack in (encoder.forwards, encoder.backwards) if stack is not None]
    for stack, decoder in zip(stacks, decoders, strict=False):
        numbers = torch.arange(decoder.embedding.num_embeddings, device=decoder.embedding.weight.device)
        table = decoder.embedding(numbers).cpu()
        own = slice(begin, begin := begin + table.shape[1])
        smaller = scale / table.std()
        embedding[:, own] = table * smaller
        weights = decoder.recurrent.state_dict()
        wide = torch.zeros_like(stack.stack[0].all_weights[0][0])
        wide[:, own] = weights[FROM_EMBEDDINGS].cpu() / smaller
        stack.load_state_dict(weights | {FROM_EMBEDDINGS: wide})
