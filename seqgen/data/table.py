"""Rows of files: tab- or comma-separated, JSON lines, or a label before a text; each row knows where it stands."""

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from seqgen.data.corpus import read_lines
from seqgen.errors import InputError, nearest

csv.field_size_limit(1 << 30)


class Row(NamedTuple):
    """The cells that were asked for, and where they stand, as "file, line 3"."""

    cells: list[str]
    where: str


def read_table(path: Path, columns: list[str]) -> Iterator[Row]:
    """Yield the rows of a file, with the columns that were asked for.

    Args:
        path: `.tsv`, `.csv` or `.jsonl`, anything else being lines of a label, white space, and a text; `.gz` of these.
        columns: a name from the first line (or of a JSON key), or a number from 1. Where they are the usual
            names and the first line has none of them, the file is taken to have no names and just these columns.

    Raises:
        InputError: a column that is not there, a row with too few or too many, or a file that cannot be read.
    """
    kind = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    readers: dict[str, Callable[[Path, list[str]], Iterator[Row]]] = {
        ".tsv": _read_separated,
        ".csv": _read_separated,
        ".jsonl": _read_json_lines,
    }
    yield from readers.get(kind, _read_label_first)(path, columns)


def _read_separated(path: Path, columns: list[str]) -> Iterator[Row]:
    if ".csv" in path.suffixes:
        reader = csv.reader(line + "\n" for line in read_lines(path))
    else:  # quotes in tab-separated text are just quotes
        reader = csv.reader(read_lines(path), delimiter="\t", quoting=csv.QUOTE_NONE)
    first = next(reader, None)
    if first is None:
        raise InputError(f"{path} must hold rows, but it is empty")
    names = [name.strip().lower() for name in first]
    named = any(column.lower() in names for column in columns if not column.isdigit())
    places = _places(path, names if named else None, len(first), columns)
    if not named:
        yield _row(first, places, len(first), f"{path}, line 1")
    for cells in reader:
        if cells:
            yield _row(cells, places, len(first), f"{path}, line {reader.line_num}")


def _row(cells: list[str], places: list[int], width: int, where: str) -> Row:
    if len(cells) != width:
        raise InputError(f"{where}: a row must have as many columns as the first, {width}, but it has {len(cells)}")
    return Row([cells[place] for place in places], where)


def _places(path: Path, names: list[str] | None, width: int, columns: list[str]) -> list[int]:
    if names is None and not any(column.isdigit() for column in columns):
        if width == len(columns):
            return list(range(width))
        raise InputError(
            f"{path}, line 1: without the names {' and '.join(columns)} there must be {len(columns)} columns, but it "
            f"has {width}: name them or give their numbers"
        )
    return [_place(path, names or [], width, column) for column in columns]


def _place(path: Path, names: list[str], width: int, column: str) -> int:
    if column.isdigit() and 1 <= int(column) <= width:
        return int(column) - 1
    if column.lower() in names:
        return names.index(column.lower())
    among = f"one of {', '.join(names)}" if names else f"a number from 1 to {width}"
    raise InputError(f"{path}, line 1: a column must be {among}, not {column!r}{nearest(column, names)}")


def _read_json_lines(path: Path, columns: list[str]) -> Iterator[Row]:
    for number, line in enumerate(read_lines(path), start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            values: Any = json.loads(line)
        except ValueError as error:
            raise InputError(f"{where}: a line must be a JSON object, but it is not: {error}") from None
        if not isinstance(values, dict):
            raise InputError(f"{where}: a line must be a JSON object, not {type(values).__name__}")
        for column in columns:
            if column not in values:
                raise InputError(
                    f"{where}: there must be a key {column!r}, but there are {', '.join(values) or 'none'}"
                )
            if not isinstance(values[column], str | int | float):
                raise InputError(f"{where}: {column!r} must be a text or a number, not {json.dumps(values[column])}")
        yield Row([str(values[column]) for column in columns], where)


def _read_label_first(path: Path, columns: list[str]) -> Iterator[Row]:
    for number, line in enumerate(read_lines(path), start=1):
        if line.strip():
            cells = line.split(maxsplit=1)
            if len(cells) < 2:
                raise InputError(f"{path}, line {number}: a line must be a label, white space and a text, not {line!r}")
            yield Row(cells, f"{path}, line {number}")
