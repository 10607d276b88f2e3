"""Sequences of tokens with a tag each: CoNLL-U, two columns, or JSON lines."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from seqgen.data.columns import BETWEEN, Columns, split_words
from seqgen.data.corpus import read_lines
from seqgen.data.store import file_fingerprint
from seqgen.data.table import stored_rows
from seqgen.errors import InputError, nearest

COLUMNS = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")


@dataclass(frozen=True)
class Tagged(Columns):
    """Sequences of tokens (a text is one of characters), the tag of each token, and each sequence's file and line."""

    tokens: Sequence[Sequence[str]]
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


def read_tagged(path: str, column: str = "UPOS") -> Tagged:
    """Read tagged sequences.

    Args:
        path: `.conllu`; `.jsonl` with "tokens" and "tags" in each line; anything else being lines of a token, white
            space and a tag, with an empty line after each sequence; `.gz` of these.
        column: name or number (from 1) of a column of CoNLL-U.

    Raises:
        InputError: the file does not exist or is empty, or a line is malformed.
    """
    file = Path(path)
    if not file.is_file():
        raise InputError(f"tagged texts must be a file, but {path!r} is not a file")
    kind = file.with_suffix("").suffix if file.suffix == ".gz" else file.suffix
    place = _conllu_place(column) if kind == ".conllu" else None

    def rows() -> Iterator[tuple[str, str, str]]:
        found = _read_json_lines(file) if kind == ".jsonl" else _read_blocks(file, place)
        for tokens, tags, where in found:
            yield BETWEEN.join(tokens), BETWEEN.join(tags), where

    tokens, tags, where = stored_rows(["tagged", file_fingerprint(file), kind, place], file, path, rows)
    if not len(tokens):
        raise InputError(f"{path} must hold tagged texts, but it holds none")
    return Tagged(split_words(tokens), split_words(tags), where)


Sequences = Iterator[tuple[list[str], list[str], str]]


def _read_blocks(path: Path, place: int | None) -> Sequences:
    tokens: list[str] = []
    tags: list[str] = []
    begin = 1
    for number, line in enumerate(read_lines(path), start=1):
        if not line.strip():
            if tokens:
                yield tokens, tags, f"{path}, line {begin}"
            tokens, tags, begin = [], [], number + 1
        elif place is None or not line.startswith("#"):
            cells = line.split("\t") if place is not None else line.split()
            width = 2 if place is None else len(COLUMNS)
            if len(cells) != width:
                raise InputError(f"{path}, line {number}: there must be {width} columns, but there are {len(cells)}")
            if place is None or cells[0].isdigit():  # neither a multiword token nor an empty node
                tokens.append(cells[0 if place is None else 1])
                tags.append(cells[1 if place is None else place])
    if tokens:
        yield tokens, tags, f"{path}, line {begin}"


def _conllu_place(column: str) -> int:
    if column.upper() in COLUMNS:
        return COLUMNS.index(column.upper())
    if column.isdigit() and 1 <= int(column) <= len(COLUMNS):
        return int(column) - 1
    raise InputError(
        f"--column must be one of {', '.join(COLUMNS)} or a number from 1 to {len(COLUMNS)}, not {column!r}"
        f"{nearest(column.upper(), COLUMNS)}"
    )


def _read_json_lines(path: Path) -> Sequences:
    for number, line in enumerate(read_lines(path), start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            values = json.loads(line)
            tokens, tags = list(map(str, values["tokens"])), list(map(str, values["tags"]))
        except (ValueError, KeyError, TypeError):
            raise InputError(
                f'{where}: a line must be JSON with lists "tokens" and "tags", not {line[:80]!r}'
            ) from None
        if BETWEEN in "".join(tokens + tags):
            raise InputError(f"{where}: tokens and tags must be text, but one holds a NUL character")
        if len(tokens) != len(tags):
            raise InputError(f"{where}: there must be a tag for each token, but {len(tokens)} have {len(tags)}")
        if tokens:
            yield tokens, tags, where
