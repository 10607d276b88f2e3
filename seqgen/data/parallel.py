"""Parallel texts: sentences with their translations, read from files and checked."""

import logging
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np

from seqgen.arguments import checked
from seqgen.data.columns import Columns
from seqgen.data.format import Format, format_of
from seqgen.data.paths import find_files, kept, with_prefix
from seqgen.data.table import first_row, lower_names, read_table, stored_rows
from seqgen.data.text_file import TextFile, TextOptions, known_encoding
from seqgen.errors import InputError

logger = logging.getLogger(__name__)

SOURCE, TARGET = "source", "target"  # names of the columns
RATIO, SHORT = 9.0, 20  # maximum ratio of the lengths of a pair, unless both sides have at most 20 characters


@checked
@dataclass(frozen=True)
class Parallel(Columns):
    """Sentences, their translations, and the file and line of each pair, for errors and reports."""

    sources: Sequence[str]
    targets: Sequence[str]
    where: Sequence[str] = ()


@dataclass(kw_only=True)
class PairOptions(TextOptions):
    """Options for pairs of sentences: where they are, and how they are read."""

    data: str = "dates"
    """files of pairs, a prefix such as corpus.de-en of two files, multi30k-de-en, multi30k-en-de, or dates"""
    source: str | None = None
    """instead of --data, a file of sentences"""
    target: str | None = None
    """with --source, the file of their translations"""
    valid: str | None = None
    """pairs to validate on, as --data; by default held back"""
    valid_source: str | None = None
    """with --source, sentences to validate on; by default held back"""
    valid_target: str | None = None
    """their translations"""
    test: str | None = None
    """pairs to test on, as --data; by default held back"""
    test_source: str | None = None
    """with --source, sentences to test on; by default held back"""
    test_target: str | None = None
    """their translations"""
    source_column: str = SOURCE
    """name or number (from 1) of the column with the sentences"""
    target_column: str = TARGET
    """name or number (from 1) of the column with their translations"""
    drop_strange: bool = False
    """leave out pairs that have an empty side, or one nine times as long as the other"""


def read_pairs(data: str, options: PairOptions | None = None) -> Parallel:
    """Read pairs from two columns of files.

    Without the names `source` and `target` in the first line, the first two columns are taken, or the second and the
    fourth of four where the others are numbers, as in Tatoeba's pairs.

    Args:
        data: files as `find_files` finds them, with columns or keys, or the prefix of two files as `read_prefix` reads.
        options: the columns and the encoding.

    Raises:
        InputError: a file does not exist or has no columns, or a row is malformed.
    """
    options = options or PairOptions()
    if not os.path.exists(data) and with_prefix(data):
        return read_prefix(data, options.encoding)
    files = find_files(data, options.encoding)
    forms = {file: format_of(file, (options.source_column, options.target_column)) for file in files}
    for file, form in forms.items():
        if form.kind == "plain":
            raise InputError(
                f"a file of pairs must have a tab in each line, or be a .csv or JSON lines, but {file.name} is {form}"
            )
    columns = {file: _columns(file, form, options) for file, form in forms.items()}
    identity = ["pairs", [[forms[file].content, columns[file]] for file in files]]

    def rows(file: TextFile) -> Iterator[tuple[str, str, str]]:
        for (source, target), where in read_table(file, forms[file], columns[file]):
            yield source, target, where

    return Parallel(*stored_rows(identity, files, rows))


def _columns(file: TextFile, form: Format, options: PairOptions) -> dict[str, str]:
    """Return the columns of a file by their options; the usual ones by number where the file does not name them."""
    columns = {"--source_column": options.source_column, "--target_column": options.target_column}
    cells = first_row(file, form)
    asked = (options.source_column, options.target_column) != (SOURCE, TARGET)
    if asked or len(cells) < 3 or {SOURCE, TARGET} & set(lower_names(cells)):
        return columns
    tatoeba = len(cells) == 4 and cells[0].isdecimal() and cells[2].isdecimal()
    numbers = ("2", "4") if tatoeba else ("1", "2")
    logger.warning(
        f"{file.name}: the pairs are in columns {' and '.join(numbers)} of {len(cells)}, as the first line names "
        f"neither {SOURCE} nor {TARGET}; --source_column and --target_column name others"
    )
    return dict(zip(columns, numbers, strict=True))


def read_prefix(prefix: str, encoding: str = "utf-8") -> Parallel:
    """Read the two files, line by line, of a prefix with the languages: corpus.de-en.de and corpus.de-en.en.

    Raises:
        InputError: there are no such two files.
    """
    there = with_prefix(prefix)
    for source, target in re.findall(r"\.(\w+)-(\w+)$", prefix):
        files = {path.name.removesuffix(".gz").rpartition(".")[2]: str(path) for path in there}
        if source in files and target in files:
            return read_parallel(files[source], files[target], encoding)
    raise InputError(
        f"a prefix of pairs must end in two languages, as corpus.de-en for corpus.de-en.de and corpus.de-en.en, but of "
        f"{prefix!r} there are {', '.join(path.name for path in there[:5])}: name two with --source and --target"
    )


def read_parallel(source: str, target: str, encoding: str = "utf-8") -> Parallel:
    """Read a file of sentences and another, line by line, of their translations.

    Raises:
        InputError: a file cannot be read, or one has more lines than the other.
    """
    encoding = known_encoding(encoding)
    files = [TextFile(Path(kept(name)), name, encoding) for name in (source, target)]

    def rows(first: TextFile) -> Iterator[tuple[str, str, str]]:
        pairs = zip_longest(first.lines(), files[1].lines())
        for number, (one, other) in enumerate(pairs, start=1):
            if one is None or other is None:
                shorter, longer = (source, target) if one is None else (target, source)
                count = number + sum(1 for _ in pairs)
                raise InputError(
                    f"{shorter} must have as many lines as {longer}, {count:,}, but it ends after line {number - 1:,}"
                )
            yield one, other, first.at(number)

    return Parallel(*stored_rows(["parallel", files[1].fingerprint], files[:1], rows))


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
