"""Texts without labels, read from files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from seqgen.arguments import checked
from seqgen.data.columns import Columns
from seqgen.data.format import format_of
from seqgen.data.labelled import TextColumns
from seqgen.data.paths import find_files
from seqgen.data.table import read_table, stored_rows
from seqgen.data.text_file import TextFile
from seqgen.errors import InputError


@checked
@dataclass(frozen=True)
class Unlabelled(Columns):
    """Texts, and the file and line of each."""

    inputs: Sequence[str]
    where: Sequence[str] = ()


def read_unlabelled(data: str, columns: TextColumns | None = None) -> Unlabelled:
    """Read texts without labels.

    Args:
        data: files as `find_files` finds them: of plain lines, each of which is a text, or of rows in another of the
            formats of `format_of`, of which other columns than that of the text are not read.
        columns: the column of the text, and the encoding.

    Raises:
        InputError: the file does not exist, has no text, or a row is malformed.
    """
    columns = columns or TextColumns()
    column = {"--text_column": columns.text_column}
    files = find_files(data, columns.encoding)
    forms = {file: format_of(file, column.values()) for file in files}

    def rows(file: TextFile) -> Iterator[tuple[str, str, str]]:
        if forms[file].kind == "plain":
            yield from ((line.strip(), "", file.at(number)) for number, line in enumerate(file.lines(), start=1))
            return
        yield from ((cells[0], "", where) for cells, where in read_table(file, forms[file], column))

    def texts(file: TextFile) -> Iterator[tuple[str, str, str]]:
        return (row for row in rows(file) if row[0].strip())

    identity = ["unlabelled", [form.content for form in forms.values()], columns.text_column]
    inputs, _, where = stored_rows(identity, files, texts)
    if not len(inputs):
        raise InputError(f"{data} must have texts, but it has none")
    return Unlabelled(inputs, where)
