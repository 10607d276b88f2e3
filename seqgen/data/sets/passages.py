"""Passages of Python's standard library, labelled with their package: a set without a download."""

from collections import Counter
from pathlib import Path

from seqgen.data.labelled import Labelled
from seqgen.data.sets.python_library import python_source
from seqgen.errors import InputError

LINES = 12  # of a passage
LEAST_CHARACTERS = 120  # of a passage
MOST_PASSAGES = 1200  # of a package
LEAST_FILES = 6  # of a package, so that some can be held back


def python_passages() -> tuple[Labelled, list[Path]]:
    """Return passages of source and documentation, and the file of each.

    Passages of one file are similar, so a file should be in one split only.

    Raises:
        InputError: this Python is without the source of its library.
    """
    files: dict[str, list[Path]] = {}
    for package, path in python_source():
        files.setdefault(package, []).append(path)
    inputs, labels, where, sources = [], [], [], []
    for package, paths in files.items():
        if len(paths) < LEAST_FILES:
            continue
        found = [(path, number, text) for path in paths for number, text in _passages(path)]
        # Evenly over the files, so that a large file does not dominate its package.
        found.sort(key=lambda passage: (passage[1], passage[0]))
        for path, number, text in found[:MOST_PASSAGES]:
            inputs.append(text)
            labels.append(package)
            where.append(f"{path}, line {number}")
            sources.append(path)
    rare = {package for package, count in Counter(labels).items() if count < 100}
    kept = [number for number, label in enumerate(labels) if label not in rare]
    if not kept:
        raise InputError("--data python-packages needs the source of Python's library, which is not there: name a file")
    return Labelled(inputs, labels, where).chosen(kept), [sources[number] for number in kept]


def _passages(path: Path) -> list[tuple[int, str]]:
    """Return the passages of a file with the numbers of their first lines."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    pieces = ((number + 1, "\n".join(lines[number : number + LINES])) for number in range(0, len(lines), LINES))
    return [(number, text) for number, text in pieces if len(text.strip()) >= LEAST_CHARACTERS]
