"""The builders of models, one for each cell of the README's table; a saved model records its builder's arguments."""

import math
from functools import partial
from typing import Any

from torch import nn

from seqgen.errors import InputError
from seqgen.hardware.building import within_memory
from seqgen.models import EncoderClassifier, EncoderDecoder, EncoderTagger
from seqgen.nn import backbones
from seqgen.nn.attention import Attention, Score
from seqgen.nn.cells import Cell
from seqgen.nn.decoder import RecurrentDecoder, attentive_decoder
from seqgen.nn.dropout import LockedDropout
from seqgen.nn.embedding import ScaledEmbedding, small_embedding
from seqgen.nn.encoders import SequenceEncoder, vector_encoder
from seqgen.nn.image_encoder import ImageEncoder, Places
from seqgen.nn.pooling import Last, Mean, Pooling, pooling_by_name
from seqgen.nn.recurrent import Recurrent
from seqgen.nn.spelling import SpelledEmbedding, spelling_encoder


@within_memory
def generator(
    vocab_size: int,
    *,
    cell: Cell = "lstm",
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
        vocab_size: number of tokens, the special ones included.
        cell: kind of recurrent cell: "lstm", "gru" or "rnn".
        hidden_size: size of the hidden state.
        layers: number of recurrent layers.
        embedding_size: size of a token's embedding.
        dropout: dropout probability before the output layer and between layers.
        embedding_dropout: dropout probability of the embeddings, the same features at every step of a row.
        weight_drop: dropout probability of the recurrent weights, with one mask for a whole window.
        tie_embeddings: whether the output layer shares its weights with the embedding: for large vocabularies.
    """
    recurrent = Recurrent(cell, embedding_size, hidden_size, layers, dropout=dropout, weight_drop=weight_drop)
    dropouts: dict[str, Any] = {"dropout": nn.Dropout(dropout), "embedding_dropout": LockedDropout(embedding_dropout)}
    if not tie_embeddings:
        embedding, output = nn.Embedding(vocab_size, embedding_size), nn.Linear(hidden_size, vocab_size)
        return RecurrentDecoder(embedding, recurrent, output, **dropouts)
    embedding, output = ScaledEmbedding(vocab_size, embedding_size), nn.Linear(embedding_size, vocab_size)
    output.weight = embedding.weight
    return RecurrentDecoder(embedding, recurrent, output, projection=nn.Linear(hidden_size, embedding_size), **dropouts)


@within_memory
def translator(
    source_vocab_size: int,
    target_vocab_size: int | None = None,
    *,
    cell: Cell = "lstm",
    hidden_size: int = 384,
    layers: int = 2,
    encoder_layers: int = 1,
    embedding_size: int = 256,
    attention: Score = "general",
    heads: int = 1,
    input_feeding: bool = False,
    dropout: float = 0.2,
    word_dropout: float = 0.0,
) -> EncoderDecoder:
    """A sequence in, another out.

    Args:
        source_vocab_size: number of source tokens, the special ones included.
        target_vocab_size: number of target tokens; by default source and target share vocabulary and embedding.
        cell: kind of recurrent cell: "lstm", "gru" or "rnn".
        hidden_size: size of the decoder's hidden state, and of the encoder's two directions together.
        layers: number of recurrent layers of the decoder; attention is above the first.
        encoder_layers: number of recurrent layers of the encoder in each direction.
        embedding_size: size of a token's embedding; the output layer shares its weights.
        attention: attention scores of queries and memory: "general" or "additive".
        heads: number of attention heads.
        input_feeding: whether each step also reads the output layer's input of the step before; several times slower.
        dropout: dropout probability of embeddings and of the decoder's hidden states, the same features at every step.
        word_dropout: probability of reading a source token as unknown.
    """
    source = ScaledEmbedding(source_vocab_size, embedding_size)
    target = source if target_vocab_size is None else ScaledEmbedding(target_vocab_size, embedding_size)
    half = hidden_size // 2
    if hidden_size % 2:
        raise InputError(f"hidden_size must be even, half of it for each direction of the encoder, not {hidden_size}")
    forward, backward = (Recurrent(cell, embedding_size, half, encoder_layers, dropout=dropout) for _ in range(2))
    norm = nn.LayerNorm(2 * half)  # without dropout: the decoder applies it to the context vectors
    dropouts: dict[str, Any] = {"word_dropout": word_dropout, "embedding_dropout": LockedDropout(dropout)}
    encoder = SequenceEncoder(source, forward, backward, Mean(), 2 * half, norm=norm, **dropouts)
    attention_layer = Attention(hidden_size, encoder.output_size, attention, heads)
    options: dict[str, Any] = {"dropout": dropout, "input_feeding": input_feeding}
    decoder = attentive_decoder(target, encoder, attention_layer, cell, hidden_size, layers, **options)
    return EncoderDecoder(encoder, decoder)


@within_memory
def captioner(
    vocab_size: int,
    backbone: str = backbones.SMALL,
    image_size: int = 64,
    frozen: bool = False,
    *,
    memory_size: int = 384,
    cell: Cell = "lstm",
    hidden_size: int = 384,
    layers: int = 2,
    embedding_size: int = 256,
    attention: Score = "general",
    heads: int = 1,
    gated: bool = False,
    input_feeding: bool = False,
    dropout: float = 0.3,
) -> EncoderDecoder:
    """One thing in, a sequence out: an image's caption.

    Args:
        vocab_size: number of tokens, the special ones included.
        backbone: "small", "efficientnet_lite0" to "efficientnet_lite2", or a torchvision model, untrained.
        image_size: pixels a side, which determines the number of positions of the memory.
        frozen: whether the backbone's weights are not trained.
        memory_size: size of each position of the memory that attention reads.
        cell: kind of recurrent cell: "lstm", "gru" or "rnn".
        hidden_size: size of the decoder's hidden state.
        layers: number of recurrent layers of the decoder; attention is above the first.
        embedding_size: size of a token's embedding; the output layer shares its weights.
        attention: attention scores of queries and memory: "general" or "additive".
        heads: number of attention heads.
        gated: whether a gate scales the context vector.
        input_feeding: whether each step also reads the output layer's input of the step before; several times slower.
        dropout: dropout probability of memory, embeddings and the decoder's hidden states.
    """
    network, features = backbones.backbone(backbone)
    places = Places(features, memory_size, math.prod(backbones.grid_shape(network, image_size)), dropout)
    encoder = ImageEncoder(network, memory_size, Mean(), frozen=frozen, places=places)
    embedding = ScaledEmbedding(vocab_size, embedding_size)
    attention_layer = Attention(hidden_size, memory_size, attention, heads, gated=gated)
    options: dict[str, Any] = {"dropout": dropout, "input_feeding": input_feeding}
    decoder = attentive_decoder(embedding, encoder, attention_layer, cell, hidden_size, layers, **options)
    return EncoderDecoder(encoder, decoder)


@within_memory
def conditional_generator(
    vocab_size: int,
    categories: int = 0,
    numbers: int = 0,
    *,
    cell: Cell = "lstm",
    hidden_size: int = 256,
    layers: int = 2,
    embedding_size: int = 64,
    condition_size: int = 64,
    dropout: float = 0.3,
) -> EncoderDecoder:
    """One thing in, a sequence out: a text for a category, or for numbers.

    Args:
        vocab_size: number of tokens, the special ones included.
        categories: number of categories, or 0 where conditions are numbers.
        numbers: number of numbers in a condition, or 0 where it is a category.
        cell: kind of recurrent cell: "lstm", "gru" or "rnn".
        hidden_size: size of the hidden state.
        layers: number of recurrent layers; those above the first read the condition at every step.
        embedding_size: size of a token's embedding; the output layer shares its weights.
        condition_size: size of a category's embedding, or of the hidden layers for numbers.
        dropout: dropout probability of embeddings and hidden states, the same features at every step.
    """
    encoder = vector_encoder(categories, numbers, condition_size)
    # Attention to a memory of a single position gives the condition to every step.
    attention, embedding = Attention(hidden_size, condition_size), ScaledEmbedding(vocab_size, embedding_size)
    decoder = attentive_decoder(embedding, encoder, attention, cell, hidden_size, layers, dropout=dropout)
    return EncoderDecoder(encoder, decoder)


@within_memory
def text_classifier(
    vocab_size: int,
    classes: int,
    *,
    cell: Cell = "lstm",
    hidden_size: int = 128,
    layers: int = 1,
    embedding_size: int = 128,
    bidirectional: bool = True,
    backward_bos: bool = False,
    pooling: Pooling = "concat",
    skip: bool = True,
    dropout: float = 0.5,
    embedding_dropout: float = 0.4,
    word_dropout: float = 0.3,
    weight_drop: float = 0.0,
) -> EncoderClassifier:
    """A sequence in, one answer out.

    Args:
        vocab_size: number of tokens, the special ones included.
        classes: number of classes.
        cell: kind of recurrent cell: "lstm", "gru" or "rnn".
        hidden_size: size of the hidden state in each direction.
        layers: number of recurrent layers in each direction.
        embedding_size: size of a token's embedding.
        bidirectional: whether the text is also read backward.
        backward_bos: whether reading backward begins with BOS, too, as that of a backward generator does.
        pooling: of hidden states to one summary: "last", "mean", "max", "attentive", or "concat" of the first three.
        skip: whether the pooling also reads the embeddings, concatenated to the hidden states.
        dropout: dropout probability of the summary and between layers.
        embedding_dropout: dropout probability of the embeddings, the same features at every step of a row.
        word_dropout: probability of reading a token as unknown.
        weight_drop: dropout probability of the recurrent weights, with one mask for a whole batch.
    """
    forward_size = hidden_size + (embedding_size if skip else 0)
    backward_size = hidden_size if bidirectional else 0
    pooled, summary_size = pooling_by_name(pooling, forward_size + backward_size, forward_size)
    stack = partial(Recurrent, cell, embedding_size, hidden_size, layers, dropout=dropout, weight_drop=weight_drop)
    encoder = SequenceEncoder(
        small_embedding(vocab_size, embedding_size),
        stack(),
        stack() if bidirectional else None,
        pooled,
        summary_size,
        skip=embedding_size if skip else 0,
        backward_bos=backward_bos,
        word_dropout=word_dropout,
        embedding_dropout=LockedDropout(embedding_dropout),
    )
    return EncoderClassifier(encoder, nn.Sequential(nn.Dropout(dropout), nn.Linear(summary_size, classes)))


@within_memory
def image_classifier(
    classes: int, *, backbone: str = backbones.SMALL, width: int = 16, frozen: bool = False, dropout: float = 0.2
) -> EncoderClassifier:
    """One thing in, one answer out.

    Args:
        classes: number of classes.
        backbone: "small", "efficientnet_lite0" to "efficientnet_lite2", or a torchvision model, untrained.
        width: channels of the first stage of the small backbone.
        frozen: whether the backbone's weights are not trained.
        dropout: dropout probability of the summary.
    """
    network, size = backbones.backbone(backbone, width)
    encoder = ImageEncoder(network, size, Mean(), frozen=frozen)
    return EncoderClassifier(encoder, nn.Sequential(nn.Dropout(dropout), nn.Linear(size, classes)))


@within_memory
def tagger(
    vocab_size: int,
    tags: int,
    alphabet_size: int = 0,
    *,
    cell: Cell = "lstm",
    hidden_size: int = 192,
    layers: int = 1,
    embedding_size: int = 128,
    spelling_size: int = 64,
    dropout: float | None = None,
    word_dropout: float | None = None,
) -> EncoderTagger:
    """A sequence in, one answer a step out.

    Args:
        vocab_size: number of tokens, the special ones included.
        tags: number of tags.
        alphabet_size: number of characters that words are spelled with; 0 where the tokens are characters.
        cell: kind of recurrent cell: "lstm", "gru" or "rnn".
        hidden_size: size of the hidden state in each direction.
        layers: number of recurrent layers in each direction.
        embedding_size: size of a token's embedding.
        spelling_size: size of a character's embedding, and of the hidden state that reads a word in each direction.
        dropout: dropout probability of embeddings and hidden states; by default 0.3 for words, 0.05 for characters.
        word_dropout: probability of reading a token as unknown; by default 0.1 for words, 0 for characters.
    """
    dropout = (0.3 if alphabet_size else 0.05) if dropout is None else dropout
    word_dropout = (0.1 if alphabet_size else 0.0) if word_dropout is None else word_dropout
    embedding: Any = small_embedding(vocab_size, embedding_size)
    if alphabet_size:
        embedding = SpelledEmbedding(embedding, spelling_encoder(alphabet_size, cell, spelling_size))
    input_size: int = embedding.output_size if alphabet_size else embedding_size
    forward, backward = (Recurrent(cell, input_size, hidden_size, layers, dropout=dropout) for _ in range(2))
    dropouts: dict[str, Any] = {"embedding_dropout": LockedDropout(dropout), "dropout": LockedDropout(dropout)}
    sizes = Last(hidden_size), 2 * hidden_size
    encoder = SequenceEncoder(embedding, forward, backward, *sizes, word_dropout=word_dropout, **dropouts)
    return EncoderTagger(encoder, nn.Linear(2 * hidden_size, tags))
