"""Rows of numbers in cached files, which are written once, row by row, and may be larger than memory."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, overload

import numpy as np

from seqgen.data.numbers import Damaged, Numbers, writing_numbers
from seqgen.errors import InputError
from seqgen.files import filling_cache, one_at_a_time

T = TypeVar("T")

BLOCK = 4096  # maximum number of rows that are written or read at a time
NUMBERS = 1 << 22  # maximum number of numbers in these, unless a single row is longer


class Ragged(Sequence[np.ndarray]):
    """Rows of numbers of unequal lengths.

    `values` are the numbers of all rows, one after another, and `offsets` the (rows + 1,) places where rows begin and
    end; both are read from their files as they are needed. `key` identifies these rows.

    Raises:
        Damaged: a file is missing, or not as it was written.
    """

    def __init__(self, path: Path, dtype: np.dtype):
        self.key = path.name
        self.offsets = Numbers(path.with_suffix(".offsets"), np.dtype(np.int64))
        self.values = Numbers(path, dtype)
        if self.offsets[-1] != len(self.values):
            raise Damaged(path)

    @cached_property
    def lengths(self) -> np.ndarray:
        """The (rows,) lengths."""
        return np.diff(np.asarray(self.offsets))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @overload
    def __getitem__(self, number: int) -> np.ndarray: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[np.ndarray]: ...
    def __getitem__(self, number: int | slice) -> np.ndarray | Sequence[np.ndarray]:
        if isinstance(number, slice):
            return [self[each] for each in range(*number.indices(len(self)))]
        if not -len(self) <= number < len(self):
            raise IndexError(number)
        number %= len(self)
        return self.values.read(*self.offsets.read(number, number + 2).tolist())

    def __iter__(self) -> Iterator[np.ndarray]:
        """Yield the rows in order, and read many at once."""
        begin = 0
        while begin < len(self):
            offsets = self.offsets.read(begin, min(begin + BLOCK, len(self)) + 1)
            offsets = offsets[: max(int(np.searchsorted(offsets, offsets[0] + NUMBERS, side="right")), 2)]
            block = self.values.read(int(offsets[0]), int(offsets[-1]))
            yield from np.split(block, (offsets[1:-1] - offsets[0]))
            begin += len(offsets) - 1


def stored(
    identity: Any, rows: Callable[[], Iterable[tuple[np.ndarray, ...]]], largest: Sequence[int]
) -> tuple[Ragged, ...]:
    """Return columns of rows, from the cache where it has them undamaged.

    Of several processes that ask for them at the same time, one makes them and the others wait.

    Args:
        identity: plain data that identifies these rows.
        rows: yields the rows, each with an array for each column; called only where the cache lacks them.
        largest: exclusive upper bound of the numbers of each column.

    Raises:
        InputError: the cache cannot be written.
    """
    key = fingerprint(identity)[:32]
    dtypes = [np.min_scalar_type(max(bound - 1, 0)) for bound in largest]
    with filling_cache() as cache:
        paths = [cache / f"{key}-{place}.{dtype.name}" for place, dtype in enumerate(dtypes)]
        with suppress(Damaged):
            return tuple(map(Ragged, paths, dtypes))
        with one_at_a_time(cache / key):
            with suppress(Damaged):  # made by another process in the meantime
                return tuple(map(Ragged, paths, dtypes))
            _write(paths, dtypes, rows())
    try:
        return tuple(map(Ragged, paths, dtypes))
    except Damaged as error:
        raise InputError(f"{error} must be as it was just written, but it is not: the disk is unreliable") from None


def _write(paths: list[Path], dtypes: list[np.dtype], rows: Iterable[tuple[np.ndarray, ...]]) -> None:
    with ExitStack() as files:
        offsets = [files.enter_context(writing_numbers(path.with_suffix(".offsets"))) for path in paths]
        values = [files.enter_context(writing_numbers(path)) for path in paths]
        ends = [0] * len(paths)
        for write in offsets:
            write(np.zeros(1, np.int64))
        for block in blocks(rows, BLOCK, lambda row: sum(map(len, row))):
            for place, column in enumerate(zip(*block, strict=True)):
                values[place](np.concatenate(column).astype(dtypes[place]))
                column_ends = ends[place] + np.cumsum([len(row) for row in column])
                offsets[place](column_ends.astype(np.int64))
                ends[place] = int(column_ends[-1])


def blocks(rows: Iterable[T], size: int, count: Callable[[T], int] = lambda row: 0) -> Iterator[list[T]]:
    """Yield rows in lists of `size`, of which the last, and any with more than `NUMBERS` by `count`, are shorter."""
    block: list[T] = []
    numbers = 0
    for row in rows:
        block.append(row)
        numbers += count(row)
        if len(block) == size or numbers >= NUMBERS:
            yield block
            block, numbers = [], 0
    if block:
        yield block


def fingerprint(identity: Any) -> str:
    """Return a hash of plain data."""
    text = json.dumps(identity, ensure_ascii=False, default=os.fspath)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def file_fingerprint(path: Path) -> str:
    """Return a hash of a file's content.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None
