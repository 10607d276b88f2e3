"""A row of the report: what it has found, or why it failed."""

import textwrap
from collections.abc import Callable
from typing import Any, NamedTuple

NO_BREAK = "\u00a0"  # a space at which no line ends


class Found(NamedTuple):
    """The finding of a row of the report: lines of text to read, and the same as plain data."""

    text: str
    data: Any


# The rows of a section by their names; what a row raises is its failure, and hides no other row.
Rows = dict[str, Callable[[], Found]]


def sentence(error: BaseException) -> str:
    """Return the kind of an error and the beginning of its message, on one line."""
    return textwrap.shorten(f"{type(error).__name__}: {error}", 200, placeholder=" ...")
