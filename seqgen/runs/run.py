"""A run of a recipe: its directory, its device, and all it takes to stop at any moment and go on."""

import math
import os
import shlex
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Protocol, TypeVar

import torch
from accelerate import Accelerator, PartialState
from accelerate.utils import broadcast_object_list, gather_object
from torch import nn
from torch.optim import Optimizer
from tqdm import tqdm

from seqgen.devices import faster_precision, find_device, use_huge_pages
from seqgen.errors import InputError, Interrupted, NonFiniteLoss
from seqgen.state import State
from seqgen.training.averaging import averaged
from seqgen.runs.checkpoints import load_checkpoint, save_checkpoint
from seqgen.runs.config import RunConfig
from seqgen.runs.directory import run_directory, write_options
from seqgen.training.loop import Progress, Step, train_steps
from seqgen.training.losses import Loss, LossFunction
from seqgen.runs.reports import Report, rate
from seqgen.training.schedules import Schedule

V = TypeVar("V")

SAVE_EVERY = 10.0  # seconds between checkpoints, so that no kill costs more
NOT_YET = (float("inf"), float("inf"))  # the error and the loss of the best model before there is one


class Trained(Protocol):
    """A model with what it takes to save it: a `Bundle`."""

    model: nn.Module

    def save_pretrained(self, directory: str | Path) -> None:
        """Write the model into a directory."""
        ...


class Batches(Protocol):
    """What is trained on."""

    def starting_at(self, index: int) -> Iterator[Any]:
        """Yield the batches from number `index` on, without end."""
        ...


