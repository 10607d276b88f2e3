"""Encoders of sequences and of vectors: an input in, a memory out."""

import torch
from torch import Tensor, nn

from seqgen.arguments import checked
from seqgen.errors import InputError
from seqgen.nn.activations import Activations
from seqgen.nn.dropout import WordDropout
from seqgen.nn.recurrent import Recurrent
from seqgen.state import Memory
from seqgen.symbols import PAD


@checked
class SequenceEncoder(nn.Module):
    """Reads a right-padded sequence forward and, with a second stack of layers, backward.

    The two stacks are independent of each other; their hidden states are concatenated.

    Args:
        embedding: from (batch, steps) token numbers, and its further inputs, to (batch, steps, features).
        forwards: recurrent layers from the first token to the last, as in a generator.
        backwards: recurrent layers from the last token to the first, or None.
        pooling: of (batch, steps, features) states and their (batch, steps) mask, to the summary.
        summary_size: features of the summary.
        skip: size of the embeddings where they are concatenated to the hidden states, before the backward ones (Lai et
            al. 2015, Recurrent Convolutional Neural Networks for Text Classification); 0 where they are not.
        backward_bos: whether the first token is BOS, which the backward direction reads first, too, as a backward
            generator does: at each token it has then read those after it, and at BOS all.
        word_dropout: probability of reading a token as unknown while training.
        embedding_dropout: applied to the embeddings; none by default.
        norm: applied to the states, before the dropout; none by default.
        dropout: applied to the states; none by default.
    """

    def __init__(
        self,
        embedding: nn.Module,
        forwards: Recurrent,
        backwards: Recurrent | None,
        pooling: nn.Module,
        summary_size: int,
        *,
        skip: int = 0,
        backward_bos: bool = False,
        word_dropout: float = 0.0,
        embedding_dropout: nn.Module | None = None,
        norm: nn.Module | None = None,
        dropout: nn.Module | None = None,
    ):
        super().__init__()
        self.embedding, self.forwards, self.backwards, self.pooling = embedding, forwards, backwards, pooling
        self.output_size = forwards.hidden_size + skip + (backwards.hidden_size if backwards else 0)
        self.skip, self.backward_bos = skip, backward_bos
        self.summary_size = summary_size
        self.word_dropout = WordDropout(word_dropout)
        self.embedding_dropout = embedding_dropout or nn.Identity()
        self.norm, self.dropout = norm or nn.Identity(), dropout or nn.Identity()

    def forward(self, tokens: Tensor, *more: Tensor) -> Memory:
        """Encode right-padded (batch, steps) tokens, PAD after each row's end; `more` are for the embedding."""
        mask = tokens != PAD
        embedded = self._embed(tokens, *more)
        # Padding comes after all that is real, so the forward direction never sees it.
        features = [self.forwards(embedded)[0]]
        if self.skip:
            features.append(embedded)
        if self.backwards is not None:
            read = reorder(embedded, reversing(mask, keep_first=self.backward_bos))
            features.append(reorder(self.backwards(read)[0], reversing(mask)))
        states = self.dropout(self.norm(torch.cat(features, dim=2))) * mask.unsqueeze(2)
        return Memory(states, mask, self.pooling(states, mask))

    def activations(self, tokens: Tensor, *more: Tensor) -> list[Activations]:
        """Return the activations of the layers that read forward and, where there are any, of those that read backward.

        Both are those at the position of each token; on padding they are meaningless. Read them in evaluation mode.

        Args:
            tokens: right-padded (batch, steps) numbers.
            *more: further inputs of the embedding.
        """
        embedded = self._embed(tokens, *more)
        found = [self.forwards.activations(embedded)]
        if self.backwards is not None:
            order = reversing(tokens != PAD, keep_first=self.backward_bos)
            found.append(self.backwards.activations(reorder(embedded, order)).reordered(order))
        return found

    def readings(self, tokens: Tensor) -> list[Tensor]:
        """Return right-padded (batch, steps) tokens in the order in which each direction reads them."""
        turned = tokens.gather(1, reversing(tokens != PAD, keep_first=self.backward_bos))
        return [tokens] if self.backwards is None else [tokens, turned]

    def _embed(self, tokens: Tensor, *more: Tensor) -> Tensor:
        embedded: Tensor = self.embedding_dropout(self.embedding(self.word_dropout(tokens), *more))
        return embedded


def reversing(mask: Tensor, *, keep_first: bool = False) -> Tensor:
    """Return the (batch, steps) positions that reverse the real part of each row and leave its padding in place.

    Args:
        mask: (batch, steps), True where a position is real.
        keep_first: whether the first position stays in place, too.
    """
    positions = torch.arange(mask.shape[1], device=mask.device).expand_as(mask)
    turned = mask & (positions > 0) if keep_first else mask
    return torch.where(turned, mask.sum(dim=1, keepdim=True) - 1 + int(keep_first) - positions, positions)


def reorder(x: Tensor, order: Tensor) -> Tensor:
    """Return (batch, steps, features) with the steps of each row in another order."""
    return x.gather(1, order.unsqueeze(2).expand_as(x))


@checked
class VectorEncoder(nn.Module):
    """Encodes numbers or a category as a memory of one position.

    Args:
        network: from (batch, numbers) to (batch, features), or an `nn.Embedding` of (batch,) categories.
        output_size: features of the memory.
    """

    def __init__(self, network: nn.Module, output_size: int):
        super().__init__()
        self.network, self.output_size, self.summary_size = network, output_size, output_size

    def forward(self, vectors: Tensor) -> Memory:
        """Encode (batch, numbers) vectors or (batch,) categories, as the network takes them."""
        summary = self.network(vectors)
        mask = torch.ones(summary.shape[0], 1, dtype=torch.bool, device=summary.device)
        return Memory(summary.unsqueeze(1), mask, summary)


def vector_encoder(categories: int, numbers: int, size: int) -> VectorEncoder:
    """Return an untrained encoder of a category or of a vector.

    Args:
        categories: number of categories, or 0.
        numbers: numbers of a vector, or 0.
        size: features of the memory.

    Raises:
        InputError: neither `categories` nor `numbers` is above 0, or both are.
    """
    if (categories > 0) == (numbers > 0):
        raise InputError(f"there must be either categories or numbers, not {categories} and {numbers}")
    if categories:
        return VectorEncoder(nn.Embedding(categories, size), size)
    return VectorEncoder(nn.Sequential(nn.Linear(numbers, size), nn.Tanh(), nn.Linear(size, size), nn.Tanh()), size)
