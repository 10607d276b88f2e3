"""Parallel texts: sentences with their translations, read from files and checked."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np

from seqgen.data.columns import Columns
from seqgen.data.corpus import read_again, read_lines
from seqgen.data.store import file_fingerprint
from seqgen.data.table import read_table, stored_rows
from seqgen.errors import InputError

logger = logging.getLogger(__name__)

RATIO, SHORT = 9.0, 20  # maximum ratio of the lengths of a pair, unless both sides have at most 20 characters


@dataclass(frozen=True)
class Parallel(Columns):
    """Sentences, their translations, and the file and line of each pair, for errors and reports."""

    sources: Sequence[str]
    targets: Sequence[str]
    where: Sequence[str] = ()


def read_pairs(path: str) -> Parallel:
    """Read pairs from the columns `source` and `target` of a `.tsv`, `.csv` or `.jsonl`, or `.gz` of these.

    Without these names in the first line, there must be two columns, which are taken to be these.

    Raises:
        InputError: the file does not exist or is of another kind, or a row is malformed.
    """
    file = Path(path)
    if not file.is_file():
        raise InputError(f"pairs must be a file or a named set, but {path!r} is neither")
    if not {".tsv", ".csv", ".jsonl"} & set(file.suffixes):
        raise InputError(f"a file of pairs must end in .tsv, .csv or .jsonl, or .gz after that, but this is {path!r}")

    def rows() -> Iterator[tuple[str, str, str]]:
        for (source, target), where in read_table(file, ["source", "target"]):
            yield source, target, where

    return Parallel(*stored_rows(["pairs", file_fingerprint(file), file.suffixes], file, path, rows))


def read_parallel(source: str, target: str) -> Parallel:
    """Read a file of sentences and another, line by line, of their translations.

    Raises:
        InputError: a file cannot be read, or one has more lines than the other.
    """
    files = read_again(Path(source)), read_again(Path(target))

    def rows() -> Iterator[tuple[str, str, str]]:
        pairs = zip_longest(*map(read_lines, files))
        for number, (one, other) in enumerate(pairs, start=1):
            if one is None or other is None:
                shorter, longer = (source, target) if one is None else (target, source)
                count = number + sum(1 for _ in pairs)
                raise InputError(
                    f"{shorter} must have as many lines as {longer}, {count:,}, but it ends after line {number - 1:,}"
                )
            yield one, other, f"{files[0]}, line {number}"

    return Parallel(*stored_rows(["parallel", *map(file_fingerprint, files)], files[0], source, rows))


def sound(data: Parallel, *, drop: bool) -> Parallel:
    """Return the pairs to train on; a warning counts those with one side more than nine times as long as the other.

    Args:
        data: all pairs.
        drop: whether to leave out these pairs, and those with an empty side, which are errors otherwise.

    Raises:
        InputError: a side is empty, or no pair is left.
    """
    lengths = [np.fromiter((len(text.strip()) for text in side), np.int64) for side in (data.sources, data.targets)]
    shorter, longer = np.minimum(*lengths), np.maximum(*lengths)
    empty, unequal = shorter == 0, (longer > RATIO * shorter) & (longer > SHORT) & (shorter > 0)
    if empty.any() and not drop:
        first = int(empty.argmax())
        side = "target" if lengths[0][first] else "source"
        raise InputError(
            f"{data.where[first]}: the {side} must not be empty ({empty.sum():,} such pairs; --drop_strange true "
            "leaves them out)"
        )
    if unequal.any():
        done = "left out" if drop else "kept (--drop_strange true leaves them out)"
        logger.warning(f"{unequal.sum():,} pairs have one side more than nine times as long as the other: {done}")
    if drop and (empty | unequal).any():
        data = data.chosen(np.flatnonzero(~(empty | unequal)))
    if not len(data):
        raise InputError("there must be at least one pair of sentences to train on, but there is none")
    return data
