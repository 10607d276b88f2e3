"""The builders, one for each cell of the table in the README; a saved model records its builder's arguments."""

import math
from functools import partial
from typing import Any

from torch import nn

from seqgen.errors import InputError
from seqgen.models import EncoderClassifier, EncoderDecoder, EncoderTagger
from seqgen.nn import backbones
from seqgen.nn.attention import Attention
from seqgen.nn.decoder import RecurrentDecoder, attentive_decoder
from seqgen.nn.dropout import LockedDropout
from seqgen.nn.embedding import ScaledEmbedding, small_embedding
from seqgen.nn.encoders import SequenceEncoder, vector_encoder
from seqgen.nn.image_encoder import ImageEncoder, Places
from seqgen.nn.pooling import Last, Mean, pooling_by_name
from seqgen.nn.recurrent import Recurrent
from seqgen.nn.spelling import SpelledEmbedding, spelling_encoder


def generator(
    vocab_size: int,
    *,
    cell: str = "lstm",
    hidden_size: int = 384,
    layers: int = 1,
    embedding_size: int = 64,
    dropout: float = 0.0,
    embedding_dropout: float = 0.0,
    weight_drop: float = 0.0,
    tie_embeddings: bool = False,
) -> RecurrentDecoder:
    """Nothing in, a sequence out: the character and word generator.

    Args:
        vocab_size: how many tokens there are, the special ones included.
        cell: "lstm", "gru" or "rnn".
        hidden_size: features of the hidden state.
        layers: recurrent layers.
        embedding_size: features of a token's embedding.
        dropout: the share of features dropped of what the output layer reads, at each step, and between layers.
        embedding_dropout: the share of features dropped of the embeddings, the same at every step of a row.
        weight_drop: the share of recurrent weights dropped for each window.
        tie_embeddings: whether the output layer has the embeddings as its weights, and reads as many features.
    """
    recurrent = Recurrent(cell, embedding_size, hidden_size, layers, dropout=dropout, weight_drop=weight_drop)
    dropouts = nn.Dropout(dropout), LockedDropout(embedding_dropout)
    if not tie_embeddings:
        embedding, output = nn.Embedding(vocab_size, embedding_size), nn.Linear(hidden_size, vocab_size)
        return RecurrentDecoder(embedding, recurrent, output, *dropouts)
    embedding, output = ScaledEmbedding(vocab_size, embedding_size), nn.Linear(embedding_size, vocab_size)
    output.weight = embedding.weight
    return RecurrentDecoder(embedding, recurrent, output, *dropouts, nn.Linear(hidden_size, embedding_size))


def translator(
    source_vocab_size: int,
    target_vocab_size: int | None = None,
    *,
    cell: str = "lstm",
    hidden_size: int = 384,
    layers: int = 2,
    encoder_layers: int = 1,
    embedding_size: int = 256,
    attention: str = "general",
    heads: int = 1,
    input_feeding: bool = False,
    dropout: float = 0.2,
    word_dropout: float = 0.0,
) -> EncoderDecoder:
    """A sequence in, another out.

    Args:
        source_vocab_size: how many tokens the source has, the special ones included.
        target_vocab_size: how many the target has; by default both have the same tokens, and share embeddings.
        cell: "lstm", "gru" or "rnn".
        hidden_size: features of the decoder's hidden state, and of the encoder's two directions together.
        layers: recurrent layers of the decoder; attention is above the first.
        encoder_layers: recurrent layers of the encoder, in each direction.
        embedding_size: features of a token's embedding; the output layer has the target's embeddings as its weights.
        attention: "general" or "additive".
        heads: of the attention.
        input_feeding: whether each step also reads what the output layer read at the step before; slow.
        dropout: the share of features dropped of embeddings and, the same at each step, of the decoder's states.
        word_dropout: the share of source tokens read as unknown.
    """
    source = ScaledEmbedding(source_vocab_size, embedding_size)
    target = source if target_vocab_size is None else ScaledEmbedding(target_vocab_size, embedding_size)
    half, odd = divmod(hidden_size, 2)
    if odd:
        raise InputError(f"hidden_size must be even, half of it for each direction of the encoder, not {hidden_size}")
    encoder = SequenceEncoder(
        source,
        Recurrent(cell, embedding_size, half, encoder_layers, dropout=dropout),
        Recurrent(cell, embedding_size, half, encoder_layers, dropout=dropout),
        Mean(),
        2 * half,
        word_dropout=word_dropout,
        embedding_dropout=LockedDropout(dropout),
        norm=nn.LayerNorm(2 * half),  # without dropout: what attention finds is dropped in the decoder
    )
    looking = Attention(hidden_size, encoder.output_size, attention, heads)
    decoder = attentive_decoder(
        target, encoder, looking, cell, hidden_size, layers, dropout=dropout, input_feeding=input_feeding
    )
    return EncoderDecoder(encoder, decoder)


