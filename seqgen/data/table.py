"""Rows of files: tab- or comma-separated, JSON lines, or a label before a text; each with its file and line."""

import csv
import json
import logging
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from seqgen.data.columns import Column, stored_texts
from seqgen.data.corpus import read_lines
from seqgen.errors import InputError, nearest

csv.field_size_limit(1 << 30)
logger = logging.getLogger(__name__)


class Row(NamedTuple):
    """The cells of the columns that were asked for, and their place, as "file, line 3"."""

    cells: list[str]
    where: str


def read_table(path: Path, columns: list[str]) -> Iterator[Row]:
    """Yield the rows of a file, with the columns that were asked for.

    Args:
        path: `.tsv`, `.csv` or `.jsonl`, anything else being lines of a label, white space, and a text; `.gz` of these.
        columns: names from the first line (or JSON keys), or numbers from 1. Where all are names and the first line has
            none of them, the file is taken to have no names, and just these columns.

    Raises:
        InputError: an unknown column, a row with too few or too many cells, or a file that cannot be read.
    """
    kind = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    readers: dict[str, Callable[[Path, list[str]], Iterator[Row]]] = {
        ".tsv": _read_separated,
        ".csv": _read_separated,
        ".jsonl": _read_json_lines,
    }
    yield from readers.get(kind, _read_label_first)(path, columns)


def stored_rows(
    identity: Any, path: Path, name: str, rows: Callable[[], Iterable[tuple[str, str, str]]]
) -> list[Column[str]]:
    """Return two columns of texts and one of places, as "file, line 3", from the cache where it has them.

    Args:
        identity: plain data that identifies these rows.
        path: of the file, with which the places of `rows` begin; the stored ones do not, as files can be renamed.
        name: of the file, with which the returned places begin.
        rows: yields two texts and the place of each row; called only where the cache lacks them.
    """

    def relative() -> Iterator[tuple[str, str, str]]:
        for one, other, place in rows():
            yield one, other, place.removeprefix(str(path))

    *texts, places = stored_texts(identity, relative, 3)
    return [*texts, Column(places.rows, lambda row: f"{name}{places.item(row)}")]


def read_names(path: Path) -> list[str]:
    """Return the cells of the first line of a `.tsv` or `.csv` in lower case: the columns' names, if it has any."""
    return _names(next(_reader(path), []))


def _names(cells: list[str]) -> list[str]:
    return [cell.strip().lower() for cell in cells]


def _reader(path: Path) -> Any:
    if ".csv" in path.suffixes:
        return csv.reader(line + "\n" for line in read_lines(path))
    return csv.reader(read_lines(path), delimiter="\t", quoting=csv.QUOTE_NONE)  # in a .tsv quotes have no meaning


def _read_separated(path: Path, columns: list[str]) -> Iterator[Row]:
    reader = _reader(path)
    first = next(reader, None)
    if first is None:
        raise InputError(f"{path} must hold rows, but it is empty")
    names = _names(first)
    named = any(column.lower() in names for column in columns if not column.isdigit())
    places = _places(path, names if named else None, len(first), columns)
    if not named:
        if not any(column.isdigit() for column in columns):
            logger.warning(f"{path}, line 1: no name of {', '.join(columns)} here, so it is read as the first row")
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
            f"{path}, line 1: it must name the columns {' and '.join(columns)}, or there must be just these "
            f"{len(columns)}, but it has {width}"
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
