"""A section of a run's report."""

from typing import NamedTuple


class Section(NamedTuple):
    """A section of a report: a text, or for a page HTML that shows more; without a text it is only in the page."""

    title: str
    text: str = ""
    html: str = ""
