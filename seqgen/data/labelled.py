"""Inputs with a label each: read from files or folders, checked, and split."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seqgen.data.corpus import Corpus, visible_files
from seqgen.data.table import read_table
from seqgen.errors import InputError, nearest

SHARE = 0.1  # of all examples, for validation and again for testing, where there are no files of their own


@dataclass(frozen=True)
class Labelled:
    """Inputs of one kind, the label of each, and where each came from, to name it in errors and reports."""

    inputs: list[Any]
    labels: list[str]
    where: list[str]

    def __len__(self) -> int:
        return len(self.inputs)

    def chosen(self, numbers: Iterable[int]) -> "Labelled":
        """Return the examples with these numbers."""
        numbers = list(numbers)
        columns = (self.inputs, self.labels, self.where)
        return Labelled(*([column[number] for number in numbers] for column in columns))

    def targets(self, classes: Sequence[str]) -> np.ndarray:
        """Return the number of each label among the classes.

        Raises:
            InputError: a label that is none of them.
        """
        numbers = {name: number for number, name in enumerate(classes)}
        for label, where in zip(self.labels, self.where, strict=True):
            if label not in numbers:
                raise InputError(
                    f"{where}: the label must be one of the training examples', not {label!r}{nearest(label, classes)}"
                )
        return np.array([numbers[label] for label in self.labels], dtype=np.int64)


@dataclass(frozen=True)
class Splits:
    """What is trained on, validated on, and tested on, and the names of the classes in order."""

    train: Labelled
    valid: Labelled
    test: Labelled
    classes: list[str]


def read_texts(path: str, label_column: str = "label", text_column: str = "text") -> Labelled:
    """Read labelled texts: rows of a file (`read_table` says which kinds), or a folder of text files for each class.

    Raises:
        InputError: there is nothing there, a row is broken, or a text or label is empty.
    """
    if Path(path).is_dir():
        return _texts_in_folders(Path(path))
    if not Path(path).is_file():
        raise InputError(f"labelled texts must be a file or a folder, but {path!r} is neither")
    rows = list(read_table(Path(path), [label_column, text_column]))
    for (label, text), where in rows:
        if not label.strip() or not text.strip():
            raise InputError(f"{where}: a {'text' if label.strip() else 'label'} must not be empty")
    return Labelled(
        [text for (_, text), _ in rows], [label.strip() for (label, _), _ in rows], [row.where for row in rows]
    )


def _texts_in_folders(folder: Path) -> Labelled:
    files = files_by_class(folder)
    texts = ["".join(Corpus([path], str(path)).blocks()) for path, _ in files]
    for text, (path, _) in zip(texts, files, strict=True):
        if not text.strip():
            raise InputError(f"{path}: a text must not be empty")
    return Labelled(texts, [label for _, label in files], [str(path) for path, _ in files])


def files_by_class(folder: Path) -> list[tuple[Path, str]]:
    """Return the files in the folders of a folder, and the name of that folder, which is their class.

    Raises:
        InputError: there are no files in folders.
    """
    files = [(path, path.relative_to(folder).parts[0]) for path in visible_files(folder) if path.parent != folder]
    if not files:
        raise InputError(f"{folder} must hold a folder of files for each class, but it holds none")
    return files


def split_labelled(
    data: Labelled,
    valid: Labelled | None,
    test: Labelled | None,
    seed: int,
    group: Callable[[int], Hashable] | None = None,
) -> Splits:
    """Hold back a tenth for validation and a tenth for the test, of each class alike, unless they are there already.

    Args:
        data: to train on, and to hold back from.
        valid: to validate on.
        test: to test on.
        seed: of what is drawn.
        group: what an example must stay together with: by default, those of the same input.

    Raises:
        InputError: fewer than two classes, a class with a single example, or one that is only validated or tested on.
    """
    for label, count in Counter(data.labels).items():
        if count == 1:
            where = data.where[data.labels.index(label)]
            raise InputError(f"{where}: a class must have at least two examples, but {label!r} has only this one")
    classes = sorted(set(data.labels))
    if len(classes) < 2:
        raise InputError(f"there must be at least two classes to tell apart, but there are {len(classes)}: {classes}")
    train = np.arange(len(data))
    parts = {}
    for name, given, number in (("test", test, 0), ("valid", valid, 1)):
        if given is None:
            train, drawn = _split_off(data, train, np.random.default_rng([seed, number]), group)
        parts[name] = data.chosen(drawn) if given is None else given
        parts[name].targets(classes)
        if not len(parts[name]):
            raise InputError(
                f"the classes must have examples enough to hold a tenth back for the {name} part, but the largest has "
                f"{max(Counter(data.labels).values())}: give --{name}"
            )
    return Splits(data.chosen(train), parts["valid"], parts["test"], classes)


def _split_off(
    data: Labelled, numbers: np.ndarray, generator: np.random.Generator, group: Callable[[int], Hashable] | None
) -> tuple[np.ndarray, np.ndarray]:
    """Draw whole groups of each class until a tenth of its examples is drawn; some of every class stay."""
    by_class: dict[str, dict[Hashable, list[int]]] = {}
    for number in numbers.tolist():
        key = group(number) if group else data.inputs[number]
        by_class.setdefault(data.labels[number], {}).setdefault(key, []).append(number)
    drawn: list[int] = []
    for label in sorted(by_class):
        groups = list(by_class[label].values())
        wanted = SHARE * sum(map(len, groups))
        mine: list[int] = []
        for place in generator.permutation(len(groups))[1:]:  # one group at least stays
            if len(mine) >= wanted - 0.5:
                break
            mine += groups[place]
        drawn += mine
    return np.setdiff1d(numbers, drawn), np.sort(np.array(drawn, dtype=np.int64))
