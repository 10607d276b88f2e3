"""The results of a run: its metrics in `results.json`, and its report in `report.md` and `report.html`."""

import json
from collections.abc import Sequence
from typing import Any

from seqgen.figures.section import Section
from seqgen.files import write_text
from seqgen.inference.bundle import Bundle
from seqgen.runs.report import report
from seqgen.runs.report_markdown import markdown
from seqgen.runs.report_page import report_page
from seqgen.runs.run import Run
from seqgen.training.loop import Progress


def write_results(
    run: Run,
    bundle: Bundle[Any],
    progress: Progress,
    identity: str,
    figures: dict[str, Any],
    sections: Sequence[Section],
) -> dict[str, Any]:
    """Write the metrics of the task and of training to `results.json`, and the report; return all metrics."""
    results = {
        **figures,
        **run.figures,
        "steps": progress.steps,
        "seconds": progress.seconds,
        f"{run.unit}_per_second": progress.rate,
        "parameters": sum(parameter.numel() for parameter in bundle.model.parameters()),
        "precision": run.calculation.precision,
        "threads": run.calculation.threads,
        "seed": run.config.seed,
    }
    if run.members:
        results["members"] = len(run.members) + 1
    write_text(run.directory / "results.json", json.dumps(results, indent=2) + "\n")
    written = report(run, identity, results, sections)
    write_text(run.directory / "report.md", markdown(written))
    write_text(run.directory / "report.html", report_page(written))
    return results
