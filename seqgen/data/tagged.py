"""Sequences of tokens with a tag each: CoNLL-U, two columns, or JSON lines."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seqgen.data.corpus import read_lines
from seqgen.errors import InputError, nearest

COLUMNS = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")
SHARE = 0.1  # of all sequences, for validation and again for testing


@dataclass(frozen=True)
class Tagged:
    """Sequences of tokens (a text is one of characters), the tag of each token, and where each sequence begins."""

    tokens: list[Sequence[str]]
    tags: list[Sequence[str]]
    where: list[str]

    def __len__(self) -> int:
        return len(self.tokens)

    def chosen(self, numbers: Iterable[int]) -> "Tagged":
        """Return the sequences with these numbers."""
        numbers = list(numbers)
        return Tagged(
            [self.tokens[number] for number in numbers],
            [self.tags[number] for number in numbers],
            [self.where[number] for number in numbers],
        )

    def targets(self, tags: Sequence[str]) -> list[np.ndarray]:
        """Return the numbers of the tags of each sequence.

        Raises:
            InputError: a tag that is none of them.
        """
        numbers = {name: number for number, name in enumerate(tags)}
        for row, where in zip(self.tags, self.where, strict=True):
            for tag in row:
                if tag not in numbers:
                    raise InputError(
                        f"{where}: a tag must be one of the training sequences', not {tag!r}{nearest(tag, tags)}"
                    )
        return [np.array([numbers[tag] for tag in row], dtype=np.int64) for row in self.tags]


def read_tagged(path: str, column: str = "UPOS") -> Tagged:
    """Read tagged sequences.

    Args:
        path: `.conllu`; `.jsonl` with "tokens" and "tags" in each line; anything else being lines of a token, white
            space and a tag, with an empty line after each sequence; `.gz` of these.
        column: of CoNLL-U, its name or its number from 1.

    Raises:
        InputError: there is nothing there, or a line is broken.
    """
    if not Path(path).is_file():
        raise InputError(f"tagged texts must be a file, but {path!r} is none")
    kind = Path(path).with_suffix("").suffix if path.endswith(".gz") else Path(path).suffix
    if kind == ".jsonl":
        found = _read_json_lines(Path(path))
    else:
        place = _conllu_place(column) if kind == ".conllu" else None
        found = _read_blocks(Path(path), place)
    tokens, tags, where = [], [], []
    for sequence_tokens, sequence_tags, place_of in found:
        tokens.append(sequence_tokens)
        tags.append(sequence_tags)
        where.append(place_of)
    if not tokens:
        raise InputError(f"{path} must hold tagged texts, but it holds none")
    return Tagged(list(tokens), list(tags), where)


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
            if place is None or cells[0].isdigit():  # neither a token of several words nor one that is not written
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
        if len(tokens) != len(tags):
            raise InputError(f"{where}: there must be a tag for each token, but {len(tokens)} have {len(tags)}")
        if tokens:
            yield tokens, tags, where


def split_tagged(
    data: Tagged, valid: Tagged | None, test: Tagged | None, seed: int
) -> tuple[Tagged, Tagged, Tagged, list[str]]:
    """Hold back a tenth for the test and a tenth for validation, unless they are there already.

    Returns:
        What is trained, validated and tested on, and the names of the tags in order.

    Raises:
        InputError: there are too few sequences, fewer than two tags, or a tag that is only validated or tested on.
    """
    order = np.random.default_rng(seed).permutation(len(data))
    held_back = max(round(SHARE * len(data)), 1)
    if len(data) - held_back * ((valid is None) + (test is None)) < 1:
        raise InputError(f"there must be sequences enough to hold some back, but there are {len(data)}")
    if test is None:
        test, order = data.chosen(order[:held_back]), order[held_back:]
    if valid is None:
        valid, order = data.chosen(order[:held_back]), order[held_back:]
    train = data.chosen(np.sort(order))
    tags = sorted({tag for row in train.tags for tag in row})
    if len(tags) < 2:
        raise InputError(f"there must be at least two tags to tell apart, but there are {len(tags)}: {tags}")
    for part in (valid, test):
        part.targets(tags)
    return train, valid, test, tags
