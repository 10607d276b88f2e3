"""A batch of rows of token numbers, checked: others kill the process in native code, or are answered with nonsense."""

from collections.abc import Sequence

import numpy as np

from seqgen.arguments import checked
from seqgen.batches.padded import padded
from seqgen.errors import InputError
from seqgen.symbols import PAD


@checked
def token_batch(rows: Sequence[np.ndarray], vocab_size: int) -> np.ndarray:
    """Return rows of token numbers as one right-padded (batch, steps) array.

    Raises:
        InputError: a row is no (steps,) array of whole numbers, has numbers that no token has, or nothing but PAD.
    """
    for row in rows:
        if row.ndim != 1 or row.dtype.kind not in "iu":
            raise InputError(
                f"a row must be an array of whole numbers, one for each token, not one of the shape {row.shape} and "
                f"the type {row.dtype}"
            )
    tokens = padded(rows)
    for row, real in zip(rows, (tokens != PAD).any(axis=1), strict=True):
        if not real:
            raise InputError(f"a row must have a token that is not PAD, which is {PAD}, but all {len(row)} are")
    if tokens.size and not 0 <= tokens.min() <= tokens.max() < vocab_size:
        wrong = tokens[(tokens < 0) | (tokens >= vocab_size)][0]
        raise InputError(f"a row must have numbers of tokens, from 0 to {vocab_size - 1:,}, not {wrong:,}")
    return tokens
