"""Which part of a text is held back for validation."""

import numpy as np

from seqgen.data.encoded import document_ends
from seqgen.errors import InputError

SHARE = 0.1
MOST = 250_000  # tokens; more would cost time and tell nothing new
LEAST = 20  # tokens of a text, or documents, of which two are held back


def split_stream(tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the beginning of a text, to train on, and its last tenth (at most 250,000 tokens), to validate on.

    Raises:
        InputError: the text has fewer than 20 tokens.
    """
    if len(tokens) < LEAST:
        raise InputError(f"a text to train on must have at least {LEAST} tokens, but this one has {len(tokens)}")
    cut = len(tokens) - min(int(len(tokens) * SHARE), MOST)
    return tokens[:cut], tokens[cut:]


def split_documents(tokens: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of the documents to train on, and of a tenth drawn by the seed to validate on.

    Drawn, because lists are often sorted: the last names of an alphabet are no fair sample of all names.

    Raises:
        InputError: there are fewer than 20 documents.
    """
    ends = document_ends(tokens)
    if len(ends) < LEAST:
        raise InputError(f"there must be at least {LEAST} documents to train on, but there are {len(ends)}")
    order = np.random.default_rng(seed).permutation(len(ends))
    lengths = np.diff(ends, prepend=0)[order].cumsum()
    held_back = max(1, min(int(len(ends) * SHARE), int(np.searchsorted(lengths, MOST))))
    return np.sort(order[held_back:]), np.sort(order[:held_back])