def captioner(
    vocab_size: int,
    *,
    backbone: str = backbones.SMALL,
    image_size: int = 64,
    frozen: bool = False,
    memory_size: int = 256,
    cell: str = "lstm",
    hidden_size: int = 256,
    layers: int = 2,
    embedding_size: int = 128,
    attention: str = "general",
    heads: int = 1,
    gated: bool = False,
    input_feeding: bool = False,
    dropout: float = 0.2,
) -> EncoderDecoder:
    """One thing in, a sequence out: an image's caption.

    Args:
        vocab_size: how many tokens there are, the special ones included.
        backbone: "small", "efficientnet_lite0", or a model of torchvision's, untrained.
        image_size: pixels a side, which the number of places depends on.
        frozen: whether the backbone stays as it is.
        memory_size: features of each place that attention looks at.
        cell: "lstm", "gru" or "rnn".
        hidden_size: features of the decoder's hidden state.
        layers: recurrent layers of the decoder; attention is above the first.
        embedding_size: features of a token's embedding; the output layer has the embeddings as its weights.
        attention: "general" or "additive".
        heads: of the attention.
        gated: whether the decoder also says how much of what attention finds matters.
        input_feeding: whether each step also reads what the output layer read at the step before; slow.
        dropout: the share of features dropped of the places, the embeddings and the decoder's states.
    """
    network, features = backbones.backbone(backbone)
    places = Places(features, memory_size, math.prod(backbones.grid_shape(network, image_size)), dropout)
    encoder = ImageEncoder(network, memory_size, Mean(), frozen=frozen, places=places)
    embedding = ScaledEmbedding(vocab_size, embedding_size)
    looking = Attention(hidden_size, memory_size, attention, heads, gated=gated)
    decoder = attentive_decoder(
        embedding, encoder, looking, cell, hidden_size, layers, dropout=dropout, input_feeding=input_feeding
    )
    return EncoderDecoder(encoder, decoder)


def conditional_generator(
    vocab_size: int,
    *,
    categories: int = 0,
    numbers: int = 0,
    cell: str = "lstm",
    hidden_size: int = 256,
    layers: int = 2,
    embedding_size: int = 64,
    condition_size: int = 64,
    dropout: float = 0.2,
) -> EncoderDecoder:
    """One thing in, a sequence out: a text of a category, or to some numbers.

    Args:
        vocab_size: how many tokens there are, the special ones included.
        categories: how many categories there are, or 0 where numbers are given.
        numbers: how many numbers are given, or 0 where a category is.
        cell: "lstm", "gru" or "rnn".
        hidden_size: features of the hidden state.
        layers: recurrent layers; those above the first see the condition at every step.
        embedding_size: features of a token's embedding; the output layer has the embeddings as its weights.
        condition_size: features of a category's embedding, or of the layers that read the numbers.
        dropout: the share of features dropped of embeddings and states, the same at every step.
    """
    encoder = vector_encoder(categories, numbers, condition_size)
    # With a single position to look at, attention puts the condition beside every step.
    looking, embedding = Attention(hidden_size, condition_size), ScaledEmbedding(vocab_size, embedding_size)
    decoder = attentive_decoder(embedding, encoder, looking, cell, hidden_size, layers, dropout=dropout)
    return EncoderDecoder(encoder, decoder)


