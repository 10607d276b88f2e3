"""The report of a run: the facts that `report.md` and `report.html` have in common."""

import importlib.metadata
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch

from seqgen import __version__
from seqgen.errors import counted
from seqgen.figures.section import Section
from seqgen.files import read_options
from seqgen.runs.command import command
from seqgen.runs.directory import read_resumptions
from seqgen.runs.logger import read_metrics
from seqgen.runs.measures import Measure, measures
from seqgen.runs.run import Run

VALIDATIONS = 12  # maximum number of validations that are shown


@dataclass(frozen=True)
class Report:
    """The facts of a run: its options and data, the machine, the curve and the figures.

    Args:
        name: of the recipe.
        directory: of the run.
        facts: sentences by name, with what is to be typed between backticks.
        options: the values of all options.
        metrics: of updates and validations.
        results: the final metrics.
        sections: what the recipe shows of its model.
    """

    name: str
    directory: Path
    facts: dict[str, str]
    options: dict[str, Any]
    metrics: list[dict[str, Any]]
    results: dict[str, Any]
    sections: Sequence[Section]

    @property
    def measures(self) -> list[Measure]:
        """The measures that tell how good the model is."""
        return measures(self.name, self.results)

    def validations(self) -> tuple[list[str], list[list[str]]]:
        """Return the columns and rows of a table of evenly chosen validations; no rows where there are none."""
        validations = [line for line in self.metrics if "val_loss" in line]
        step = max(-(-len(validations) // VALIDATIONS), 1)
        chosen = validations[::-1][::step][::-1]  # always with the last one
        columns = [name for name in chosen[-1] if all(name in line for line in chosen)] if chosen else []
        return columns, [[shown(line[name]) for name in columns] for line in chosen]


def report(run: Run, identity: str, results: dict[str, Any], sections: Sequence[Section]) -> Report:
    """Return the report of a run at its end.

    Args:
        run: with its directory, options and processes.
        identity: fingerprint of the data.
        results: the final metrics.
        sections: what the recipe shows of its model.
    """
    directory = run.directory
    facts = {
        "command": f"`{command(*sys.argv[1:])}`",
        "options": _asked(directory),
        "data": f"`{getattr(run.config, 'data', '')}`, fingerprint {identity[:16]}",
        "contents": run.data,
        "machine": machine(),
        "device": f"{run.device}, {_processes(run.processes.world_size)}, {run.calculation}",
        "versions": versions(),
        "training": f"{results['steps']:,} updates in {results['seconds']:.0f} s of wall-clock",
        "resumed": "; ".join(map(_resumed, read_resumptions(directory))),
    }
    facts = {name: fact for name, fact in facts.items() if fact}
    options = read_options(directory / "resolved.yaml")
    return Report(run.name, directory, facts, options, read_metrics(directory), results, sections)


def shown(value: Any) -> str:
    """Return a value of a report as text."""
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 10_000 else f"{value:.4g}"  # an exponent is hard to read
    return str(value)


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


def _processes(number: int) -> str:
    return f"{number} process{'' if number == 1 else 'es'}"


def _resumed(one: dict[str, Any]) -> str:
    changes = [f"`--{name}` {now} instead of {before}" for name, (before, now) in one["changed"].items()]
    return f"after step {one['step']:,} on {one['time']}" + (f" with {', '.join(changes)}" if changes else "")


def _asked(directory: Path) -> str:
    """Return the options that were given, also those of the start of a resumed run."""
    asked = read_options(directory / "config.yaml")
    return " ".join(f"`--{name} {value}`" for name, value in asked.items()) or "all by default"


@cache
def _source() -> str:
    """Return the commit of a clone, or the version of an installed package."""
    folder = Path(__file__).parents[2]
    if (folder / ".git").exists():
        asked = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=12"]
        found = subprocess.run(asked, capture_output=True, text=True, check=False)
        if found.returncode == 0:
            return f"seqgen {__version__} at commit {found.stdout.strip()}"
    return f"seqgen {__version__}"
