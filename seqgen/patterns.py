"""The builders, one for each cell of the table in the README; a saved model records its builder's arguments."""

from torch import nn

from seqgen.nn.decoder import RecurrentDecoder
from seqgen.nn.dropout import LockedDropout
from seqgen.nn.recurrent import Recurrent


def generator(
    vocabulary_size: int,
    *,
    cell: str = "lstm",
    hidden_size: int = 384,
    layers: int = 1,
    embedding_size: int = 64,
    dropout: float = 0.0,
    embedding_dropout: float = 0.0,
    weight_drop: float = 0.0,
) -> RecurrentDecoder:
    """Nothing in, a sequence out: the character and word generator.

    Args:
        vocabulary_size: how many tokens there are, the special ones included.
        cell: "lstm", "gru" or "rnn".
        hidden_size: features of the hidden state.
        layers: recurrent layers.
        embedding_size: features of a token's embedding.
        dropout: the share of features dropped of what the output layer reads, anew at each step, and between layers,
            there the same at every step of a row.
        embedding_dropout: the share of features dropped of the embeddings, the same at every step of a row.
        weight_drop: the share of recurrent weights dropped for each window.
    """
    return RecurrentDecoder(
        nn.Embedding(vocabulary_size, embedding_size),
        Recurrent(cell, embedding_size, hidden_size, layers, dropout=dropout, weight_drop=weight_drop),
        nn.Linear(hidden_size, vocabulary_size),
        nn.Dropout(dropout),
        LockedDropout(embedding_dropout),
    )
