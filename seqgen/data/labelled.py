"""Inputs with a label each, read from files or folders and checked."""

import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seqgen.arguments import checked
from seqgen.data.columns import Columns, content_key
from seqgen.data.format import Format, format_of
from seqgen.data.paths import find_files, visible_files
from seqgen.data.table import read_table, stored_rows
from seqgen.data.text_file import TextFile, TextOptions, known_encoding
from seqgen.errors import InputError, nearest

LARGEST = float(np.finfo(np.float32).max)
LONGEST_LABEL = 10_000  # characters; labels are names, or the numbers of a vector
logger = logging.getLogger(__name__)


@checked
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
        """A hash of texts and labels, or of the names (without folders) and labels of images."""
        if len(self) and isinstance(self.inputs[0], str):
            return content_key([self.inputs, self.labels])
        return content_key([self.labels, [Path(place).name for place in self.where]])


@dataclass(kw_only=True)
class TextColumns(TextOptions):
    """Options for reading labelled texts from files."""

    label_column: str = "label"
    """name or number (from 1) of the column with the label"""
    text_column: str = "text"
    """name or number (from 1) of the column with the text; of several, as title,description, the texts are joined"""

    @property
    def by_option(self) -> dict[str, str]:
        """The columns by their options."""
        return {"--label_column": self.label_column, "--text_column": self.text_column}


def read_texts(data: str, columns: TextColumns | None = None) -> Labelled:
    """Read labelled texts.

    Args:
        data: files as `find_files` finds them, of rows in one of the formats of `format_of`: of plain lines, one file
            has a label, white space and a text in each; several files, or those of a folder, have a text in each line,
            whose label is the name of the file. Or a folder of text files for each class.
        columns: the columns of label and text, and the encoding.

    Raises:
        InputError: the file does not exist, a row is malformed, or a text or label is empty.
    """
    columns = columns or TextColumns()
    folder = Path(data) if os.path.isdir(data) else None
    if folder and any(path.parent != folder for path in visible_files(folder)):
        return _texts_in_folders(folder, known_encoding(columns.encoding))
    files = find_files(data, columns.encoding)
    forms = {file: format_of(file, columns.by_option.values()) for file in files}
    labels = _labels(files, forms) if folder or len(files) > 1 else {}
    for file, form in forms.items():
        if form.kind == "plain" and columns.by_option != TextColumns().by_option:
            raise InputError(f"{file.name} must have columns where --label_column names one, but it is {form}")

    def rows(file: TextFile) -> Iterator[tuple[str, str, str]]:
        if file in labels:
            lines = enumerate(file.lines(), start=1)
            yield from ((line.strip(), labels[file], file.at(number)) for number, line in lines if line.strip())
            return
        for (label, text), where in read_table(file, forms[file], columns.by_option):
            if not label.strip() or not text.strip():
                raise InputError(f"{where}: a {'text' if label.strip() else 'label'} must not be empty")
            if len(label) > LONGEST_LABEL:
                raise InputError(
                    f"{where}: a label must have at most {LONGEST_LABEL:,} characters, but it has {len(label):,}"
                )
            yield text, label.strip(), where

    identity = ["labelled", [forms[file].content for file in files], [*labels.values()], [*columns.by_option.values()]]
    return Labelled(*stored_rows(identity, files, rows))


def _labels(files: list[TextFile], forms: dict[TextFile, Format]) -> dict[TextFile, str]:
    """Return the label of each of several files of plain lines: its name, without its ending where that is unique."""
    plain = [file for file in files if forms[file].kind == "plain"]
    if not plain:
        return {}
    if len(plain) < len(files):
        other = next(file for file in files if file not in plain)
        raise InputError(
            f"files must either all have columns or each be named after the label of its lines, but {plain[0].name} is "
            f"{forms[plain[0]]}, and {other.name} is {forms[other]}"
        )
    stems = [Path(file.stem_and_ending).stem for file in files]
    labels = stems if len(set(stems)) == len(stems) else [file.stem_and_ending for file in files]
    logger.warning(f"each line is a text, and the name of its file its label, such as {labels[0]!r}")
    return dict(zip(files, labels, strict=True))


def _texts_in_folders(folder: Path, encoding: str) -> Labelled:
    files = files_by_class(folder)
    texts = ["".join(TextFile(path, str(path), encoding).blocks()) for path, _ in files]
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
    """Return the numbers of a text, separated by commas or white space.

    Raises:
        ValueError: it has anything else, or a number that is not finite, or too large for a float of 32 bits.
    """
    numbers = [float(number) for number in text.replace(",", " ").split()]
    strange = next((number for number in numbers if not abs(number) <= LARGEST), None)
    if strange is not None:
        raise ValueError(f"a number must be from {-LARGEST:.3g} to {LARGEST:.3g}, not {strange}")
    if "_" in text:
        raise ValueError("a number must be without _")
    return numbers


def require_numbers(data: Labelled) -> None:
    """Raise an InputError where a label is not of numbers, or has fewer or more than the first."""
    width = None
    for label, where in zip(data.labels, data.where, strict=True):
        try:
            count = len(read_numbers(label))
        except ValueError as error:
            raise InputError(
                f"{where}: with --conditions numbers a label must be numbers, not {label[:80]!r}: {error}"
            ) from None
        width = count if width is None else width
        if count != width:
            raise InputError(f"{where}: there must be {width} numbers as in the first row, not {count}")
