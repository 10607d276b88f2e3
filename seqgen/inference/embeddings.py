"""The embeddings of a model's tokens, for a look at what it learned of them."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from seqgen.errors import InputError
from seqgen.symbols import SYMBOLS


class Embeddings(NamedTuple):
    """The tokens of a vocabulary as text, special ones as `<pad>` and so on, and their (tokens, size) embeddings."""

    tokens: list[str]
    vectors: np.ndarray


@torch.inference_mode()
def embeddings(model: Any, text: Callable[[int], str]) -> Embeddings:
    """Return the embeddings of a decoder or encoder as it reads them.

    Args:
        model: with an embedding.
        text: of a token, by its number.

    Raises:
        InputError: the model has no embedding of tokens.
    """
    table = getattr(model, "embedding", None)
    table = getattr(table, "words", table)  # of one that also reads the words' spellings
    if not isinstance(table, nn.Embedding):
        raise InputError(f"a model must have an embedding of tokens, but a {type(model).__name__} has none")
    numbers = torch.arange(table.num_embeddings, device=table.weight.device)
    names = [*SYMBOLS, *map(text, range(len(SYMBOLS), len(numbers)))]
    return Embeddings(names, table(numbers).float().cpu().numpy())
