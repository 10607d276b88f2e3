"""Source of Python's standard library, each character tagged with its kind of token: a set without a download."""

import builtins
import io
import keyword
import token as kinds
import tokenize
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from seqgen.data.sets.python_library import python_source
from seqgen.data.tagged import Tagged
from seqgen.errors import InputError

PIECE = 1_000  # minimum number of characters; a piece ends with a line, outside of a string
TRAINED, HELD_BACK = 4_000_000, 250_000  # characters for training, and for each of validation and test
LARGEST = 60_000  # characters of a file that is used
SPACE = "space"
BY_KIND = {
    kinds.NUMBER: "number",
    kinds.STRING: "string",
    kinds.COMMENT: "comment",
    kinds.OP: "operator",
    **{getattr(kinds, name): "string" for name in dir(kinds) if name.startswith(("FSTRING_", "TSTRING_"))},
}


def highlighted_python(seed: int) -> tuple[Tagged, Tagged, Tagged]:
    """Return pieces of files for training, pieces of other files for validation, and other whole files for the test.

    Raises:
        InputError: this Python is without the source of its library.
    """
    paths = [path for _, path in python_source() if path.stat().st_size <= LARGEST]
    order = np.random.default_rng(seed).permutation(len(paths))
    files = (found for number in order if (found := highlight(paths[number])) is not None)
    test, valid, train = (list(_take(files, count)) for count in (HELD_BACK, HELD_BACK, TRAINED))
    if not train:
        raise InputError("--data python-source needs the source of Python's library, which is not there: name a file")
    return (
        _tagged(piece for file in train for piece in _pieces(*file)),
        _tagged(piece for file in valid for piece in _pieces(*file)),
        _tagged((text, tags, str(path)) for path, text, tags, _ in test),
    )


File = tuple[Path, str, list[str], list[int]]


def _take(files: Iterator[File], characters: int) -> Iterator[File]:
    for file in files:
        yield file
        characters -= len(file[1])
        if characters <= 0:
            return


def _tagged(found: Iterator[tuple[str, list[str], str]]) -> Tagged:
    tokens, tags, where = zip(*found, strict=True)
    return Tagged(list(tokens), list(tags), list(where))


def highlight(path: Path) -> File | None:
    """Return a file's text, the tag of each character, and the ends of lines outside of strings; None if malformed."""
    text = path.read_text(encoding="utf-8", errors="replace")
    lines = io.StringIO(text).readlines()  # unlike splitlines, it ends no line at a form feed, as Python ends none
    begins = np.concatenate([[0], np.cumsum([len(line) for line in lines])])
    tags = [SPACE] * len(text)
    ends = []
    try:
        for found in tokenize.generate_tokens(iter(lines).__next__):
            begin, end = (int(begins[row - 1]) + column for row, column in (found.start, found.end))
            tag = _name_tag(found.string) if found.type == kinds.NAME else BY_KIND.get(found.type)
            if tag:
                tags[begin:end] = [tag] * (end - begin)
            elif found.type in (kinds.NEWLINE, kinds.NL):
                ends.append(end)
    except (tokenize.TokenError, SyntaxError, IndexError):
        return None
    return path, text, tags, ends


def _name_tag(name: str) -> str:
    if keyword.iskeyword(name):
        return "keyword"
    return "builtin" if hasattr(builtins, name) else "name"


def _pieces(path: Path, text: str, tags: list[str], ends: list[int]) -> Iterator[tuple[str, list[str], str]]:
    begin = 0
    for end in ends:
        if end - begin >= PIECE or (end == ends[-1] and end > begin):
            yield text[begin:end], tags[begin:end], f"{path}, character {begin + 1}"
            begin = end
