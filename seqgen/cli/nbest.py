"""N-best lists: the lines of JSON that `seqgen translate --nbest 5 --json`, or caption, prints."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seqgen.cli.inputs import Line, lines
from seqgen.data.format import first_lines
from seqgen.data.text_file import TextFile
from seqgen.errors import InputError

ANSWERS = {"source": "translations", "image": "captions"}  # their names in a line, by the name of the input


def is_nbest(place: str, encoding: str) -> bool:
    """Return whether the first line of a file that is not blank is an n-best list."""
    found = _object("".join(first_lines(TextFile(Path(place), place, encoding))[:1]))
    return any(name in found for name in ANSWERS.values())


def nbest_pairs(place: str, encoding: str) -> Iterator[tuple[str, str, str]]:
    """Yield each answer of the lists in a file, as `answers` does."""
    return (pair for line in lines([place], encoding=encoding) if line.text.strip() for pair in answers(line))


def answers(line: Line) -> Iterator[tuple[str, str, str]]:
    """Yield the input of an n-best list with each answer, and the list's own place, which no other list has.

    Raises:
        InputError: the line is no n-best list, or an empty one.
    """
    found = _object(line.text)
    given = next((name for name in ANSWERS if isinstance(found.get(name), str)), "")
    listed = found.get(ANSWERS.get(given, ""))
    texts = [_text(one) for one in listed] if isinstance(listed, list) else [None]
    if not texts or None in texts:
        printed = "must be one that `seqgen translate --nbest 5 --json`, or caption, prints"
        rule = printed if texts else "must have an answer"
        raise InputError(f"{line.where}a line of an n-best list {rule}: {line.text[:80]!r}")
    yield from ((found[given], str(text), line.where) for text in texts)


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _text(one: Any) -> str | None:
    text = one.get("text") if isinstance(one, dict) else None
    return text if isinstance(text, str) else None
