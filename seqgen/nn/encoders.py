"""The encoders: a sequence, an image or a vector in, a memory out."""

import hashlib
from typing import cast

import torch
from torch import Tensor, nn

from seqgen.errors import InputError
from seqgen.nn.dropout import LockedDropout, WordDropout
from seqgen.nn.embedding import small_embedding
from seqgen.nn.folding import folded
from seqgen.nn.pooling import Last
from seqgen.nn.recurrent import Recurrent
from seqgen.state import Memory
from seqgen.symbols import PAD


class SequenceEncoder(nn.Module):
    """Reads a right-padded sequence forward and, where there is a second stack of layers, backward.

    The two stacks do not see each other's layers; what they find at a position stands side by side.

    Args:
        embedding: of the inputs, (batch, steps) token numbers and whatever else it reads, to (batch, steps, features).
        forwards: reads from the first token to the last, as a generator does.
        backwards: reads from the last token to the first; none by default.
        pooling: of (batch, steps, features) states and their (batch, steps) mask, to the summary.
        summary_size: features of the summary.
        skip: how many features the embeddings have where they are to stand beside the states, before the backward ones
            (Lai et al. 2015, Recurrent Convolutional Neural Networks for Text Classification); 0 where they are not.
        word_dropout: the share of tokens read as unknown while training.
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
        word_dropout: float = 0.0,
        embedding_dropout: nn.Module | None = None,
        norm: nn.Module | None = None,
        dropout: nn.Module | None = None,
    ):
        super().__init__()
        self.embedding, self.forwards, self.backwards, self.pooling = embedding, forwards, backwards, pooling
        self.output_size = forwards.hidden_size + skip + (backwards.hidden_size if backwards else 0)
        self.skip = skip
        self.summary_size = summary_size
        self.word_dropout = WordDropout(word_dropout)
        self.embedding_dropout = embedding_dropout or nn.Identity()
        self.norm, self.dropout = norm or nn.Identity(), dropout or nn.Identity()

    def forward(self, tokens: Tensor, *more: Tensor) -> Memory:
        """Encode right-padded (batch, steps) tokens, PAD after each row's end, and what else the embedding reads."""
        mask = tokens != PAD
        embedded = self.embedding_dropout(self.embedding(self.word_dropout(tokens), *more))
        # Padding comes after all that is real, so the forward direction never sees it.
        found = [self.forwards(embedded)[0]]
        if self.skip:
            found.append(embedded)
        if self.backwards is not None:
            order = reversing(mask)
            found.append(reorder(self.backwards(reorder(embedded, order))[0], order))
        states = self.dropout(self.norm(torch.cat(found, dim=2))) * mask.unsqueeze(2)
        return Memory(states, mask, self.pooling(states, mask))


def reversing(mask: Tensor) -> Tensor:
    """Return the (batch, steps) positions that reverse the real part of each row and leave its padding in place."""
    positions = torch.arange(mask.shape[1], device=mask.device).expand_as(mask)
    return torch.where(mask, mask.sum(dim=1, keepdim=True) - 1 - positions, positions)


def reorder(x: Tensor, order: Tensor) -> Tensor:
    """Return (batch, steps, features) with the steps of each row in another order."""
    return x.gather(1, order.unsqueeze(2).expand_as(x))


class SpelledEmbedding(nn.Module):
    """A word's embedding beside what a small encoder reads from its characters, so that unknown words have features.

    Ling et al. 2015, Finding Function in Form.

    Args:
        words: (vocabulary, features) table.
        characters: reads the spelling of a word; its summary is taken.
    """

    def __init__(self, words: nn.Embedding, characters: SequenceEncoder):
        super().__init__()
        self.words, self.characters = words, characters
        self.output_size = words.embedding_dim + characters.summary_size

    def forward(self, tokens: Tensor, places: Tensor, spellings: Tensor) -> Tensor:
        """Embed words; each different spelling is read once.

        Args:
            tokens: (batch, steps) numbers of words.
            places: (batch, steps) where each word's spelling stands in `spellings`.
            spellings: (different words, characters) numbers of characters, right-padded, none of them empty.
        """
        read = self.characters(spellings).summary
        return torch.cat([self.words(tokens), nn.functional.embedding(places, read).to(torch.float32)], dim=2)


def spelling_encoder(alphabet_size: int, cell: str, size: int) -> SequenceEncoder:
    """Return an untrained encoder of words by their characters, both ways, of so many features each."""
    layers = Recurrent(cell, size, size), Recurrent(cell, size, size)
    return SequenceEncoder(small_embedding(alphabet_size, size), *layers, Last(size), 2 * size)


