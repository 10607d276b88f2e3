"""A report in Markdown, to paste into an issue."""

from collections.abc import Sequence

from seqgen.runs.report import Report, shown


def markdown(report: Report) -> str:
    """Return a report as Markdown."""
    lines = [f"# {report.name}", "", *(f"- {name}: {fact}" for name, fact in report.facts.items()), ""]
    lines += ["## Result", ""]
    for measure in report.measures:
        values = measure.of(report.results).items()
        lines.append(f"- {measure.title}: {', '.join(f'{label} {measure.text(value)}' for label, value in values)}")
    lines += ["", "## Curve", "", "![training and validation loss](curves.png)", ""]
    columns, rows = report.validations()
    lines += _table(columns, rows) if rows else ["There was no validation."]
    figures = [(name, shown(value)) for name, value in report.results.items()]
    lines += ["", "## Figures", "", *_table(("figure", "value"), figures)]
    for section in report.sections:
        if section.text:
            lines += ["", f"## {section.title}", "", *(f"    {line}".rstrip() for line in section.text.splitlines())]
    return "\n".join([*lines, ""])


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    body = (" | ".join(value.replace("|", "\\|") for value in row) for row in rows)
    return [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|", *(f"| {row} |" for row in body)]
