"""A report as a page: one file, which opens from the disk without scripts and requests nothing."""

import math
import re
from html import escape
from typing import Any

from seqgen.figures import curves, tables
from seqgen.figures.captions import STYLE as CAPTIONS
from seqgen.figures.page import page
from seqgen.figures.section import Section
from seqgen.runs.measures import Measure
from seqgen.runs.report import Report, shown

STYLE = """
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.25rem 0 .25rem; }
h1, p, code, .facts td { overflow-wrap: anywhere; }
summary { cursor: pointer; margin: .75rem 0; }
.bars { width: 100%; table-layout: fixed; }
.bars th, .bars td { border: 0; padding: .1rem .75rem .1rem 0; font-weight: normal; }
.bars th { width: 19rem; } .bars td:last-child { width: 5rem; text-align: right; }
.bars span { display: block; height: 1rem; min-width: 1px; border-radius: .2rem; background: var(--muted);
  opacity: .55; print-color-adjust: exact; }
.bars tr:first-child > * { font-weight: bold; } .bars tr:first-child span { background: var(--accent); opacity: 1; }
.alone { font-size: 1.4rem; font-weight: bold; color: var(--accent); margin: 0; }
.facts th { vertical-align: top; font-weight: normal; color: var(--muted); }
@media (max-width: 40rem) { .bars th { width: 8rem; } }
@media print { details::details-content { content-visibility: visible; block-size: auto; }
  article, tr, svg { break-inside: avoid; } .wide { overflow: visible; } }
"""
WHERE = (
    "<p class='muted'>Beside this file: the model in <code>model/</code>, these figures in <code>results.json</code>, "
    "the same report for an issue in <code>report.md</code>, and all losses in <code>metrics.jsonl</code>.</p>"
)
LOSSES = (
    '<p class="muted">The training loss is with dropout and label smoothing, where these are on, and the validation '
    "loss without them: it may be the lower one.</p>"
)


def report_page(report: Report) -> str:
    """Return a report as a page."""
    columns, validations = report.validations()
    figures = [(name, shown(value)) for name, value in report.results.items()]
    parts = [
        f"<p class='muted'>{_marked(report.facts['training'])} on {_marked(report.facts['data'])}</p>",
        _part("Result", "".join(_bars(measure, measure.of(report.results)) for measure in report.measures)),
        *(_part(section.title, _content(section)) for section in report.sections if section.text or section.html),
        _part(
            "Curve",
            curves.svg_curves(report.metrics) + LOSSES + _folded("Validations", tables.table(columns, validations)),
        ),
        _part("Figures", tables.table(("figure", "value"), figures)),
        _part("Run", _facts(report.facts) + _folded("All options", _options(report.options)) + WHERE),
    ]
    style = tables.STYLE + curves.STYLE + CAPTIONS + STYLE
    return page(f"{report.name}: {report.directory.name}", "\n".join(parts), style=style)


def _part(title: str, html: str) -> str:
    return f"<section><h2>{escape(title)}</h2>\n{html}</section>"


def _folded(title: str, html: str) -> str:
    return f"<details><summary>{escape(title)}</summary>{html}</details>"


def _content(section: Section) -> str:
    return section.html or f'<pre class="text">{escape(section.text)}</pre>'


def _bars(measure: Measure, values: dict[str, float]) -> str:
    """Return a measure as a bar for the model and each of its baselines; a value without any scale is a number."""
    title = f"<h3>{escape(measure.title)}</h3>"
    if measure.best is None and len(values) == 1:
        return f"{title}<p class='alone'>{measure.text(*values.values())}</p>"
    whole = measure.best or max(filter(math.isfinite, values.values()), default=0.0) or 1.0
    rows = []
    for label, value in values.items():
        width = 100 * value / whole if math.isfinite(value) else 0.0
        bar = f'<span style="width:{width:.1f}%"></span>'
        rows.append(f'<tr><th scope="row">{escape(label)}</th><td>{bar}</td><td>{measure.text(value)}</td></tr>')
    return f'{title}<table class="bars">{"".join(rows)}</table>'


def _facts(facts: dict[str, str]) -> str:
    rows = "".join(f'<tr><th scope="row">{name}</th><td>{_marked(fact)}</td></tr>' for name, fact in facts.items())
    return f'<table class="facts">{rows}</table>'


def _options(options: dict[str, Any]) -> str:
    return tables.table(("option", "value"), [(f"--{name}", str(value)) for name, value in options.items()])


def _marked(fact: str) -> str:
    """Return a fact as HTML, with what is between backticks as code."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(fact))