class Places(nn.Module):
    """What a decoder looks at: the features of a grid's places, brought to another size, and where each place is.

    Args:
        features: of the grid.
        size: of what is looked at.
        count: of the places.
        dropout: the share of the grid's features dropped, the same at all places of an image.
    """

    def __init__(self, features: int, size: int, count: int, dropout: float = 0.0):
        super().__init__()
        self.dropout, self.linear, self.norm = LockedDropout(dropout), nn.Linear(features, size), nn.LayerNorm(size)
        self.place = nn.Parameter(torch.zeros(count, size))

    def forward(self, grid: Tensor) -> Tensor:
        """Return (batch, places, size) for the (batch, places, features) of a grid."""
        placed: Tensor = self.norm(self.linear(self.dropout(grid)) + self.place)
        return placed


class ImageEncoder(nn.Module):
    """Reads an image; the places of the network's grid are the positions of the memory, row by row.

    Args:
        backbone: of (batch, 3, height, width) images, to a (batch, features, rows, columns) grid.
        output_size: features of the grid.
        pooling: of (batch, positions, features) states and their mask, to as many features of the summary.
        frozen: whether the backbone stays as it is, its running statistics included.
        places: applied to the features of the grid's places; none by default.
    """

    def __init__(
        self,
        backbone: nn.Module,
        output_size: int,
        pooling: nn.Module,
        *,
        frozen: bool = False,
        places: nn.Module | None = None,
    ):
        super().__init__()
        self.backbone, self.output_size, self.summary_size = backbone, output_size, output_size
        self.pooling, self.frozen, self.places = pooling, frozen, places or nn.Identity()
        if frozen:
            self.backbone.requires_grad_(False)

    def thaw(self) -> None:
        """Have a frozen backbone trained all the same, but for its batch normalization."""
        for part in self.backbone.modules():
            part.requires_grad_(not isinstance(part, nn.BatchNorm2d))

    def train(self, mode: bool = True) -> "ImageEncoder":
        """Set the mode; a frozen backbone stays in evaluation mode."""
        super().train(mode)
        if self.frozen:
            self.backbone.eval()
        return self

    def backbone_alone(self) -> "ImageEncoder":
        """Return an encoder of the same backbone as it is now, in evaluation mode and faster, without places."""
        return ImageEncoder(folded(self.backbone), self.output_size, nn.Identity(), frozen=True)

    def fingerprint(self) -> str:
        """Return what tells the backbone's weights from others."""
        digest = hashlib.sha256()
        for tensor in self.backbone.state_dict().values():
            digest.update(tensor.cpu().numpy().tobytes())
        return digest.hexdigest()

    def grid(self, images: Tensor) -> Tensor:
        """Return the (batch, positions, features) that the backbone finds in (batch, 3, height, width) images."""
        # Convolutions are faster with the channels last in memory.
        found = cast("Tensor", self.backbone(images.contiguous(memory_format=torch.channels_last)))
        return found.flatten(2).transpose(1, 2)

    def forward(self, images: Tensor, rows: Tensor | None = None) -> Memory:
        """Encode images.

        Args:
            images: (batch, 3, height, width), or what `grid` found in them, where that was kept.
            rows: (more,) numbers of the images whose memories are wanted, where an image is wanted more than once; by
                default all of them in order.
        """
        if images.ndim == 4:
            grid = self.grid(images)
        else:  # kept in bf16, which only autocast multiplies with other weights
            grid = images if torch.is_autocast_enabled(images.device.type) else images.float()
        states = self.places(grid)
        mask = torch.ones(states.shape[:2], dtype=torch.bool, device=states.device)
        memory = Memory(states, mask, self.pooling(states, mask))
        return memory if rows is None else memory.select(rows)


class VectorEncoder(nn.Module):
    """Reads numbers or a category as a memory of one position.

    Args:
        network: of (batch, numbers) to (batch, features), or an `nn.Embedding` of (batch,) categories.
        output_size: features.
    """

    def __init__(self, network: nn.Module, output_size: int):
        super().__init__()
        self.network, self.output_size, self.summary_size = network, output_size, output_size

    def forward(self, vectors: Tensor) -> Memory:
        """Encode (batch, numbers) vectors or (batch,) categories, as the network takes them."""
        summary = self.network(vectors)
        mask = torch.ones(len(summary), 1, dtype=torch.bool, device=summary.device)
        return Memory(summary.unsqueeze(1), mask, summary)


def vector_encoder(categories: int, numbers: int, size: int) -> VectorEncoder:
    """Return an untrained encoder of one of so many categories, or of so many numbers.

    Raises:
        InputError: there are neither, or both.
    """
    if (categories > 0) == (numbers > 0):
        raise InputError(f"there must be either categories or numbers, not {categories} and {numbers}")
    if categories:
        return VectorEncoder(nn.Embedding(categories, size), size)
    return VectorEncoder(nn.Sequential(nn.Linear(numbers, size), nn.Tanh(), nn.Linear(size, size), nn.Tanh()), size)
