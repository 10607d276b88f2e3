"""Rows of token numbers of different lengths as one array."""

from collections.abc import Sequence

import numpy as np

from seqgen.arguments import checked
from seqgen.errors import InputError
from seqgen.symbols import PAD


@checked
def padded(rows: Sequence[np.ndarray], padding: int = PAD) -> np.ndarray:
    """Return rows of token numbers as one right-padded (batch, steps) array.

    Raises:
        InputError: there are no rows.
    """
    if not len(rows):
        raise InputError("rows must be at least one, but there are none")
    whole = np.full((len(rows), max(map(len, rows))), padding, dtype=np.int64)
    for row, tokens in zip(whole, rows, strict=True):
        row[: len(tokens)] = tokens
    return whole
