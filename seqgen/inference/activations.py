"""Activations of the cells of a generator that reads a text: for pictures of cells over it."""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from seqgen.errors import InputError
from seqgen.settings import evaluating
from seqgen.symbols import BOS, UNK


class TextActivations(NamedTuple):
    """The tokens of a text, as text, and what the recurrent layers calculate at each: (layers, tokens, hidden) arrays.

    `h` are the hidden states after each token, `c` the cell states, of an LSTM only, and `gates` those of `Activations`
    by their names. The tokens, white space included, are together the text.
    """

    tokens: list[str]
    h: np.ndarray
    c: np.ndarray | None
    gates: dict[str, np.ndarray]

    @property
    def cells(self) -> np.ndarray:
        """The memory of the cells, between -1 and 1: tanh of the cell states of an LSTM, else the hidden states."""
        return self.h if self.c is None else np.tanh(self.c)


@torch.inference_mode()
def text_activations(
    model: Any, tokens: list[int], names: list[str], device: torch.device, *, backward: bool = False
) -> TextActivations:
    """Return the activations of a decoder that reads BOS and these tokens.

    Args:
        model: with a method `activations`, such as that of `RecurrentDecoder`.
        tokens: their numbers.
        names: the same as text, in reading order.
        device: of the model.
        backward: whether the tokens are in the opposite order; the activations are in reading order, too.

    Raises:
        InputError: the model has no such method.
    """
    if not hasattr(model, "activations"):
        raise InputError(f"a decoder must have a method activations, but a {type(model).__name__} has none")
    with evaluating(model):
        found = model.activations(torch.tensor([[BOS, *tokens]], device=device))

    def without_start(x: Tensor) -> np.ndarray:
        read = x[:, 0, 1:].float().cpu().numpy()
        return np.ascontiguousarray(read[:, ::-1]) if backward else read

    cells = None if found.c is None else without_start(found.c)
    gates = {name: without_start(gate) for name, gate in found.gates.items()}
    return TextActivations(names, without_start(found.h), cells, gates)


def count_cells(model: Any, device: torch.device) -> int:
    """Return the number of cells of all recurrent layers of a decoder.

    Raises:
        InputError: the model has no method `activations`.
    """
    return int(text_activations(model, [UNK], [""], device).h.size)
