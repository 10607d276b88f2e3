"""Rows of files: separated by tabs or commas, JSON, or a label before a text; each with its file and line."""

import csv
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from seqgen.data.columns import Column, stored_texts
from seqgen.data.format import Format
from seqgen.data.text_file import LONGEST, TextFile
from seqgen.errors import InputError, nearest
from seqgen.files import read_json

csv.field_size_limit(LONGEST)
MOST_LINES = 1000  # of a row, whose quotes may hold line ends
logger = logging.getLogger(__name__)


class Row(NamedTuple):
    """The cells of the columns that were asked for, and their place, as "file, line 3"."""

    cells: list[str]
    where: str


def read_table(file: TextFile, form: Format, columns: Mapping[str, str]) -> Iterator[Row]:
    """Yield the rows of a file, with the columns that were asked for.

    Args:
        file: of rows; plain lines are a label, white space, and a text.
        form: of this file.
        columns: by what errors call each, such as "--text_column": a name from the first line (or JSON key), or a
            number from 1; or several with commas between, whose cells are joined by a space. Where all are names and
            the first line has none of them, the file is taken to have no names, and just these columns.

    Raises:
        InputError: an unknown column, a row with too few or too many cells, or a file that cannot be read.
    """
    if form.kind == "separated":
        return _read_separated(file, form, columns)
    if form.kind == "plain":
        return _read_label_first(file, form)
    return _read_json(file, form, columns)


def stored_rows(
    identity: Any, files: Sequence[TextFile], rows: Callable[[TextFile], Iterable[tuple[str, str, str]]]
) -> list[Column[str]]:
    """Return two columns of texts and one of places, as "file, line 3", of all files, from the cache where it has them.

    Args:
        identity: plain data that identifies these rows, together with the content of the files.
        files: in order; the stored places have their numbers in place of their names, as files can be renamed.
        rows: yields two texts and the place of each row of a file; called only where the cache lacks them.
    """
    names = [file.name for file in files]

    def numbered() -> Iterator[tuple[str, str, str]]:
        for number, file in enumerate(files):
            for one, other, place in rows(file):
                yield one, other, f"{number}{place.removeprefix(file.name)}"

    def named(place: str) -> str:
        number, comma, line = place.partition(",")
        return f"{names[int(number)]}{comma}{line}"

    *texts, places = stored_texts([identity, [file.fingerprint for file in files]], numbered, 3)
    return [*texts, Column(places.rows, lambda row: named(places.item(row)))]


def first_row(file: TextFile, form: Format) -> list[str]:
    """Return the cells of the first row of a separated file: the columns' names, if it has any; none of other files."""
    return next(_rows(file, form), ([], ""))[0] if form.kind == "separated" else []


def lower_names(cells: list[str]) -> list[str]:
    """Return the names of columns as they are compared."""
    return [cell.strip().lower() for cell in cells]


def _rows(file: TextFile, form: Format) -> Iterator[tuple[list[str], str]]:
    """Yield the cells of each row that has any, and its place: its last line."""
    begin = 1  # the first line of a row

    def lines() -> Iterator[str]:
        number = 0
        for number, line in enumerate(file.lines(), start=1):
            if number - begin == MOST_LINES:
                break
            yield line + "\n"
        if number >= begin:  # within a row no further line is asked for but to close a quote
            raise InputError(
                f"{file.at(begin)}: a quote must be closed within {MOST_LINES:,} lines, but it is not ({form})"
            )

    how: dict[str, Any] = {} if form.quotes else {"quoting": csv.QUOTE_NONE}
    reader = csv.reader(lines(), delimiter=form.separator, **how)
    try:
        for cells in reader:
            if cells:
                yield cells, file.at(reader.line_num)
            begin = reader.line_num + 1
    except csv.Error as error:
        raise InputError(f"{file.at(begin)}: a row must be whole, but it is not: {error} ({form})") from None