def text_classifier(
    vocab_size: int,
    classes: int,
    *,
    cell: str = "lstm",
    hidden_size: int = 256,
    layers: int = 1,
    embedding_size: int = 128,
    bidirectional: bool = True,
    pooling: str = "concat",
    skip: bool = True,
    dropout: float = 0.3,
    embedding_dropout: float = 0.0,
    word_dropout: float = 0.0,
    weight_drop: float = 0.0,
) -> EncoderClassifier:
    """A sequence in, one answer out.

    Args:
        vocab_size: how many tokens there are, the special ones included.
        classes: how many answers there are.
        cell: "lstm", "gru" or "rnn".
        hidden_size: features of the hidden state, in each direction.
        layers: recurrent layers, in each direction.
        embedding_size: features of a token's embedding.
        bidirectional: whether the text is also read backward.
        pooling: "last", "mean", "max", "attentive", or "concat" for the first three side by side.
        skip: whether the pooling also sees the embeddings, beside the hidden states.
        dropout: the share of features dropped of what the classes are told from, and between layers.
        embedding_dropout: the share of features dropped of the embeddings, the same at every step of a row.
        word_dropout: the share of tokens read as unknown.
        weight_drop: the share of recurrent weights dropped for each batch.
    """
    forward_size = hidden_size + (embedding_size if skip else 0)
    size = forward_size + (hidden_size if bidirectional else 0)
    pooled, summary_size = pooling_by_name(pooling, size, forward_size)
    stack = partial(Recurrent, cell, embedding_size, hidden_size, layers, dropout=dropout, weight_drop=weight_drop)
    encoder = SequenceEncoder(
        small_embedding(vocab_size, embedding_size),
        stack(),
        stack() if bidirectional else None,
        pooled,
        summary_size,
        skip=embedding_size if skip else 0,
        word_dropout=word_dropout,
        embedding_dropout=LockedDropout(embedding_dropout),
    )
    return EncoderClassifier(encoder, nn.Sequential(nn.Dropout(dropout), nn.Linear(summary_size, classes)))


def image_classifier(
    classes: int, *, backbone: str = backbones.SMALL, frozen: bool = False, dropout: float = 0.2
) -> EncoderClassifier:
    """One thing in, one answer out.

    Args:
        classes: how many answers there are.
        backbone: "small", or a model of torchvision's, untrained.
        frozen: whether the backbone stays as it is.
        dropout: the share of features dropped of what the classes are told from.
    """
    network, size = backbones.backbone(backbone)
    encoder = ImageEncoder(network, size, Mean(), frozen=frozen)
    return EncoderClassifier(encoder, nn.Sequential(nn.Dropout(dropout), nn.Linear(size, classes)))


def tagger(
    vocab_size: int,
    tags: int,
    *,
    alphabet_size: int = 0,
    cell: str = "lstm",
    hidden_size: int = 256,
    layers: int = 1,
    embedding_size: int = 128,
    spelling_size: int = 64,
    dropout: float = 0.3,
    word_dropout: float = 0.0,
) -> EncoderTagger:
    """A sequence in, one answer a step out.

    Args:
        vocab_size: how many tokens there are, the special ones included.
        tags: how many answers there are.
        alphabet_size: how many characters the tokens are spelled with, the special ones included; with 0 the tokens
            are not read character by character.
        cell: "lstm", "gru" or "rnn".
        hidden_size: features of the hidden state, in each direction.
        layers: recurrent layers, in each direction.
        embedding_size: features of a token's embedding.
        spelling_size: features of a character's embedding, and of the state that reads a word, in each direction.
        dropout: the share of features dropped of embeddings, states, and between layers, the same at every step.
        word_dropout: the share of tokens read as unknown.
    """
    embedding: Any = small_embedding(vocab_size, embedding_size)
    if alphabet_size:
        embedding = SpelledEmbedding(embedding, spelling_encoder(alphabet_size, cell, spelling_size))
    input_size = embedding.output_size if alphabet_size else embedding_size
    encoder = SequenceEncoder(
        embedding,
        Recurrent(cell, input_size, hidden_size, layers, dropout=dropout),
        Recurrent(cell, input_size, hidden_size, layers, dropout=dropout),
        Last(hidden_size),
        2 * hidden_size,
        word_dropout=word_dropout,
        embedding_dropout=LockedDropout(dropout),
        dropout=LockedDropout(dropout),
    )
    return EncoderTagger(encoder, nn.Linear(2 * hidden_size, tags))