class Run:
    """What the recipes' loops share.

    Args:
        config: the recipe's options.
        name: of the recipe, for the folder where none was asked for.
        default_seconds: how long to train where neither steps nor seconds were asked for.
        unit: what the loss counts, "tokens" or "examples".

    Raises:
        InputError: the directory holds another run, or the device is not there.
    """

    def __init__(self, config: RunConfig, name: str, *, default_seconds: float, unit: str = "tokens"):
        use_huge_pages()
        self.config, self.unit = config, unit
        if config.max_steps is None and config.max_seconds is None:
            config.max_seconds = default_seconds
        self.directory = run_directory(config, name)
        self.checkpoint = load_checkpoint(self.directory / "state") if config.resume else None
        device = find_device(config.device)
        if config.device != "auto" and "LOCAL_RANK" not in os.environ:  # there each process has a GPU of its own
            os.environ["ACCELERATE_TORCH_DEVICE"] = config.device
        PartialState(cpu=device.type == "cpu")
        self.precision = agreed(self._pick_precision(device))
        mixed = "bf16" if self.precision == "bf16" else "no"
        self.accelerator = Accelerator(mixed_precision=mixed, cpu=device.type == "cpu")
        self.device = self.accelerator.device
        self.rank, self.world_size = self.accelerator.process_index, self.accelerator.num_processes
        self.main = self.accelerator.is_main_process
        self.best, self.evaluations_since_best, self.saved_at = NOT_YET, 0, 0.0
        self.stop_signal: int | None = None
        self.schedule = Schedule(config.max_steps, config.max_seconds, config.warm_up, config.decay)
        torch.manual_seed(config.seed)

    @property
    def model_directory(self) -> Path:
        """Where the best model is."""
        return self.directory / "model"

    def _pick_precision(self, device: torch.device) -> str:
        if self.config.precision != "auto":
            return self.config.precision
        saved = (self.checkpoint or {}).get("precision")
        return saved or faster_precision(device)

    def begin(self, trained: Trained, optimizers: list[Optimizer], identity: str) -> None:
        """Open the directory, and put everything back where the checkpoint of a resumed run has it.

        From here on `model` is the one in training, with processes taken care of; `average` follows it, and is the
        model of `trained`.

        Args:
            trained: what is saved when it is the best so far, its model already on the run's device.
            optimizers: of the model.
            identity: what must be the same in a resumed run beside the options: a fingerprint of the data.

        Raises:
            InputError: the checkpoint belongs to other data or another number of processes.
        """
        self.trained, self.optimizers, self.identity = trained, optimizers, identity
        self.in_training = trained.model
        self.average = averaged(self.in_training, self.config.averaging)
        trained.model = self.average.module
        self.progress = Progress()
        self.carry: State | None = None
        if self.rank:  # what is dropped in its lanes must not be what the first process drops in its own
            torch.manual_seed(self.config.seed + self.rank)
        if self.checkpoint:
            self._restore(self.checkpoint)
        if self.config.resume:
            ended = self.schedule.progress(self.progress.steps, self.progress.seconds) >= 1
            more = ", which was the last: for more, raise --max_steps or --max_seconds" if ended else ""
            self.say(f"going on after step {self.progress.steps:,}{more}")
        if self.main:
            write_options(self.directory, self.config)
            self.report = Report(self.directory, self.schedule, self.progress.steps, self.unit)
        self.model: nn.Module = self.in_training
        if self.world_size > 1:
            self.model = self.accelerator.prepare(self.in_training)

    def in_precision(self, loss_function: LossFunction) -> LossFunction:
        """Return a loss function that calculates in the run's precision."""

        def calculate(model: nn.Module, batch: Any, carry: State | None) -> Loss:
            with self.accelerator.autocast():
                return loss_function(model, batch, carry)

        return calculate

    def __enter__(self) -> "Run":
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask_to_stop)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if not self.main:
            return
        self.report.close()
        if isinstance(error, NonFiniteLoss | Interrupted) and self.best == NOT_YET:
            self.trained.save_pretrained(self.model_directory)  # not validated yet, but better than none
        if isinstance(error, NonFiniteLoss):
            raise NonFiniteLoss(f"{error}; the last good model is in {self.model_directory}") from None

    def _restore(self, checkpoint: dict[str, Any]) -> None:
        if checkpoint["identity"] != self.identity:
            raise InputError(f"a run must be resumed on its own data, but {self.directory} was trained on other data")
        if len(checkpoint["processes"]) != self.world_size:
            raise InputError(
                f"a run must be resumed with as many processes as before, {len(checkpoint['processes'])}, "
                f"but there are {self.world_size}"
            )
        self.in_training.load_state_dict(checkpoint["model"])
        if "average" in checkpoint:
            self.average.load_state_dict(checkpoint["average"])
        else:  # a run of the version that had none
            self.average.module.load_state_dict(checkpoint["model"])
        for optimizer, state in zip(self.optimizers, checkpoint["optimizers"], strict=True):
            optimizer.load_state_dict(state)
        best = checkpoint["best"]  # in the first version of seqgen a loss alone
        self.best = (best[0], best[1]) if isinstance(best, list) else (best, best)
        self.evaluations_since_best = checkpoint["evaluations_since_best"]
        self.progress = Progress(*checkpoint["progress"])
        self.saved_at = self.progress.seconds
        mine = checkpoint["processes"][self.rank]
        torch.set_rng_state(mine["random"])
        if self.device.type == "cuda":
            torch.cuda.set_rng_state(mine["random_cuda"], self.device)
        self.carry = State(*mine["carry"]).to(self.device) if mine["carry"] else None

    def steps(self, batches: Batches, loss_function: LossFunction) -> Iterator[Step]:
        """Yield after each update until the schedule or patience ends; after what the reader does, save when it is due.

        Args:
            batches: to train on.
            loss_function: to train with, in the run's precision.

        Raises:
            Interrupted: a signal asked for a stop; all is saved.
            NonFiniteLoss: before the update that would have spoilt the weights.
        """
        steps = train_steps(
            self.model,
            batches.starting_at(self.progress.steps * self.config.accumulate),
            self.optimizers,
            self.schedule,
            loss_function=self.in_precision(loss_function),
            clip=self.config.clip,
            accumulate=self.config.accumulate,
            progress=self.progress,
            carry=self.carry,
        )
        while self.evaluations_since_best < (self.config.patience or math.inf):
            step = next(steps, None)
            if step is None:
                return
            self.progress = step.progress
            self.average.update_parameters(self.model)
            if self.main:
                self.report.log(step)
            yield step
            self._save_when_due(step, now=self.evaluations_since_best == self.config.patience)

    def evaluated(self, step: Step, val_loss: float, *, error: float | None = None, **figures: float) -> None:
        """Write a validation down, and save the model if it is the best so far.

        Args:
            step: the last update.
            val_loss: the validation loss.
            error: what is lowest for the best model, by default the loss; where it is the same, the loss decides.
            **figures: what else was measured.
        """
        val_loss, error = agreed((val_loss, val_loss if error is None else error))
        improved = (error, val_loss) < self.best
        self.best = min((error, val_loss), self.best)
        self.evaluations_since_best = 0 if improved else self.evaluations_since_best + 1
        if not self.main:
            return
        if improved:
            self.trained.save_pretrained(self.model_directory)
        self.report.write(step, val_loss=val_loss, **figures)
        measured = "".join(f", {name.replace('_', ' ')} {figure:.4f}" for name, figure in figures.items())
        self.say(
            f"step {step.number:,}, {step.progress.seconds:.0f} s: training loss {step.loss:.4f}, validation loss "
            f"{val_loss:.4f}{measured}{' (best)' if improved else ''}, {rate(step):,.0f} {self.unit}/s"
        )

    def in_last(self, share: float) -> bool:
        """Return whether the training is in its last part, which is of that share."""
        return self.schedule.progress(*self.progress[:2]) > 1 - share

    def say(self, text: str) -> None:
        """Show text on stderr, above the progress bar."""
        if self.main:
            tqdm.write(text, file=sys.stderr)

    def _save_when_due(self, step: Step, *, now: bool) -> None:
        """Save every few seconds, at once where `now`, and before stopping when that was asked for."""
        stop = self._anywhere(self.stop_signal is not None)
        if now or stop or step.last or step.progress.seconds - self.saved_at >= SAVE_EVERY:
            self._save(step)
        if stop and not step.last:
            command = shlex.join(["python", sys.argv[0], "--output_dir", str(self.directory), "--resume"])
            raise Interrupted(f"stopped after step {step.number}, and saved; to go on: {command}")

    def _save(self, step: Step) -> None:
        mine: dict[str, Any] = {"random": torch.get_rng_state(), "carry": list(step.carry or [])}
        if self.device.type == "cuda":
            mine["random_cuda"] = torch.cuda.get_rng_state(self.device)
        processes = gather_object([mine]) if self.world_size > 1 else [mine]
        self.saved_at = step.progress.seconds
        if self.main:
            values = {
                "identity": self.identity,
                "precision": self.precision,
                "model": self.in_training.state_dict(),
                "average": self.average.state_dict(),
                "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
                "progress": list(step.progress),
                "best": self.best,
                "evaluations_since_best": self.evaluations_since_best,
                "processes": processes,
            }
            save_checkpoint(self.directory / "state", step.number, values)

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        if self.stop_signal is not None:
            raise KeyboardInterrupt  # at once, and the last checkpoint stands
        self.stop_signal = number
        print("\nstopping after this step; once more to stop at once", file=sys.stderr)

    def _anywhere(self, flag: bool) -> bool:
        if self.world_size == 1:
            return flag
        return bool(self.accelerator.reduce(torch.tensor(float(flag), device=self.device)).item())


def agreed(value: V) -> V:
    """Return what the first process has for a value that the processes measured each for itself."""
    values = [value]
    broadcast_object_list(values)
    return values[0]
