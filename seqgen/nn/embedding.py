"""Embeddings whose table can also be the weights of an output layer."""

import math

from torch import Tensor, nn

from seqgen.arguments import checked


@checked
class ScaledEmbedding(nn.Embedding):
    """An embedding multiplied by the square root of its size (Vaswani et al. 2017, Attention Is All You Need).

    The table has the small scale that suits the weights of an output layer, the embeddings have the scale that suits
    the inputs of recurrent layers.

    Args:
        count: number of tokens.
        size: size of a token's embedding.
    """

    def __init__(self, count: int, size: int):
        super().__init__(count, size)
        nn.init.normal_(self.weight, std=size**-0.5)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the embeddings of tokens of any shape, on a new last axis."""
        return super().forward(tokens) * math.sqrt(self.embedding_dim)


def small_embedding(count: int, size: int) -> nn.Embedding:
    """Return an untrained embedding of small scale: to large random embeddings of rare words, a model overfits."""
    embedding = nn.Embedding(count, size)
    nn.init.normal_(embedding.weight, std=0.1)
    return embedding
