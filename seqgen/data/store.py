"""Rows of numbers in memory-mapped files, which are written once, row by row, and may be larger than memory."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, overload

import numpy as np

from seqgen.errors import InputError
from seqgen.files import cache_directory, writing

T = TypeVar("T")

BLOCK = 4096  # maximum number of rows that are written or read at a time
NUMBERS = 1 << 22  # maximum number of numbers in these, unless a single row is longer


class Ragged(Sequence[np.ndarray]):
    """Rows of numbers of unequal lengths.

    `values` are the numbers of all rows, one after another, and `offsets` the (rows + 1,) places where rows begin and
    end; both are read from their files as they are needed. `key` identifies these rows.
    """

    def __init__(self, path: Path, dtype: np.dtype):
        self.path, self.key = path, path.name
        self.values = _mapped(path, dtype)
        self.offsets = _mapped(path.with_suffix(".offsets"), np.dtype(np.int64))

    @property
    def lengths(self) -> np.ndarray:
        """The (rows,) lengths."""
        return np.diff(self.offsets)

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
        return np.asarray(self.values[self.offsets[number] : self.offsets[number + 1]])

    def __iter__(self) -> Iterator[np.ndarray]:
        """Yield the rows in order, by ordinary reading: pages of a memory map would count as memory of the process."""
        begin = 0
        while begin < len(self):
            offsets = np.asarray(self.offsets[begin : begin + BLOCK + 1])
            offsets = offsets[: max(int(np.searchsorted(offsets, offsets[0] + NUMBERS, side="right")), 2)]
            count, skipped = int(offsets[-1] - offsets[0]), int(offsets[0]) * self.values.itemsize
            block = np.fromfile(self.path, self.values.dtype, count, offset=skipped)
            yield from np.split(block, (offsets[1:-1] - offsets[0]))
            begin += len(offsets) - 1


def stored(
    identity: Any, rows: Callable[[], Iterable[tuple[np.ndarray, ...]]], largest: Sequence[int]
) -> tuple[Ragged, ...]:
    """Return columns of rows, from the cache where it has them.

    Args:
        identity: plain data that identifies these rows.
        rows: yields the rows, each with an array for each column; called only where the cache lacks them.
        largest: exclusive upper bound of the numbers of each column.
    """
    key = fingerprint(identity)[:32]
    dtypes = [np.min_scalar_type(max(bound - 1, 0)) for bound in largest]
    paths = [cache_directory() / f"{key}-{place}.{dtype.name}" for place, dtype in enumerate(dtypes)]
    if not all(path.with_suffix(".offsets").exists() for path in paths):
        _write(paths, dtypes, rows())
    return tuple(Ragged(path, dtype) for path, dtype in zip(paths, dtypes, strict=True))


def _write(paths: list[Path], dtypes: list[np.dtype], rows: Iterable[tuple[np.ndarray, ...]]) -> None:
    # The files of offsets get their names last, so that where they exist the values exist, too.
    with ExitStack() as files:
        offsets = [files.enter_context(writing(path.with_suffix(".offsets"))) for path in paths]
        values = [files.enter_context(writing(path)) for path in paths]
        ends = [0] * len(paths)
        for file in offsets:
            file.write(np.zeros(1, np.int64).tobytes())
        for block in blocks(rows, BLOCK, lambda row: sum(map(len, row))):
            for place, column in enumerate(zip(*block, strict=True)):
                ends[place] = _append(values[place], offsets[place], column, dtypes[place], ends[place])


def _append(values: BinaryIO, offsets: BinaryIO, rows: Sequence[np.ndarray], dtype: np.dtype, end: int) -> int:
    ends = end + np.cumsum([len(row) for row in rows])
    values.write(np.concatenate(rows).astype(dtype).tobytes())
    offsets.write(ends.astype(np.int64).tobytes())
    return int(ends[-1])


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


def _mapped(path: Path, dtype: np.dtype) -> np.ndarray:
    if path.stat().st_size == 0:  # which cannot be mapped
        return np.zeros(0, dtype)
    return np.memmap(path, dtype=dtype, mode="r")


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
