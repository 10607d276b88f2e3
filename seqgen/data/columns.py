"""Columns of texts that behave like lists, but are read from cached files as they are needed."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Generic, Self, TypeVar, overload

import numpy as np

from seqgen.data.store import Ragged, blocks, fingerprint, stored
from seqgen.errors import InputError

T = TypeVar("T")

BETWEEN = "\0"  # separator of the words of a row; text files must not have it


class Column(Sequence[T], Generic[T]):
    """A column of items that are decoded from stored rows.

    Args:
        rows: the stored rows.
        item: from a row to an item.
    """

    def __init__(self, rows: Ragged, item: Callable[[np.ndarray], T]):
        self.rows, self.item, self.key = rows, item, rows.key

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, number: int) -> T: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[T]: ...
    def __getitem__(self, number: int | slice) -> T | Sequence[T]:
        if isinstance(number, slice):
            return chosen(self, np.arange(len(self))[number])
        return self.item(self.rows[number])

    def __iter__(self) -> Iterator[T]:
        return map(self.item, self.rows)


class Chosen(Sequence[T], Generic[T]):
    """Some items of a column, by their numbers.

    Args:
        column: the whole column.
        numbers: (items,) numbers of the items.
    """

    def __init__(self, column: Column[T], numbers: np.ndarray):
        self.column, self.numbers = column, numbers
        self.key = f"{column.key} {hashlib.sha256(numbers.astype(np.int64).tobytes()).hexdigest()}"

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, number: int) -> T: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[T]: ...
    def __getitem__(self, number: int | slice) -> T | Sequence[T]:
        if isinstance(number, slice):
            return Chosen(self.column, self.numbers[number])
        return self.column[int(self.numbers[number])]

    def __iter__(self) -> Iterator[T]:
        """Yield the items, in one pass over the file where their numbers rise."""
        if np.any(np.diff(self.numbers, prepend=-1) <= 0):  # or where the first counts from the end
            yield from (self.column[int(number)] for number in self.numbers)
            return
        wanted = np.zeros(len(self.column), dtype=bool)
        wanted[self.numbers] = True
        yield from (self.column.item(row) for row, real in zip(self.column.rows, wanted, strict=True) if real)


def chosen(column: Sequence[T], numbers: np.ndarray | Iterable[int]) -> Sequence[T]:
    """Return the items with these numbers: of a list a list, of a stored column a view."""
    numbers = np.fromiter(numbers, np.int64) if not isinstance(numbers, np.ndarray) else numbers
    if isinstance(column, Chosen):
        return Chosen(column.column, column.numbers[numbers])
    if isinstance(column, Column):
        return Chosen(column, numbers)
    return [column[number] for number in numbers]


@dataclass(frozen=True)
class Columns:
    """Base of examples in columns of equal length: lists, or what behaves like lists and is read from its file.

    Where there is a column "where", of the file and line of each, by default they are numbered.

    Raises:
        InputError: columns of unequal lengths.
    """

    def __post_init__(self) -> None:
        first, *others = (field.name for field in fields(self))
        where = getattr(self, "where", None)
        if where is not None and not len(where):
            object.__setattr__(self, "where", [f"example {number}" for number in range(1, len(self) + 1)])
        for name in others:
            if len(getattr(self, name)) != len(self):
                rule = f"{name} must have an item for each of the {len(self):,} {first}"
                raise InputError(f"{rule}, but it has {len(getattr(self, name)):,}")

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))

    def chosen(self, numbers: np.ndarray | Iterable[int]) -> Self:
        """Return the examples with these numbers."""
        numbers = np.fromiter(numbers, np.int64)
        return replace(self, **{field.name: chosen(getattr(self, field.name), numbers) for field in fields(self)})

    @property
    def fingerprint(self) -> str:
        """A hash of the content: of all columns but "where", the file and line of each example."""
        return content_key([getattr(self, field.name) for field in fields(self) if field.name != "where"])


def content_key(columns: Iterable[Sequence[Any]]) -> str:
    """Return a hash of the content of columns: cheap for stored ones."""
    return fingerprint([getattr(column, "key", None) or list(map(str, column)) for column in columns])


def text_hashes(texts: Iterable[str]) -> np.ndarray:
    """Return the (texts,) 64-bit hashes of texts, which are equal for equal texts and practically never for others."""
    digests = (hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest() for text in texts)
    return np.concatenate(
        [np.zeros(0, np.int64), *(np.frombuffer(b"".join(block), np.int64) for block in blocks(digests, 1 << 16))]
    )


def stored_texts(identity: Any, rows: Callable[[], Iterable[tuple[str, ...]]], count: int) -> list[Column[str]]:
    """Return `count` columns of texts, from the cache where it has them; `rows` yields the texts of each row."""

    def encoded() -> Iterator[tuple[np.ndarray, ...]]:
        for row in rows():
            yield tuple(np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8) for text in row)

    return [Column(column, _text) for column in stored(identity, encoded, [256] * count)]


def split_words(texts: Column[str]) -> Column[list[str]]:
    """Return a column of texts, whose words were joined by `BETWEEN`, as lists of words."""
    return Column(texts.rows, lambda row: _text(row).split(BETWEEN))


def _text(row: np.ndarray) -> str:
    return row.tobytes().decode("utf-8", "surrogatepass")
