"""A page with a text coloured by any cell of a generator that reads it, and the properties that cells follow."""

import base64
import json
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from itertools import groupby
from typing import Any

import numpy as np

from seqgen.figures.page import page
from seqgen.inference.activations import TextActivations
from seqgen.metrics.followed import Followed
from seqgen.metrics.text_properties import Kind, TextProperty

MOST_TOKENS, MOST_CELLS = 1_500, 128  # of a page, which has a byte for each pair of them
SCRIPTS = ("cells.js", "cells_page.js")
LEGEND = (
    "The colour of a character, or word, is the value of one cell of the network after it was read: "
    '<b class="below">blue</b> below zero, <b class="above">orange</b> above. Step through the cells with the arrow '
    "keys, or choose a property in the table: then the text is coloured by the cell that follows it best, and "
    "underlined where it has the property."
)
CONTROLS = """
<div class="controls"><button id="before" aria-label="previous cell">&larr;</button>
<input id="slider" type="range" min="1" value="1" aria-label="place of the cell">
<button id="after" aria-label="next cell">&rarr;</button>
<input id="number" type="number" min="1" value="1" aria-label="place of the cell">
<select id="list" aria-label="cell"></select>
<div class="facts"><output id="shown"></output><output id="value" class="muted"></output></div></div>
<div id="text" class="text" tabindex="0" role="region" aria-label="text"></div>
"""
COLUMNS = ("property", "layer", "cell", "larger or smaller", "AUC", "null", "null, 95 %", "token alone")
TITLES = {"remembered": "of what was read before", "current": "of the current token"}
EXPLANATION = (
    "The cells were chosen on the first half of {count:,} tokens, and their AUC is that of the second half: 0.5 is "
    "chance, 1 a cell that orders all tokens as the property does. The null is the mean, and the 95 % quantile, of the "
    "same search for the property rolled along the text, to places that have nothing to do with it. Where the token "
    "alone tells as much as the cell, the cell need not remember anything."
)
STYLE = """
:root { --below: 92 155 255; --above: 255 160 60; --under: 29 33 41; }
@media (prefers-color-scheme: dark) { :root { --below: 42 110 225; --above: 200 100 10; --under: 230 232 236; } }
.below, .above { padding: 0 .25rem; border-radius: .2rem; }
.below { background: rgb(var(--below) / .6); }
.above { background: rgb(var(--above) / .6); }
.controls { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; position: sticky; top: 0; padding: .5rem 0;
  background: var(--ground); }
.controls * { font: inherit; }
.controls #slider { flex: 1; min-width: 8rem; }
.controls #number { width: 4.5rem; }
.facts { display: flex; gap: 1rem; flex-basis: 100%; min-width: 0; height: 1.5em;
  white-space: pre; }  /* the text never moves */
#shown { flex: 1; overflow: hidden; text-overflow: ellipsis; }
#text { max-height: 50vh; overflow-y: auto; tab-size: 4; line-height: 1.7; }
#text .end::before { content: "\\21b5"; color: var(--muted); }
.wide { overflow-x: auto; }
td:nth-child(n+2), th:nth-child(n+2) { text-align: right; font-variant-numeric: tabular-nums; }
th { vertical-align: bottom; font-weight: 600; }
tbody th { padding-top: 1rem; font-weight: 400; color: var(--muted); }
td button { font: inherit; color: var(--accent); background: none; border: 0; padding: 0; cursor: pointer;
  text-align: left; white-space: nowrap; }
td button[aria-pressed=true] { font-weight: 700; text-decoration: underline; }
"""


def cells_page(
    title: str,
    note: str,
    read: TextActivations,
    properties: Sequence[TextProperty],
    followed: Sequence[Followed],
) -> str:
    """Return the page as HTML.

    Args:
        title: of the page, as text.
        note: what text this is, as text.
        read: the text, and the activations.
        properties: of the text, with those that are followed.
        followed: as `followed_properties` returns them.
    """
    data = json.dumps(cells_data(read, properties, followed), ensure_ascii=False)
    script = f"const data = {data};\n".replace("<", "\\u003c")  # so that no text can end the script
    script += "".join(files("seqgen.figures").joinpath(name).read_text(encoding="utf-8") for name in SCRIPTS)
    rest = f"<p class='muted'>{EXPLANATION.format(count=len(read.tokens))}</p>"
    body = f"<p>{LEGEND}</p><p class='muted'>{escape(note)}</p>{CONTROLS}{_table(followed)}{rest}"
    return page(title, body, style=STYLE, script=f"{{\n{script}}}")


