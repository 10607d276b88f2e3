"""A run of a recipe: its options, directory and processes, before there is a model."""

import shlex
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import torch
from torch import nn
from torch.optim import Optimizer
from tqdm import tqdm

from seqgen.batches.examples import Batchable, ExampleBatches
from seqgen.errors import InputError
from seqgen.files import cache_directory, sweep
from seqgen.hardware.decisions import Decision, Operation
from seqgen.hardware.devices import unchanged_random_state, use_huge_pages
from seqgen.hardware.precision import Calculation, calculations, fastest_calculation, set_threads
from seqgen.inference.bundle import Bundle
from seqgen.inference.loading import load
from seqgen.runs.checkpoints import Checkpoint, load_checkpoint
from seqgen.runs.config import RunConfig
from seqgen.runs.directory import claim, run_directory
from seqgen.runs.initial_options import INITIAL
from seqgen.runs.processes import Processes, agreed
from seqgen.runs.suitable_size import BESIDE, FEW, Trial, rounded, suitable_size
from seqgen.runs.tracking import Tracking, require_installed
from seqgen.tasks.schemas import require
from seqgen.training.loop import Progress
from seqgen.training.losses import LossFunction
from seqgen.training.optimizers import Group, optimizers
from seqgen.training.schedules import Schedule
from seqgen.training.trial import update

B = TypeVar("B", bound=Bundle[Any])
C = TypeVar("C", bound=RunConfig)
E = TypeVar("E")
P = ParamSpec("P")
R = TypeVar("R")


