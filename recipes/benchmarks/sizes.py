"""Train a recipe in each size for some times, and print what it reaches: how the updates in runs/sizes.py were found.

python recipes/benchmarks/sizes.py --recipe translator --seconds [30] --options "--data multi30k-de-en --threads 1"
"""

from seqgen.exits import run_main

import json
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from measuring import parse_options, show

from seqgen.cli.train import recipes
from seqgen.errors import InputError, nearest

# Figures on the validation part, by which sizes are chosen, and what is told beside them.
TUNED = ("val_loss", "val_bleu", "val_cider", "val_accuracy")
BESIDE = ("steps", "seconds", "parameters")


@dataclass
class Config:
    """Options of the benchmark of sizes."""

    recipe: str = "translator"
    """name of the recipe"""
    seconds: list[float] = field(default_factory=lambda: [30.0, 100.0, 300.0, 1000.0])
    """times of training"""
    sizes: list[str] = field(default_factory=lambda: ["tiny", "small", "medium", "large", "auto"])
    """sizes of the model"""
    options: str = ""
    """further options of the recipe"""


def trained(script: Path, seconds: float, size: str, options: list[str]) -> dict[str, Any]:
    """Return a row with the figures of a run."""
    with TemporaryDirectory() as directory:
        run = Path(directory) / "run"
        asked = ["--max_seconds", str(seconds), "--size", size, "--output_dir", str(run)]
        found = subprocess.run([sys.executable, script, *options, *asked], capture_output=True, text=True, check=False)
        if found.returncode:
            raise InputError(
                f"{script.name} with {' '.join(asked)} ended with: {found.stderr.strip().splitlines()[-1]}"
            )
        results = json.loads((run / "results.json").read_text(encoding="utf-8"))
        metrics = map(json.loads, (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines())
        validations = [line for line in metrics if "val_loss" in line]
        chosen = next(line for line in (run / "resolved.yaml").read_text().splitlines() if line.startswith("size:"))
    best = {name: [line[name] for line in validations if name in line] for name in TUNED}
    figures = {name: (min if name == "val_loss" else max)(values) for name, values in best.items() if values}
    return {"asked": size, "size": chosen.removeprefix("size: "), **{name: results[name] for name in BESIDE}, **figures}


def main() -> None:
    """Run the benchmark."""
    config = parse_options(Config, __doc__ or "")
    scripts = recipes()
    if config.recipe not in scripts:
        raise InputError(f"--recipe must be one of {', '.join(scripts)}{nearest(config.recipe, scripts)}")
    options = shlex.split(config.options)
    for seconds in config.seconds:
        show(
            f"{config.recipe}, {seconds:g} seconds",
            [trained(scripts[config.recipe], seconds, size, options) for size in config.sizes],
        )


if __name__ == "__main__":
    run_main(main)
