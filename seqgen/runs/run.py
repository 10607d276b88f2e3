"""A run of a recipe: its options, directory and processes, before there is a model."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import torch
from tqdm import tqdm

from seqgen.batches.buckets import Buckets
from seqgen.batches.examples import Batchable, ExampleBatches
from seqgen.errors import InputError
from seqgen.hardware.decisions import Operation
from seqgen.hardware.devices import use_huge_pages
from seqgen.hardware.precision import Calculation, calculations, fastest_calculation, set_threads
from seqgen.inference.bundle import Bundle
from seqgen.runs.checkpoints import load_checkpoint
from seqgen.runs.config import RunConfig
from seqgen.runs.directory import run_directory
from seqgen.runs.processes import Processes, agreed
from seqgen.training.schedules import Schedule

B = TypeVar("B")
P = ParamSpec("P")
R = TypeVar("R")


class Run:
    """The options, directory, processes and schedule of a run.

    Args:
        config: the recipe's options.
        name: of the recipe, for the name of a new directory.
        default_seconds: wall-clock time of training in seconds, without --max_steps and --max_seconds.
        unit: what the loss counts, "tokens" or "examples".

    Raises:
        InputError: the directory has another run, or the device is not available.
    """

    def __init__(self, config: RunConfig, name: str, *, default_seconds: float, unit: str = "tokens"):
        use_huge_pages()
        self.config, self.name, self.unit = config, name, unit
        if config.max_steps is None and config.max_seconds is None:
            config.max_seconds = default_seconds
        self.directory = run_directory(config, name)
        self.checkpoint = load_checkpoint(self.directory / "state") if config.resume else None
        self.processes = Processes(config.device)
        self.device, self.main = self.processes.device, self.processes.main
        possible = calculations(self.device, config.precision, config.threads)
        # Decided before the first update; a resumed run goes on as it was.
        self.calculation = Calculation(*self.checkpoint["calculation"]) if self.checkpoint else possible[0]
        self.schedule = Schedule(config.max_steps, config.max_seconds, config.warm_up, config.decay)
        torch.manual_seed(config.seed)

    @property
    def model_directory(self) -> Path:
        """The directory of the best model."""
        return self.directory / "model"

    def in_precision(self, function: Callable[P, R]) -> Callable[P, R]:
        """Return a function, such as a loss, with calculations in the precision of the run."""

        def calculate(*arguments: P.args, **options: P.kwargs) -> R:
            with self.calculation.autocast(self.device):
                return function(*arguments, **options)

        return calculate

    def calculate_fastest(self, question: str, operation: Operation) -> None:
        """Decide precision and threads of this run by an operation, and say what was decided."""
        asked = self.config.precision, self.config.threads
        found, decision = fastest_calculation(question, operation, self.device, *asked)
        self.calculation = agreed(found)
        self.say(f"training in {self.calculation}{f' (an update in {decision})' if decision else ''}")
        set_threads(self.calculation.threads)

    @property
    def shared(self) -> dict[str, int]:
        """Random seed, rank and number of processes, on which the batches of training depend."""
        return {"seed": self.config.seed, "rank": self.processes.rank, "world_size": self.processes.world_size}

    def say(self, text: str) -> None:
        """Print text to stderr, above the progress bar."""
        if self.main:
            tqdm.write(text, file=sys.stderr)

    def alone(self, *names: str) -> None:
        """Raise an InputError where one of these options was given and there are several processes."""
        for name in names:
            if self.processes.world_size > 1 and getattr(self.config, name):
                raise InputError(f"--{name} must be used with one process, but there are {self.processes.world_size}")

    def batches(self, examples: Batchable[B], budget: int, *, train: bool = True) -> ExampleBatches[B]:
        """Return batches of examples of similar length.

        Args:
            examples: to make batches of.
            budget: maximum sum of lengths in a batch, padding included.
            train: whether the examples of a batch are divided among the processes.
        """
        shared = self.shared if train else {"seed": self.config.seed}
        return ExampleBatches(Buckets(examples.lengths, budget, **shared), examples.collate)

    def updates_per_epoch(self, batches: int, *, least: int, most: int = 250) -> int:
        """Return `--eval_every` or, without it, the number of updates with these batches, from `least` to `most`."""
        return self.config.eval_every or min(max(batches // self.config.accumulate, least), most)

    def describe(self, data: str, bundle: Bundle[Any]) -> None:
        """Print the data, the model's size, the device and the directory."""
        parameters = sum(parameter.numel() for parameter in bundle.model.parameters())
        self.say(f"{data}; a model of {parameters:,} parameters on {self.device}; the run is in {self.directory}")
