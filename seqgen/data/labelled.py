"""Inputs with a label each, read from files or folders and checked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seqgen.data.columns import Columns, content_key
from seqgen.data.corpus import Corpus, visible_files
from seqgen.data.store import file_fingerprint
from seqgen.data.table import read_table, stored_rows
from seqgen.errors import InputError, nearest


@dataclass(frozen=True)
class Labelled(Columns):
    """Inputs of one kind, the label of each, and its file and line, for errors and reports."""

    inputs: Sequence[Any]
    labels: Sequence[str]
    where: Sequence[str] = ()

    def targets(self, classes: Sequence[str]) -> np.ndarray:
        """Return the (examples,) number of each label among the classes.

        Raises:
            InputError: a label that is not one of the classes.
        """
        numbers = {name: number for number, name in enumerate(classes)}
        targets = np.fromiter((numbers.get(label, -1) for label in self.labels), np.int64, len(self))
        strange = np.flatnonzero(targets < 0)
        if len(strange):
            label, where = self.labels[strange[0]], self.where[strange[0]]
            raise InputError(
                f"{where}: the label must be one of the training examples', not {label!r}{nearest(label, classes)}"
            )
        return targets

    @property
    def fingerprint(self) -> str:
        """A hash of texts and labels, or of the names and labels of images."""
        texts = [self.inputs] if len(self) and isinstance(self.inputs[0], str) else []
        return content_key([*texts, self.labels, *([] if texts else [self.where])])


def read_texts(path: str, label_column: str = "label", text_column: str = "text") -> Labelled:
    """Read labelled texts: rows of a file (`read_table` says which kinds), or a folder of text files for each class.

    Raises:
        InputError: the file does not exist, a row is malformed, or a text or label is empty.
    """
    file = Path(path)
    if file.is_dir():
        return _texts_in_folders(file)
    if not file.is_file():
        raise InputError(f"labelled texts must be a file or a folder, but {path!r} is neither")

    def rows() -> Iterator[tuple[str, str, str]]:
        for (label, text), where in read_table(file, [label_column, text_column]):
            if not label.strip() or not text.strip():
                raise InputError(f"{where}: a {'text' if label.strip() else 'label'} must not be empty")
            yield text, label.strip(), where

    identity = ["labelled", file_fingerprint(file), file.suffixes, label_column, text_column]
    return Labelled(*stored_rows(identity, file, path, rows))


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


def read_numbers(text: str) -> list[float]:
    """Return the numbers of a text, separated by commas or white space; ValueError where it has anything else."""
    return [float(number) for number in text.replace(",", " ").split()]


def require_numbers(data: Labelled) -> None:
    """Raise an InputError where a label is not of numbers, or has fewer or more than the first."""
    width = None
    for label, where in zip(data.labels, data.where, strict=True):
        try:
            count = len(read_numbers(label))
        except ValueError:
            raise InputError(f"{where}: with --conditions numbers a label must be numbers, not {label!r}") from None
        width = count if width is None else width
        if count != width:
            raise InputError(f"{where}: there must be {width} numbers as in the first row, not {count}")
