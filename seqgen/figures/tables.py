"""Tables of a page: rows of text, and matrices whose cells have the colours of their values."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import numpy as np

FAINT = 0.02  # shares below are no colours that can be seen
STYLE = """
.wide { overflow-x: auto; margin-bottom: 1rem; }
.wide td { max-width: min(32rem, 70vw); overflow-wrap: break-word; }
.wide:focus-visible { outline: 2px solid var(--accent); }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
table.matrix { --deepest: 90%; font-size: .8rem; line-height: 1.3; }
table.matrix td { min-width: 1.4rem; padding: .1rem .15rem; text-align: center; border: 1px solid var(--line);
  background: color-mix(in srgb, var(--accent) calc(var(--share, 0) * var(--deepest)), transparent);
  print-color-adjust: exact; }
table.matrix.written { --deepest: 55%; }  /* so that the text can be read */
table.matrix th { font-weight: normal; border: 0; padding: .1rem .4rem; text-align: right; white-space: pre; }
table.matrix thead th { vertical-align: bottom; text-align: center; padding: .2rem .1rem; }
table.matrix thead th.upwards { writing-mode: vertical-rl; transform: rotate(180deg); text-align: left; }
table.matrix thead td { background: none; border: 0; }
"""


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return rows as an HTML table, which scrolls where the page is narrow; numbers stand on the right."""
    lines = ("".join(f"<td{_kind(value)}>{escape(str(value))}</td>" for value in row) for row in rows)
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    return _wide(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>", "table")


def matrix(
    rows: Sequence[str], columns: Sequence[str], shares: np.ndarray, texts: np.ndarray | None = None, label: str = ""
) -> str:
    """Return a matrix as an HTML table, which scrolls where the page is narrow.

    Args:
        rows: names of the rows.
        columns: names of the columns, which are written upwards where they are long.
        shares: (rows, columns) values from 0 to 1, which are the colours of the cells.
        texts: (rows, columns) texts of the cells.
        label: name of the matrix.
    """
    upwards = (' class="upwards"' if len(column) > 2 else "" for column in columns)
    head = "".join(f'<th scope="col"{kind}>{escape(name)}</th>' for name, kind in zip(columns, upwards, strict=True))
    kind = "matrix" if texts is None else "matrix written"
    lines = []
    for number, row in enumerate(rows):
        written = [""] * len(columns) if texts is None else map(str, texts[number])
        cells = "".join(map(_cell, shares[number], written))
        lines.append(f'<tr><th scope="row">{escape(row)}</th>{cells}</tr>')
    return _wide(
        f'<table class="{kind}"><thead><tr><td></td>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table>', label
    )


def _cell(share: float, text: str) -> str:
    """Return a cell in the colour of its share; one that would hardly have a colour is empty unless it has a text."""
    if share <= 0 or (share < FAINT and not text):
        return "<td></td>"
    return f'<td style="--share:{share:.2f}" title="{share:.1%}">{escape(text)}</td>'


def _wide(html: str, label: str) -> str:
    """Return a table in a region that scrolls, by the keyboard, too."""
    return f'<div class="wide" role="region" tabindex="0" aria-label="{escape(label)}">{html}</div>'


def _kind(value: Any) -> str:
    return ' class="number"' if isinstance(value, int | float | np.number) else ""
