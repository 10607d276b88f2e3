"""Parallel texts: sentences with their translations, read from files, checked, and split."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np

from seqgen.data.corpus import read_lines
from seqgen.data.table import read_table
from seqgen.errors import InputError

logger = logging.getLogger(__name__)

SHARE, MOST = 0.1, 1000  # of all pairs, for validation and again for testing, but at most so many
WILD, SHORT = 9.0, 20  # times as long as the other side, in characters, where it is longer than so many


@dataclass(frozen=True)
class Parallel:
    """Sentences, their translations, and where each pair came from, to name it in errors and reports."""

    sources: list[str]
    targets: list[str]
    where: list[str]

    def __len__(self) -> int:
        return len(self.sources)

    def chosen(self, numbers: Iterable[int]) -> "Parallel":
        """Return the pairs with these numbers."""
        numbers = list(numbers)
        columns = (self.sources, self.targets, self.where)
        return Parallel(*([column[number] for number in numbers] for column in columns))


def read_pairs(path: str) -> Parallel:
    """Read pairs from the columns `source` and `target` of a `.tsv`, `.csv` or `.jsonl`, or `.gz` of these.

    Without these names in the first line the two columns are taken to be these.

    Raises:
        InputError: it is not there, of another kind, or a row is broken.
    """
    if not Path(path).is_file():
        raise InputError(f"pairs must be a file or a named set, but {path!r} is neither")
    if not {".tsv", ".csv", ".jsonl"} & set(Path(path).suffixes):
        raise InputError(f"a file of pairs must end in .tsv, .csv or .jsonl, or .gz after that, but this is {path!r}")
    rows = list(read_table(Path(path), ["source", "target"]))
    return Parallel([row.cells[0] for row in rows], [row.cells[1] for row in rows], [row.where for row in rows])


def read_parallel(source: str, target: str) -> Parallel:
    """Read a file of sentences and another, line by line, of their translations.

    Raises:
        InputError: a file cannot be read, or one has more lines than the other.
    """
    pairs = list(zip_longest(read_lines(Path(source)), read_lines(Path(target))))
    for number, (one, other) in enumerate(pairs, start=1):
        if one is None or other is None:
            shorter, longer = (source, target) if one is None else (target, source)
            raise InputError(
                f"{shorter} must have as many lines as {longer}, {len(pairs):,}, but it ends after line {number - 1:,}"
            )
    where = [f"{source}, line {number}" for number in range(1, len(pairs) + 1)]
    return Parallel([one or "" for one, _ in pairs], [other or "" for _, other in pairs], where)


def sound(data: Parallel, *, drop: bool) -> tuple[Parallel, int]:
    """Return the pairs to learn from, and how many of them have a side more than nine times as long as the other.

    Args:
        data: as it was read.
        drop: whether to leave those pairs out, and those with an empty side, which are errors otherwise.

    Raises:
        InputError: a side is empty, or nothing is left.
    """
    empty, wild = [], []
    for number, (source, target) in enumerate(zip(data.sources, data.targets, strict=True)):
        lengths = sorted((len(source.strip()), len(target.strip())))
        if not lengths[0]:
            empty.append(number)
        elif lengths[1] > WILD * lengths[0] and lengths[1] > SHORT:
            wild.append(number)
    if empty and not drop:
        side = "target" if data.sources[empty[0]].strip() else "source"
        raise InputError(
            f"{data.where[empty[0]]}: the {side} must not be empty ({len(empty):,} such pairs; --drop_strange true "
            "leaves them out)"
        )
    if drop and (empty or wild):
        data = data.chosen(np.setdiff1d(np.arange(len(data)), [*empty, *wild]).tolist())
    if not len(data):
        raise InputError("there must be at least one pair of sentences to learn from, but there is none")
    return data, len(wild)


def split_parallel(data: Parallel, seed: int, *, parts: int) -> Iterator[Parallel]:
    """Yield what is left to train on, and then `parts` held back parts, each about a tenth of all pairs or 1,000.

    Pairs of the same source sentence stay together, so that no part has seen the sentences of another.

    Raises:
        InputError: there are fewer than 10 different sentences for each part.
    """
    groups: dict[str, list[int]] = {}
    for number, source in enumerate(data.sources):
        groups.setdefault(" ".join(source.split()), []).append(number)
    together = list(groups.values())
    if len(together) < 10 * parts:
        raise InputError(f"there must be at least {10 * parts} different sentences to split, not {len(together)}")
    order = np.random.default_rng(seed).permutation(len(together))
    size = min(int(len(data) * SHARE), MOST)
    counted = np.cumsum([len(together[group]) for group in order])
    cuts = [int(np.searchsorted(counted, size * part)) + 1 for part in range(1, parts + 1)]
    *held_back, rest = np.split(order, cuts)
    for chosen in (rest, *held_back):
        yield data.chosen(sorted(number for group in chosen for number in together[group]))
