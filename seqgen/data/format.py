"""The format of a file's rows, found by looking at its first lines."""

from collections.abc import Iterable
from itertools import islice
from typing import Literal, NamedTuple

from seqgen.data.text_file import TextFile
from seqgen.files import read_json

LOOKED_AT = 1000  # lines that are not blank


class Format(NamedTuple):
    """Format of the rows of a file, and the reason why it is taken to be that, as errors say it.

    `kind` is "json lines", "json array" (one array of objects), "separated" (by `separator`, where `quotes` may enclose
    a cell) or "plain" lines.
    """

    kind: Literal["json lines", "json array", "separated", "plain"]
    reason: str
    separator: str = ""
    quotes: bool = False

    @property
    def content(self) -> tuple[str, str, bool]:
        """The part that determines the rows that are read, without the reason."""
        return self.kind, self.separator, self.quotes

    def __str__(self) -> str:
        named = {"\t": "tab-separated", ",": "comma-separated", ";": "semicolon-separated"}
        shown = {"json lines": "JSON lines", "json array": "a JSON array", "plain": "plain lines"}
        return f"read as {named.get(self.separator) or shown[self.kind]}, {self.reason}"


def format_of(file: TextFile, columns: Iterable[str] = ()) -> Format:
    """Return the format of a file, by the first of these rules that holds.

    1. Endings with one meaning are taken at their word: `.tsv` and `.tab`; `.csv`, where the first of comma, tab and
       semicolon that is in the first line separates; `.jsonl`, `.ndjson` and `.json`, of which the last may be one
       array.
    2. First lines that are all JSON objects are JSON lines.
    3. First lines with the same number of tabs, at least one, are separated by these.
    4. A first line that names all the columns, with commas between, is separated by commas.
    5. Anything else is plain lines.

    Args:
        file: of rows.
        columns: names of the columns that are wanted.
    """
    lines = first_lines(file)
    first = lines[0] if lines else ""
    if file.ending == ".json" and first.lstrip().startswith("["):
        return Format("json array", "by its first line")
    if file.ending in (".jsonl", ".ndjson", ".json"):
        return Format("json lines", "by its ending")
    if file.ending in (".tsv", ".tab"):
        return Format("separated", "by its ending", "\t")
    if file.ending == ".csv":
        separator = next((one for one in ",\t;" if one in first), ",")
        return Format("separated", "by its ending" if separator == "," else "by its first line", separator, quotes=True)
    if lines and all(map(_is_object, lines)):
        return Format("json lines", "as its first lines are JSON objects")
    counts = {line.count("\t") for line in lines}
    if len(counts) == 1 and counts != {0}:
        return Format("separated", "as its first lines have the same number of tabs", "\t")
    wanted = {column.strip().lower() for column in columns}
    if wanted and wanted <= {cell.strip(' "').lower() for cell in first.split(",")}:
        return Format("separated", "as its first line names the columns", ",", quotes=True)
    if counts <= {0}:
        return Format("plain", "as its first lines have no tabs")
    other = next(line for line in lines if line.count("\t") != first.count("\t"))
    return Format("plain", f"as its first lines differ in their number of tabs, such as {other[:40]!r}")


def first_lines(file: TextFile) -> list[str]:
    """Return the first lines that are not blank, at most `LOOKED_AT`."""
    return list(islice((line for line in file.lines() if line.strip()), LOOKED_AT))


def _is_object(line: str) -> bool:
    if not line.lstrip().startswith("{"):
        return False
    try:
        return isinstance(read_json(line), dict)
    except ValueError:
        return False