def cells_data(
    read: TextActivations, properties: Sequence[TextProperty], followed: Sequence[Followed]
) -> dict[str, Any]:
    """Return the first 1,500 tokens and the values of 128 cells as plain data, which `cells.js` colours.

    The cells are those that follow a property, and then those whose values differ most. Of each property, "place" is
    that of its cell among them. "values" and "marks", those of a property between 0 and 1, are signed bytes in base64,
    127 for 1; "values", (cells, tokens), are those of the cells divided by "scale".

    Args:
        read: the text, and the activations.
        properties: of the text, with those that are followed.
        followed: as `followed_properties` returns them.
    """
    cells = read.cells[:, :MOST_TOKENS]
    scale = max(1.0, float(np.abs(cells).max()))
    chosen = _chosen(cells, followed)
    best = {(one.layer, one.cell): one for one in reversed(followed)}
    marks = {one.name: one.values[:MOST_TOKENS] / max(1.0, float(one.values[:MOST_TOKENS].max())) for one in properties}
    return {
        "tokens": read.tokens[:MOST_TOKENS],
        "cells": [{"layer": layer, "cell": cell} | _named(best.get((layer, cell))) for layer, cell in chosen],
        "values": _as_bytes(np.stack([cells[layer, :, cell] for layer, cell in chosen]) / scale),
        "scale": scale,
        "properties": [
            one._asdict() | {"place": chosen.index((one.layer, one.cell)), "marks": _as_bytes(marks[one.property])}
            for one in followed
        ],
    }


def _named(one: Followed | None) -> dict[str, Any]:
    """Return what a cell follows best."""
    return {"follows": None} if one is None else {"follows": one.property, "auc": one.auc, "null": one.null_mean}


def _chosen(cells: np.ndarray, followed: Sequence[Followed]) -> list[tuple[int, int]]:
    """Return layer and number of each cell of the page."""
    first = [(one.layer, one.cell) for one in followed]
    by_spread = np.argsort(-cells.std(axis=1), axis=None, kind="stable")
    others = [divmod(int(place), cells.shape[2]) for place in by_spread[:MOST_CELLS]]
    return list(dict.fromkeys([*first, *others]))[:MOST_CELLS]


def _as_bytes(values: np.ndarray) -> str:
    """Return numbers between -1 and 1 as signed bytes, 127 for 1, in base64."""
    return base64.b64encode(np.rint(values * 127).astype(np.int8).tobytes()).decode()


def _table(followed: Sequence[Followed]) -> str:
    if not followed:
        return "<p>The text has too little of every property for a table of what cells follow.</p>"
    head = "".join(f'<th scope="col">{name}</th>' for name in COLUMNS)
    groups = "".join(_group(kind, list(group)) for kind, group in groupby(followed, lambda one: one.kind))
    table = f"<table><thead><tr>{head}</tr></thead>{groups}</table>"
    return f'<h2>What cells follow</h2><div class="wide">{table}</div>'


def _group(kind: Kind, followed: list[Followed]) -> str:
    title = f'<tr><th colspan="{len(COLUMNS)}" scope="rowgroup">{TITLES[kind]}</th></tr>'
    return f"<tbody>{title}{''.join(f'<tr>{_row(one)}</tr>' for one in followed)}</tbody>"


def _row(one: Followed) -> str:
    figures = (one.auc, one.null_mean, one.null_high, one.current_token)
    cells = [one.layer, one.cell, one.direction(), *(f"{figure:.3f}" for figure in figures)]
    name = f'<button aria-pressed="false">{escape(one.property)}</button>'
    return f"<td>{name}</td>" + "".join(f"<td>{cell}</td>" for cell in cells)
