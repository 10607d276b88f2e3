"""The batches of a text for training and validation: as one stream in parallel lanes, or as separate documents."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from seqgen.batches.documents import Documents
from seqgen.batches.stream import Stream, held_back_windows, shrink_to_text
from seqgen.batches.windows import Batch, Batches
from seqgen.data.splits import split_documents, split_stream
from seqgen.data.store import Ragged

VALIDATION_WINDOW = 256  # tokens; without a backward pass it may be longer than in training
VALIDATION_ROWS = 64


class TextBatches(NamedTuple):
    """Batches of a text.

    `train` is endless, and `train_text` returns at most so many tokens to train on, one after another; `validation`
    gives this process's share of the batches of the part for validation, whose tokens are `held_back`.
    `shrunk` is a message where the text is too short for the batch size that was asked for.
    """

    train: Batches[Batch]
    train_text: Callable[[int], np.ndarray]
    validation: Callable[[], Iterator[Batch]]
    held_back: np.ndarray
    train_tokens: int
    batches_per_epoch: int
    shrunk: str = ""


def stream_batches(tokens: np.ndarray | Sequence[int], lanes: int, window: int, **shared: int) -> TextBatches:
    """Return batches of one stream, whose end is held back for validation.

    Args:
        tokens: (length,) numbers.
        lanes: number of rows of a batch, read in parallel.
        window: number of steps of a batch; the hidden state is carried from one to the next.
        **shared: random seed, rank and number of processes, as `Stream` takes them.

    Raises:
        InputError: the text is too short for validation.
    """
    train, held_back = split_stream(tokens)
    fitting = shrink_to_text(len(train), lanes, window)
    shrunk = ""
    if fitting != (lanes, window):
        shrunk = (
            f"a batch of {lanes} lanes of {window} tokens needs {lanes * window:,} to train on, but the text has "
            f"{len(train):,}: training with {fitting[0]} lanes of {fitting[1]}"
        )
    batches = Stream(train, *fitting, **shared)
    own = {name: value for name, value in shared.items() if name != "seed"}
    validation = partial(held_back_windows, held_back, window=VALIDATION_WINDOW, **own)

    def latest(most: int) -> np.ndarray:
        """Return the tokens nearest to those that are held back."""
        return np.asarray(train[-most:])

    return TextBatches(batches, latest, validation, held_back, len(train), batches.windows_per_epoch, shrunk)


def document_batches(documents: Ragged, rows: int, window: int, **shared: int) -> TextBatches:
    """Return batches of separate documents of similar length, some of which are held back for validation.

    Args:
        documents: token numbers of each, EOS included.
        rows: number of documents of a batch.
        window: maximum number of steps of a batch; of longer documents the hidden state is carried to the next batch.
        **shared: random seed, rank and number of processes, as `Documents` takes them.

    Raises:
        InputError: there are too few documents for validation.
    """
    train, held_back = split_documents(documents.lengths, shared.get("seed", 0))
    size = min(rows, len(train))
    shrunk = ""
    if size < rows:
        shrunk = (
            f"a batch of {rows} documents needs as many to train on, but there are {len(train)}: training with {size}"
        )
    batches = Documents(documents, size, window, chosen=train, **shared)
    own = held_back[shared.get("rank", 0) :: shared.get("world_size", 1)]

    def validation() -> Iterator[Batch]:
        """Yield the documents of this process, where there are as many as processes."""
        rows = min(VALIDATION_ROWS, len(own))
        return Documents(documents, rows, VALIDATION_WINDOW, chosen=own).once() if rows else iter(())

    held_back_tokens = Documents(documents, 1, VALIDATION_WINDOW, chosen=held_back).chosen_tokens()
    train_tokens = batches.token_count
    per_epoch = max(len(train) // size, train_tokens // (size * window))
    texts = batches.chosen_tokens, validation, held_back_tokens
    return TextBatches(batches, *texts, train_tokens, per_epoch, shrunk)
