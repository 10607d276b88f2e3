"""Embeddings of words by their characters, so that unknown words have features, too."""

import torch
from torch import Tensor, nn

from seqgen.nn.embedding import small_embedding
from seqgen.nn.encoders import SequenceEncoder
from seqgen.nn.pooling import Last
from seqgen.nn.recurrent import Recurrent


class SpelledEmbedding(nn.Module):
    """A word's embedding, concatenated to the summary of its characters.

    Ling et al. 2015, Finding Function in Form: Compositional Character Models for Open Vocabulary Word Representation.

    Args:
        words: (vocabulary, features) table.
        characters: encoder of a word's spelling.
    """

    def __init__(self, words: nn.Embedding, characters: SequenceEncoder):
        super().__init__()
        self.words, self.characters = words, characters
        self.output_size = words.embedding_dim + characters.summary_size

    def forward(self, tokens: Tensor, places: Tensor, spellings: Tensor) -> Tensor:
        """Embed words; each different spelling is read once.

        Args:
            tokens: (batch, steps) numbers of words.
            places: (batch, steps) row of each word's spelling in `spellings`.
            spellings: (different words, characters) numbers of characters, right-padded, none of them empty.
        """
        table = self.characters(spellings).summary
        return torch.cat([self.words(tokens), nn.functional.embedding(places, table).to(torch.float32)], dim=2)


def spelling_encoder(alphabet_size: int, cell: str, size: int) -> SequenceEncoder:
    """Return an untrained bidirectional encoder of words by their characters, of `size` features in each direction."""
    layers = Recurrent(cell, size, size), Recurrent(cell, size, size)
    return SequenceEncoder(small_embedding(alphabet_size, size), *layers, Last(size), 2 * size)
