"""The results of a run: its metrics in `results.json`, and a report to paste into an issue in `report.md`."""

import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

from seqgen import __version__
from seqgen.errors import counted
from seqgen.files import read_options, write_text
from seqgen.inference.bundle import Bundle
from seqgen.runs.command import command
from seqgen.runs.directory import read_resumptions
from seqgen.runs.logger import read_metrics
from seqgen.runs.run import Run
from seqgen.training.loop import Progress

CURVE = 12  # maximum number of validations in the report


def write_results(
    run: Run, bundle: Bundle[Any], progress: Progress, identity: str, figures: dict[str, Any], samples: str
) -> dict[str, Any]:
    """Write the metrics of the task and of training to `results.json` and `report.md`; return all metrics."""
    results = {
        **figures,
        "steps": progress.steps,
        "seconds": progress.seconds,
        f"{run.unit}_per_second": progress.rate,
        "parameters": sum(parameter.numel() for parameter in bundle.model.parameters()),
        "precision": run.calculation.precision,
        "threads": run.calculation.threads,
        "seed": run.config.seed,
    }
    write_text(run.directory / "results.json", json.dumps(results, indent=2) + "\n")
    write_text(run.directory / "report.md", _report(run, identity, results, samples))
    return results


def _report(run: Run, identity: str, results: dict[str, Any], samples: str) -> str:
    data = getattr(run.config, "data", "")
    facts = {
        "command": f"`{command(*sys.argv[1:])}`",
        "options": _asked(run.directory),
        "data": f"`{data}`, fingerprint {identity[:16]}",
        "machine": machine(),
        "device": f"{run.device}, {_processes(run.processes.world_size)}, {run.calculation}",
        "versions": versions(),
        "training": f"{results['steps']:,} updates in {results['seconds']:.0f} s of wall-clock",
    }
    resumed = "; ".join(map(_resumed, read_resumptions(run.directory)))
    facts |= {"resumed": resumed} if resumed else {}
    lines = [f"# {run.name}", "", *(f"- {name}: {fact}" for name, fact in facts.items()), ""]
    lines += ["## Curve", "", "![training and validation loss](curves.png)", "", *_curve(run.directory), ""]
    lines += ["## Figures", "", "| figure | value |", "|---|---|"]
    lines += [f"| {name} | {_text(value)} |" for name, value in results.items()]
    if samples:
        lines += ["", "## Samples", "", *(f"    {line}".rstrip() for line in samples.splitlines())]
    return "\n".join([*lines, ""])


def _processes(number: int) -> str:
    return f"{number} process{'' if number == 1 else 'es'}"


def _resumed(one: dict[str, Any]) -> str:
    changes = [f"`--{name}` {now} instead of {before}" for name, (before, now) in one["changed"].items()]
    return f"after step {one['step']:,} on {one['time']}" + (f" with {', '.join(changes)}" if changes else "")


def _asked(directory: Path) -> str:
    """Return the options that were given, also those of the start of a resumed run."""
    asked = read_options(directory / "config.yaml")
    return " ".join(f"`--{name} {value}`" for name, value in asked.items()) or "all by default"


def _curve(directory: Path) -> list[str]:
    """Return evenly chosen validations as rows of a table."""
    validations = [line for line in read_metrics(directory) if "val_loss" in line]
    step = max(-(-len(validations) // CURVE), 1)
    chosen = validations[::-1][::step][::-1]  # always with the last one
    if not chosen:
        return ["There was no validation."]
    columns = [name for name in chosen[-1] if all(name in line for line in chosen)]
    rows = [" | ".join(_text(line[name]) for name in columns) for line in chosen]
    return [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|", *(f"| {row} |" for row in rows)]


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value).replace("|", "\\|")


def machine() -> str:
    """Return the processor, the number of cores and threads, the memory and the GPU, as far as they are known."""
    capabilities = torch.cpu.get_capabilities()
    processor = capabilities.get("cpu_name") or platform.processor() or platform.machine()
    pages = os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 0
    memory = f", {pages * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB of memory" if pages else ""
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    cores, threads = counted(os.cpu_count() or 1, "core"), counted(torch.get_num_threads(), "thread")
    return f"{processor}, {cores}, {threads}{memory}{gpu}"


def versions() -> str:
    """Return the versions of what a run depends on."""
    torchvision = importlib.metadata.version("torchvision")
    python = f"Python {platform.python_version()}, {platform.system()}"
    return f"{_source()}, torch {torch.__version__}, torchvision {torchvision}, {python}"


def _source() -> str:
    """Return the commit of a clone, or the version of an installed package."""
    folder = Path(__file__).parents[2]
    if (folder / ".git").exists():
        asked = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=12"]
        found = subprocess.run(asked, capture_output=True, text=True, check=False)
        if found.returncode == 0:
            return f"seqgen {__version__} at commit {found.stdout.strip()}"
    return f"seqgen {__version__}"