def _read_separated(file: TextFile, form: Format, columns: Mapping[str, str]) -> Iterator[Row]:
    rows = _rows(file, form)
    first, where = next(rows, ([], ""))
    if not first:
        raise InputError(f"{file.name} must hold rows, but it holds none")
    names = lower_names(first)
    asked = {option: [column] if column.lower() in names else split(column) for option, column in columns.items()}
    every = [part for parts in asked.values() for part in parts]
    named = any(part.lower() in names for part in every if not part.isdecimal())
    if named or any(part.isdecimal() for part in every):
        known = names if named else []
        places = [[_place(where, option, part, known, form, len(first)) for part in asked[option]] for option in asked]
    elif len(first) == len(columns):
        places = [[number] for number in range(len(columns))]
        logger.warning(f"{where}: no name of {', '.join(every)} here, so it is read as the first row")
    else:
        raise InputError(
            f"{where}: it must name the columns {' and '.join(every)}, or there must be just these {len(columns)}, "
            f"but it has {len(first)}: {', '.join(cell[:20] for cell in first)}{_others(columns)} ({form})"
        )
    for cells, place in chain([] if named else [(first, where)], rows):
        yield _row(cells, places, len(first), place, form)


def _row(cells: list[str], places: list[list[int]], width: int, where: str, form: Format) -> Row:
    if len(cells) != width:
        raise InputError(
            f"{where}: a row must have as many columns as the first, {width}, but it has {len(cells)} ({form})"
        )
    return Row([" ".join(cells[number] for number in numbers) for numbers in places], where)


def _place(where: str, option: str, part: str, names: list[str], form: Format, width: int) -> int:
    number = column_number(part)
    if number is not None and 1 <= number <= width:
        return number - 1
    if part.lower() in names:
        return names.index(part.lower())
    among = f"one of {', '.join(names)}" if names else f"a number from 1 to {width}"
    raise InputError(f"{where}: {option} must be {among}, not {part!r}{nearest(part, names)} ({form})")


def column_number(text: str) -> int | None:
    """Return the number of a column that a text is, or None where it is a name."""
    return int(text) if text.isdecimal() and len(text) < 10 else None


def split(column: str) -> list[str]:
    """Return the names or numbers of columns, which have commas between them."""
    return [part.strip() for part in column.split(",")]


def _others(columns: Mapping[str, str]) -> str:
    options = [option for option in columns if option.startswith("--")]
    return f"; {' and '.join(options)} name others, or number them from 1" if options else ""


def _read_json(file: TextFile, form: Format, columns: Mapping[str, str]) -> Iterator[Row]:
    for values, where in json_values(file, form):
        if not isinstance(values, dict):
            raise InputError(f"{where}: a line must be a JSON object, not {type(values).__name__}")
        cells = []
        for option, column in columns.items():
            parts = [column] if column in values else split(column)
            for part in parts:
                if part not in values:
                    hint = f" ({option} names another)" if option.startswith("--") else ""
                    raise InputError(
                        f"{where}: there must be a key {part!r}, but there are {', '.join(values) or 'none'}{hint}"
                    )
                if not isinstance(values[part], str | int | float):
                    raise InputError(f"{where}: {part!r} must be a text or a number, not {json.dumps(values[part])}")
            cells.append(" ".join(str(values[part]) for part in parts))
        yield Row(cells, where)


def json_values(file: TextFile, form: Format) -> Iterator[tuple[Any, str]]:
    """Yield the values of JSON lines, or of an array, which must fit memory."""
    if form.kind == "json array":
        try:
            values = read_json("\n".join(file.lines()))
        except ValueError as error:
            raise InputError(f"{file.name} must be a JSON array, but it is not: {error}") from None
        yield from ((value, f"{file.name}, item {number}") for number, value in enumerate(values, start=1))
        return
    for number, line in enumerate(file.lines(), start=1):
        if not line.strip():
            continue
        try:
            yield read_json(line), file.at(number)
        except ValueError as error:
            raise InputError(f"{file.at(number)}: a line must be a JSON object, but it is not: {error}") from None


def _read_label_first(file: TextFile, form: Format) -> Iterator[Row]:
    for number, line in enumerate(file.lines(), start=1):
        if line.strip():
            cells = line.split(maxsplit=1)
            if len(cells) < 2:
                raise InputError(
                    f"{file.at(number)}: a line must be a label, white space and a text, not {line!r} ({form})"
                )
            yield Row(cells, file.at(number))