class Run:
    """The options, directory, processes and schedule of a run.

    Args:
        config: the recipe's options.
        default_seconds: wall-clock time of training in seconds, without --max_steps and --max_seconds.
        unit: what the loss counts, "tokens" or "examples".

    Raises:
        InputError: the directory has another run or is in use, or the device or the package to track with is not there.
    """

    def __init__(self, config: RunConfig, *, default_seconds: float, unit: str = "tokens"):
        require_installed(config.track)
        use_huge_pages()
        self.config: RunConfig = config
        self.name, self.unit, self.data = config.recipe, unit, ""
        self.figures: dict[str, float] = {}  # of the results, known before training
        if config.max_steps is None and config.max_seconds is None:
            config.max_seconds = default_seconds
        self.processes = Processes(config.device)
        self.device, self.main = self.processes.device, self.processes.main
        self.directory = self.processes.from_main(lambda: run_directory(config))
        if config.resume:
            self.claim()
        self.checkpoint = self.processes.from_main(self._checkpoint)
        before, now = len(self.checkpoint["processes"]) if self.checkpoint else 0, self.processes.world_size
        self.dealt_anew = ""  # what to say where there is another number of processes than before
        if before not in (0, now):
            self.dealt_anew = f"; processes: {now}, before {before}, so each batch and its states are dealt anew"
        possible = calculations(self.device, config.precision, config.threads)
        # Decided before the first update; a resumed run goes on as it was.
        self.calculation = Calculation(*self.checkpoint["calculation"]) if self.checkpoint else possible[0]
        self.schedule = Schedule(config.max_steps, config.max_seconds, config.warm_up, config.decay)
        self.progress = Progress()
        self.initials = self.processes.from_main(self._initials)
        self.initial: Any = self.initials.get("init_from")
        torch.manual_seed(config.seed)

    @property
    def members(self) -> list[Path]:
        """The directories of the further members of an ensemble, of which this run is the first."""
        return [self.directory / "members" / str(number) for number in range(2, self.config.ensemble + 1)]

    def _checkpoint(self) -> dict[str, Any] | None:
        """Return the checkpoint of a resumed run, where it has one."""
        checkpoint = load_checkpoint(self.directory / "state") if self.config.resume else None
        if checkpoint is not None:
            require(Checkpoint, checkpoint, f"the checkpoint in {self.directory}")
        return checkpoint

    def _initials(self) -> dict[str, Bundle[Any]]:
        """Return the models of options such as `--init_from`; those of a resumed run are its own copies."""
        found: dict[str, Bundle[Any]] = {}
        for option, name in INITIAL.items():
            if source := vars(self.config).get(option):
                copy = self.directory / name
                found[option] = load(copy if (copy / "config.json").is_file() else str(source))
        return found

    def keep_initials(self) -> None:
        """Copy the models of options such as `--init_from` into the directory, for a resumed run."""
        for option, bundle in self.initials.items():
            copy = self.directory / INITIAL[option]
            if not (copy / "config.json").is_file():
                bundle.save_pretrained(copy)

    def claim(self) -> None:
        """Take the directory for this run alone: a new one just before it is written to, so that no mistake makes it.

        Raises:
            InputError: it is in use, or has another run by now.
        """

        def claimed() -> Path:
            directory = run_directory(self.config)  # again, as the name may have been taken since
            self.lock = claim(directory, resume=self.config.resume)  # for as long as there is this run
            with suppress(OSError):  # a cache that cannot be written is an error where it is needed
                sweep(cache_directory())
            return directory

        self.directory = self.processes.from_main(claimed)

    def tracking(self) -> Tracking | None:
        """Begin to track this run where --track asks for it; in the first process only.

        Raises:
            InputError: in all processes: the service does not begin.
        """
        found: list[Tracking] = []

        def begin() -> None:
            if self.config.track is not None:
                options = self.config.resolved()
                found.append(Tracking(self.config.track, self.directory, self.name, options, self.say))

        self.processes.from_main(begin)
        return found[0] if found else None

    @property
    def done(self) -> float:
        """The fraction of training that is done."""
        return self.schedule.progress(*self.progress[:2])

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

    def sized(self, config: C, trial: Callable[[C], Trial], loss_function: LossFunction) -> C:
        """Return the options with the sizes that suit the time, and say which: as given, by measuring, or medium.

        Those of a saved model that the run goes on with stay as they are.

        Args:
            config: the options of this run.
            trial: returns a model with such options, and a batch.
            loss_function: of the training.
        """
        if config.size != "auto" or config.init_from:
            return self._with(config)
        if config.max_seconds is None or not config.sizes:
            return self._with(config.of_size("medium"))

        def measured(sized: C) -> tuple[float, float]:
            model, batch, batches_per_epoch = trial(sized)
            model.to(self.device).train()
            seconds = self._fastest(*self.trial(model, batch.to(self.device), loss_function))[1].fastest
            return seconds, batches_per_epoch

        with unchanged_random_state(self.device):
            suitable = agreed(suitable_size(config, measured))
        self.say(str(suitable))
        return self._with(config.of_size(suitable.name))

    def resized(
        self, config: C, bundle: B, examples: Batchable[Any], loss_function: LossFunction, budget: str = "batch_tokens"
    ) -> tuple[C, B]:
        """Return options and an untrained model with the sizes that suit the time.

        Args:
            config: the options of this run.
            bundle: untrained, with these options.
            examples: to train on.
            loss_function: of the training.
            budget: name of the option that is the maximum sum of lengths in a batch.
        """

        def trial(one: C) -> Trial:
            batches = self.batches(examples, getattr(one, budget))
            model = bundle.rebuilt(**one.model).model
            return Trial(model, next(batches.starting_at(0)), batches.batches_per_epoch)

        sized = self.sized(config, trial, loss_function)
        if sized.model == config.model:
            return sized, bundle
        torch.manual_seed(config.seed)  # the initial weights are those of a run that was given this size
        return sized, bundle.rebuilt(**sized.model)

    def calculate_fastest(self, question: str, operation: Operation) -> None:
        """Decide precision and threads of this run by an operation, and say what was decided, and what to expect."""
        found, decision = self._fastest(question, operation)
        self.calculation = agreed(found)
        self.say(f"training in {self.calculation} (an update in {decision})")
        if self.config.max_seconds is not None and self.config.max_steps is None:
            seconds = BESIDE * self.config.accumulate * decision.fastest
            updates = self.config.max_seconds / seconds
            if updates < FEW:
                self.say(
                    f"expect little: there is time for about {rounded(updates)} updates, and {FEW} would take "
                    f"--max_seconds {rounded(FEW * seconds)}, or a smaller --size, model or batch"
                )
        set_threads(self.calculation.threads)

    def _fastest(self, question: str, operation: Operation) -> tuple[Calculation, Decision]:
        asked = self.config.precision, self.config.threads
        return fastest_calculation(question, operation, self.device, *asked)

    def _with(self, config: C) -> C:
        self.config = config
        return config

    @property
    def split_seed(self) -> int:
        """The random seed of the split of the data into parts."""
        return self.config.seed if self.config.split_seed is None else self.config.split_seed

    @property
    def shared(self) -> dict[str, int]:
        """Random seed, rank and number of processes, on which the batches of training depend."""
        return {"seed": self.config.seed, "rank": self.processes.rank, "world_size": self.processes.world_size}

    def trial(self, model: nn.Module, batch: Any, loss_function: LossFunction) -> tuple[str, Operation]:
        """Return the question and the operation of an update, which `calculate_fastest` takes."""
        # Processes that measure do not do so in step, so they cannot share Muon's products.
        trainers = self.optimizers(model) if self.processes.world_size == 1 else []
        return update(self.name, model, batch, loss_function, trainers)

    def optimizers(self, model: nn.Module, groups: Iterable[Group] = ()) -> list[Optimizer]:
        """Return the optimizers of a model as the options have them."""
        config = self.config
        rates = {"learning_rate": config.learning_rate, "adamw_learning_rate": config.adamw_learning_rate}
        return optimizers(model, config.optimizer, groups=groups, **rates)

    def say(self, text: str) -> None:
        """Print text to stderr, above the progress bar."""
        if self.main:
            with suppress(BrokenPipeError):  # as with `2>&1 | head`: training goes on
                tqdm.write(text, file=sys.stderr)

    def alone(self, *names: str) -> None:
        """Raise an InputError where one of these options was given and there are several processes."""
        for name in names:
            if self.processes.world_size > 1 and getattr(self.config, name):
                raise InputError(f"--{name} must be used with one process, but there are {self.processes.world_size}")

    def batches(self, examples: Batchable[E], budget: int) -> ExampleBatches[E]:
        """Return batches of examples of similar length, which are divided among the processes.

        Args:
            examples: to make batches of.
            budget: maximum sum of lengths in a batch, padding included.
        """
        return examples.batches(budget, **self.shared)

    def describe(self, data: str, bundle: Bundle[Any]) -> None:
        """Print the data, the model's size, the device and the directory; the report has the data, too."""
        self.data = data
        parameters = sum(parameter.numel() for parameter in bundle.model.parameters())
        self.say(f"{data}; a model of {parameters:,} parameters on {self.device}; the run is in {self.directory}")

    def show_use(self, purpose: str, name: str, *words: str) -> None:
        """Print where the run is, and a command that uses its model.

        Args:
            purpose: of the command, such as "to generate more".
            name: of the command, such as "generate".
            *words: its arguments after the directory.
        """
        where, members = str(self.directory), map(str, self.members)
        print(f"--- everything is in {where}; the report: {self.directory / 'report.html'}")
        print(f"to see it in the browser: {shlex.join(['seqgen', 'serve', where])}; {purpose}:\n")
        print(shlex.join(["seqgen", name, where, *members, *words]))
