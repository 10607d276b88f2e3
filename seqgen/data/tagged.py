"""Sequences of tokens with a tag each: CoNLL-U, two columns, or JSON lines."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from seqgen.arguments import checked
from seqgen.data.columns import BETWEEN, Columns, split_words
from seqgen.data.format import Format, first_lines, format_of
from seqgen.data.paths import find_files
from seqgen.data.table import column_number, json_values, stored_rows
from seqgen.data.text_file import TextFile
from seqgen.errors import InputError, nearest

COLUMNS = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")


@checked
@dataclass(frozen=True)
class Tagged(Columns):
    """Sequences of tokens (a text is one of characters), the tag of each token, and each sequence's file and line."""

    tokens: Sequence[str | Sequence[str]]
    tags: Sequence[Sequence[str]]
    where: Sequence[str] = ()

    def require_known(self, tags: Sequence[str]) -> None:
        """Raise an InputError where a sequence has a tag that is not one of these."""
        known = set(tags)
        for row, where in zip(self.tags, self.where, strict=True):
            for tag in row:
                if tag not in known:
                    raise InputError(
                        f"{where}: a tag must be one of the training sequences', not {tag!r}{nearest(tag, tags)}"
                    )


def read_tagged(data: str, column: str = "UPOS", encoding: str = "utf-8") -> Tagged:
    """Read tagged sequences.

    Args:
        data: files as `find_files` finds them: CoNLL-U, by the ending `.conllu` or the ten columns of its first lines;
            JSON with "tokens" and "tags" in each object; anything else being lines of a token, a tab or else white
            space, and a tag, with an empty line after each sequence.
        column: name or number (from 1) of the column of CoNLL-U with the tags; a number also of other lines, which
            may then have more columns than two.
        encoding: of the files.

    Raises:
        InputError: a file does not exist or is empty, or a line is malformed.
    """
    files = find_files(data, encoding)
    forms = {file: format_of(file) for file in files}
    kinds = {file: _kind(file, forms[file]) for file in files}
    number = column_number(column)
    numbered = None if number is None else number - 1
    places = {"CoNLL-U": _conllu_place(column) if "CoNLL-U" in kinds.values() else None, "lines": numbered}

    def rows(file: TextFile) -> Iterator[tuple[str, str, str]]:
        kind, form = kinds[file], forms[file]
        for tokens, tags, where in _read_json(file, form) if kind == "JSON" else _read_blocks(file, kind, places[kind]):
            yield BETWEEN.join(tokens), BETWEEN.join(tags), where

    tokens, tags, where = stored_rows(["tagged", [kinds[file] for file in files], places], files, rows)
    if not len(tokens):
        raise InputError(f"{data} must hold tagged texts, but it holds none")
    return Tagged(split_words(tokens), split_words(tags), where)


def _kind(file: TextFile, form: Format) -> str:
    """Return the kind of a file of tagged texts: "JSON", "CoNLL-U" or "lines", by its ending or else first lines."""
    if file.ending == ".conllu":
        return "CoNLL-U"
    if form.kind.startswith("json"):
        return "JSON"
    words = [line for line in first_lines(file) if not line.startswith("#")]
    return "CoNLL-U" if words and all(line.count("\t") == len(COLUMNS) - 1 for line in words) else "lines"


Sequences = Iterator[tuple[list[str], list[str], str]]


def _read_blocks(file: TextFile, kind: str, place: int | None) -> Sequences:
    """Yield the sequences of a file, with the tags at a place, or in the second of two columns."""
    conllu = kind == "CoNLL-U"
    tokens: list[str] = []
    tags: list[str] = []
    begin, width = 1, len(COLUMNS) if conllu else 2 if place is None else 0
    for number, line in enumerate(file.lines(), start=1):
        if not line.strip():
            if tokens:
                yield tokens, tags, file.at(begin)
            tokens, tags, begin = [], [], number + 1
        elif not conllu or not line.startswith("#"):
            cells = line.split("\t") if conllu else _cells(line)
            width = width or max(len(cells), (place or 0) + 1)
            if len(cells) != width:
                hint = "" if conllu or place is not None or len(cells) < 2 else " (--column numbers that of the tags)"
                where = f"{file.at(number)}: there must be {width} columns"
                raise InputError(f"{where}, but there are {len(cells)}, read as {kind}{hint}")
            if not conllu or cells[0].isdecimal():  # neither a multiword token nor an empty node
                tokens.append(cells[1 if conllu else 0])
                tags.append(cells[1 if place is None else place])
    if tokens:
        yield tokens, tags, file.at(begin)


def _cells(line: str) -> list[str]:
    """Return the columns of a line: two with one tab between, or what stands between white space."""
    cells = [cell.strip() for cell in line.split("\t")]
    return cells if len(cells) == 2 and all(cells) else line.split()


def _conllu_place(column: str) -> int:
    if column.upper() in COLUMNS:
        return COLUMNS.index(column.upper())
    number = column_number(column)
    if number is not None and 1 <= number <= len(COLUMNS):
        return number - 1
    raise InputError(
        f"--column must be one of {', '.join(COLUMNS)} or a number from 1 to {len(COLUMNS)}, not {column!r}"
        f"{nearest(column.upper(), COLUMNS)}"
    )


def _read_json(file: TextFile, form: Format) -> Sequences:
    for values, where in json_values(file, form):
        try:
            tokens, tags = list(map(str, values["tokens"])), list(map(str, values["tags"]))
        except (KeyError, TypeError):
            shown = json.dumps(values, ensure_ascii=False)[:80]
            raise InputError(f'{where}: there must be lists "tokens" and "tags" in JSON, not {shown}') from None
        if BETWEEN in "".join(tokens + tags):
            raise InputError(f"{where}: tokens and tags must be text, but one holds a NUL character")
        if len(tokens) != len(tags):
            raise InputError(f"{where}: there must be a tag for each token, but {len(tokens)} have {len(tags)}")
        if tokens:
            yield tokens, tags, where
