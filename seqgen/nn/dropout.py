"""Locked dropout, with one mask for a whole sequence, and word dropout."""

import torch
from torch import Tensor, nn

from seqgen.arguments import checked
from seqgen.errors import InputError
from seqgen.symbols import UNK


@checked
class LockedDropout(nn.Module):
    """Zero the same features at every step of a row, and scale the others by 1 / (1 - p).

    Gal and Ghahramani 2016, A Theoretically Grounded Application of Dropout in Recurrent Neural Networks;
    the name is that of Merity et al. 2018, Regularizing and Optimizing LSTM Language Models.
    """

    def __init__(self, p: float):
        if not 0 <= p < 1:
            raise InputError(f"dropout must be at least 0 and below 1, not {p}")
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """Drop features of x, (batch, steps, features); in evaluation mode x is returned as it is."""
        if not self.training or self.p == 0:
            return x
        kept = torch.rand(x.shape[0], 1, x.shape[2], dtype=torch.float32, device=x.device) >= self.p
        return x * (kept.to(x.dtype) / (1 - self.p))


class WordDropout(nn.Module):
    """Replace each token by UNK with probability p while training, which also trains the embedding of UNK.

    Iyyer et al. 2015, Deep Unordered Composition Rivals Syntactic Methods for Text Classification.
    """

    def __init__(self, p: float):
        if not 0 <= p < 1:
            raise InputError(f"word_dropout must be at least 0 and below 1, not {p}")
        super().__init__()
        self.p = p

    def forward(self, tokens: Tensor) -> Tensor:
        """Return (batch, steps) tokens with some replaced by UNK, but no special ones."""
        if not self.training or self.p == 0:
            return tokens
        dropped = (torch.rand(tokens.shape, dtype=torch.float32, device=tokens.device) < self.p) & (tokens > UNK)
        return tokens.masked_fill(dropped, UNK)
