"""Embeddings whose table can also be the weights of an output layer."""

import math

from torch import Tensor, nn


class ScaledEmbedding(nn.Embedding):
    """An embedding that multiplies what it finds by the square root of its features.

    The table itself is as small as an output layer wants its weights, what is read as large as recurrent layers want
    their inputs (Vaswani et al. 2017, Attention Is All You Need).

    Args:
        count: how many tokens there are.
        size: features of a token.
    """

    def __init__(self, count: int, size: int):
        super().__init__(count, size)
        nn.init.normal_(self.weight, std=size**-0.5)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the features of tokens of any shape, as a last axis."""
        return super().forward(tokens) * math.sqrt(self.embedding_dim)


def small_embedding(count: int, size: int) -> nn.Embedding:
    """Return small random embeddings: large ones of rare words are noise, which is learned by heart."""
    embedding = nn.Embedding(count, size)
    nn.init.normal_(embedding.weight, std=0.1)
    return embedding
