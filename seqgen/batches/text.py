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
from seqgen.data.text_splits import EncodedSplits

VALIDATION_WINDOW = 256  # tokens; without a backward pass it may be longer than in training
VALIDATION_ROWS = 64


class TextPart(NamedTuple):
    """A text to evaluate on: its (length,) tokens, and this process's share of its batches, from the first one.

    `characters` is the length of the text as its file has it, None where it is a part of a file.
    """

    tokens: np.ndarray
    batches: Callable[[], Iterator[Batch]]
    characters: int | None = None


class TextBatches(NamedTuple):
    """Batches of a text.

    `train` is endless, and `train_text` returns at most so many tokens to train on, one after another; `test` is None
    where there is no text to test on. `shrunk` is a message where the text is too short for the batch size that was
    asked for.
    """

    train: Batches[Batch]
    train_text: Callable[[int], np.ndarray]
    valid: TextPart
    test: TextPart | None
    train_tokens: int
    batches_per_epoch: int
    shrunk: str = ""

    @property
    def held_back(self) -> np.ndarray:
        """The (length,) tokens to validate on."""
        return self.valid.tokens

    def validation(self) -> Iterator[Batch]:
        """Return this process's share of the batches to validate on."""
        return self.valid.batches()

    @property
    def evaluated(self) -> dict[str, TextPart]:
        """The texts to evaluate on, by the beginning of their metrics: "val", and "test" where there is one."""
        return {"val": self.valid} | ({} if self.test is None else {"test": self.test})


def text_batches(
    splits: EncodedSplits, rows: int, window: int, *, split_seed: int | None = None, **shared: int
) -> TextBatches:
    """Return batches of texts, by `stream_batches` or by `document_batches`.

    Args:
        splits: token numbers of each text, as one stream or as separate documents.
        rows: number of rows of a batch.
        window: number of steps of a batch.
        split_seed: random seed by which documents are held back; by default that of `shared`.
        **shared: random seed, rank and number of processes.
    """
    make: Callable[..., TextBatches] = stream_batches
    if isinstance(splits.train, Ragged):
        make = partial(document_batches, split_seed=split_seed)
    made = make(splits.train, rows, window, valid=splits.valid, test=splits.test, **shared)
    test = None if made.test is None else made.test._replace(characters=splits.test_characters)
    return made._replace(valid=made.valid._replace(characters=splits.valid_characters), test=test)


def stream_batches(
    tokens: np.ndarray | Sequence[int],
    lanes: int,
    window: int,
    *,
    valid: np.ndarray | Sequence[int] | None = None,
    test: np.ndarray | Sequence[int] | None = None,
    **shared: int,
) -> TextBatches:
    """Return batches of one stream, whose end is held back for validation unless there is another text for that.

    Args:
        tokens: (length,) numbers.
        lanes: number of rows of a batch, read in parallel.
        window: number of steps of a batch; the hidden state is carried from one to the next.
        valid: (length,) numbers of a text to validate on.
        test: (length,) numbers of a text to test on.
        **shared: random seed, rank and number of processes, as `Stream` takes them.

    Raises:
        InputError: the text is too short for validation.
    """
    train, held_back = split_stream(tokens, valid)
    fitting = shrink_to_text(len(train), lanes, window, shared.get("world_size", 1))
    shrunk = ""
    if fitting != (lanes, window):
        shrunk = (
            f"a batch of {lanes} lanes of {window} tokens needs {lanes * window:,} to train on, but the text has "
            f"{len(train):,}: training with {fitting[0]} lanes of {fitting[1]}"
        )
    batches = Stream(train, *fitting, **shared)
    own = {name: value for name, value in shared.items() if name != "seed"}

    def part(text: np.ndarray) -> TextPart:
        return TextPart(text, partial(held_back_windows, text, window=VALIDATION_WINDOW, **own))

    def latest(most: int) -> np.ndarray:
        """Return the last tokens to train on, which are nearest to those that are held back."""
        return np.asarray(train[-most:])

    tested = None if test is None else part(np.asarray(test))
    return TextBatches(batches, latest, part(held_back), tested, len(train), batches.windows_per_epoch, shrunk)


def document_batches(
    documents: Ragged,
    rows: int,
    window: int,
    *,
    valid: Ragged | None = None,
    test: Ragged | None = None,
    split_seed: int | None = None,
    **shared: int,
) -> TextBatches:
    """Return batches of separate documents of similar length.

    Args:
        documents: token numbers of each, EOS included.
        rows: number of documents of a batch.
        window: maximum number of steps of a batch; of longer documents the hidden state is carried to the next batch.
        valid: documents to validate on; by default some of the others, which are held back.
        test: documents to test on.
        split_seed: random seed by which documents are held back; by default that of `shared`.
        **shared: random seed, rank and number of processes, as `Documents` takes them.

    Raises:
        InputError: there are too few documents for validation.
    """
    seed = shared.get("seed", 0) if split_seed is None else split_seed
    train, held_back = split_documents(documents.lengths, seed)
    if valid is not None:
        train = np.arange(len(documents))
    size = min(rows, len(train))
    shrunk = ""
    if size < rows:
        shrunk = (
            f"a batch of {rows} documents needs as many to train on, but there are {len(train)}: training with {size}"
        )
    batches = Documents(documents, size, window, chosen=train, **shared)

    def part(several: Ragged, chosen: np.ndarray) -> TextPart:
        own = chosen[shared.get("rank", 0) :: shared.get("world_size", 1)]

        def share() -> Iterator[Batch]:
            """Yield the documents of this process, where there are as many as processes."""
            rows = min(VALIDATION_ROWS, len(own))
            return Documents(several, rows, VALIDATION_WINDOW, chosen=own).once() if rows else iter(())

        return TextPart(Documents(several, 1, VALIDATION_WINDOW, chosen=chosen).chosen_tokens(), share)

    validated = part(documents, held_back) if valid is None else part(valid, np.arange(len(valid)))
    tested = None if test is None else part(test, np.arange(len(test)))
    train_tokens = batches.token_count
    per_epoch = max(len(train) // size, train_tokens // (size * window))
    return TextBatches(batches, batches.chosen_tokens, validated, tested, train_tokens, per_epoch, shrunk)
