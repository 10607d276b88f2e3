"""Train each recipe by one process of several threads and by several of one thread, in turns, and print both.

python recipes/benchmarks/processes.py --recipes [translator, text_classifier] --rounds 3
"""

from seqgen.exits import run_main

import json
import shlex
import statistics
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from measuring import parse_options, show

from seqgen.cli.train import recipes
from seqgen.errors import InputError, nearest
from seqgen.hardware.precision import Precision

FIGURES = ("val_loss", "val_accuracy", "val_bleu", "test_accuracy", "test_bleu", "test_cider", "test_loss")
# What is drawn at random is drawn in each process for its own rows, so without it the figures are the same.
WITHOUT_CHANCE = {
    "char_generator": ["--weight_drop", "0"],
    "text_classifier": ["--word_dropout", "0", "--embedding_dropout", "0"],
    "image_classifier": ["--shift", "0"],
    "tagger": ["--word_dropout", "0"],
    "translator": ["--word_dropout", "0"],
    "image_captioner": ["--self_critical", "0"],
}


@dataclass
class Config:
    """Options of the benchmark of processes."""

    recipes: list[str] = field(default_factory=lambda: list(recipes()))
    """names of the recipes"""
    steps: int = 40
    """updates of each run"""
    rounds: int = 3
    """runs of each arrangement, in turns, of which the median is taken"""
    processes: int = 2
    """number of processes of one thread, and of threads of the one process beside them"""
    size: str = "small"
    """size of the models"""
    precision: Precision = "fp32"
    """precision of matrix products, the same in both arrangements"""
    options: str = ""
    """further options of the recipes"""


def trained(config: Config, recipe: str, processes: int) -> dict[str, Any]:
    """Return the results of a run by so many processes, which have as many threads together as there are processes."""
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(processes)]
    chance = ["--dropout", "0", *WITHOUT_CHANCE.get(recipe, [])]
    with TemporaryDirectory() as directory:
        own = ["--max_steps", config.steps, "--eval_every", config.steps, "--size", config.size, "--device", "cpu"]
        own += ["--threads", config.processes // processes, "--precision", config.precision]
        own += ["--output_dir", Path(directory) / "run", *chance, *shlex.split(config.options)]
        command = [sys.executable, *(launcher if processes > 1 else []), "-m", "seqgen", "train", recipe]
        found = subprocess.run([*command, *map(str, own)], capture_output=True, text=True, check=False)
        if found.returncode:
            said = [line for line in found.stderr.splitlines() if "error:" in line] or found.stderr.splitlines()
            raise InputError(f"{recipe} in {processes} processes ended with: {said[-1].strip()}")
        results: dict[str, Any] = json.loads((Path(directory) / "run" / "results.json").read_text(encoding="utf-8"))
    return results


def compared(config: Config, recipe: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return a row with the speed of both arrangements, and rows with their figures."""
    arrangements = (1, config.processes)
    runs = [[trained(config, recipe, processes) for processes in arrangements] for _ in range(config.rounds)]
    unit = next(name for name in runs[0][0] if name in ("tokens_per_second", "examples_per_second"))
    one, several = ([run[place][unit] for run in runs] for place in range(2))
    ratios = [there / here for here, there in zip(one, several, strict=True)]
    speed = {
        "recipe": recipe,
        "counted": unit.partition("_")[0],
        f"one of {config.processes} threads": statistics.median(one),
        f"{config.processes} of one thread": statistics.median(several),
        "ratio": statistics.median(ratios),
        "lowest": min(ratios),
        "highest": max(ratios),
    }
    figures = [
        {
            "recipe": recipe,
            "figure": name,
            "one process": f"{runs[0][0][name]:.6f}",
            f"{config.processes} processes": f"{runs[0][1][name]:.6f}",
        }
        for name in FIGURES
        if name in runs[0][0]
    ]
    return speed, figures


def main() -> None:
    """Run the benchmark."""
    config = parse_options(Config, __doc__ or "")
    for recipe in config.recipes:
        if recipe not in recipes():
            raise InputError(f"--recipes must be among {', '.join(recipes())}{nearest(recipe, recipes())}")
    if min(config.steps, config.rounds) < 1 or config.processes < 2:
        raise InputError(f"--steps and --rounds must be above 0 and --processes above 1, not {config.processes}")
    rows = [compared(config, recipe) for recipe in config.recipes]
    show("tokens or examples a second of training", [speed for speed, _ in rows])
    show("figures beside one process", [row for _, figures in rows for row in figures])


if __name__ == "__main__":
    run_main(main)
