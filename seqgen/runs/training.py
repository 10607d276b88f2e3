"""The training of a run: updates, moving average of the weights, validations and checkpoints."""

import copy
import json
import time
from collections.abc import Iterable, Iterator
from contextlib import nullcontext, suppress
from dataclasses import replace
from typing import Any, Generic, TypeVar, cast

import torch

from seqgen.batches.windows import Batches
from seqgen.errors import InputError, Interrupted, NonFiniteLogits, NonFiniteLoss
from seqgen.figures.section import Section
from seqgen.hardware.devices import unchanged_random_state
from seqgen.hardware.precision import set_threads
from seqgen.inference.bundle import Bundle
from seqgen.inference.weights import finite
from seqgen.interruptions import interruptions
from seqgen.runs.best import Best
from seqgen.runs.checkpoints import save_checkpoint
from seqgen.runs.command import command
from seqgen.runs.directory import require_in_place, write_options
from seqgen.runs.logger import Logger
from seqgen.runs.members import Members
from seqgen.runs.model_card import write_model_card
from seqgen.runs.moments import is_due
from seqgen.runs.option_kinds import FREE_ON_RESUME, OF_A_MACHINE, PATHS
from seqgen.runs.processes import agreed
from seqgen.runs.results import write_results
from seqgen.runs.run import Run
from seqgen.runs.stopping import StopSignals
from seqgen.state import AnyState, State
from seqgen.training.averaging import Average
from seqgen.training.loop import Progress, Step, train_steps
from seqgen.training.losses import LossFunction
from seqgen.training.optimizers import Group

B = TypeVar("B", bound=Bundle[Any])

SAVE_EVERY = 10.0  # seconds between checkpoints, the most that a kill can lose


class Training(Generic[B]):
    """A context in which a model is trained.

    `bundle` has the model in training; `averaged` is the same bundle with the exponential moving average of the
    weights, which is validated, saved and used.

    Args:
        run: with the directory, processes, options and schedule.
        bundle: with the model, which is moved to the run's device.
        identity: fingerprint of the data, which must be the same in a resumed run.
        groups: weights with a learning rate of their own.

    Raises:
        InputError: the checkpoint belongs to other data.
    """

    def __init__(self, run: Run, bundle: B, identity: str, *, groups: Iterable[Group] = ()):
        self.run, self.bundle, self.identity = run, bundle.to(run.device), identity
        config = run.config
        same = {name: value for name, value in config.resolved().items() if name not in OF_A_MACHINE}
        run.processes.require_same(same | {"content of the data": identity})
        self.optimizers = run.optimizers(bundle.model, groups)
        self.average = Average(bundle.model, self._horizon)
        self.averaged: B = replace(bundle, model=self.average.module)
        self.best, self.signals = Best(config.patience), StopSignals()
        self.before = Progress()
        self.carry: AnyState | None = None
        self.losses: list[float] = []  # of the updates since their mean was last logged
        self.saved_at = 0.0
        self._validated_at = self._validation_seconds = 0.0
        if run.processes.rank:  # so that dropout masks differ between processes
            torch.manual_seed(run.config.seed + run.processes.rank)
        if run.checkpoint:
            self._restore(run.checkpoint)
        if run.config.resume:
            more = ", which was the last one: to train on, raise --max_steps or --max_seconds" if run.done >= 1 else ""
            run.say(f"resuming after step {self.progress.steps:,}{more}{run.dealt_anew}")
        self.members = Members(run)
        tracking = run.tracking()
        if not run.config.resume:
            run.claim()
        if run.main:
            write_options(run.directory, run.config, self.progress.steps)
            run.keep_initials()
            self.logger = Logger(run.directory, run.schedule, self.progress.steps, self.losses, run.unit, tracking)
            self.members.start()
        self.again = command("--output_dir", str(run.directory), "--resume")
        interruptions.sentence = f"interrupted; to resume from the last checkpoint: {self.again}"

    @property
    def progress(self) -> Progress:
        """The progress of training."""
        return self.run.progress

    def __enter__(self) -> "Training[B]":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        self.signals.__exit__()
        if error is not None:
            self.members.stop()
        if not self.run.main:
            return
        with suppress(OSError) if error is not None else nullcontext():  # what ended the training is what is said
            self.logger.close()
        if error is not None or not self.best.exists:
            self.logger.finish(self.progress.steps, {})
        if error is None and self.best.exists:
            self.run.say("testing the model with the best validation")
        elif error is None and not self._validated_at:  # stopped before the first validation, and resumed for no more
            raise InputError("a run must have validated a model: to train on, raise --max_steps or --max_seconds")
        elif error is None:
            raise NonFiniteLoss("no validation loss was finite, so there is no model: try a smaller learning rate")
        elif isinstance(error, Interrupted) and not self.best.exists and finite(self.averaged.model):
            self.averaged.save_pretrained(self.run.model_directory)  # not validated, but better than no model
        elif isinstance(error, NonFiniteLoss | NonFiniteLogits):
            where = f"the last good model is in {self.run.model_directory}"
            raise NonFiniteLoss(f"{error}; {where if self.best.exists else 'there is no good model yet'}") from None

    def steps(self, batches: Batches[Any], loss_function: LossFunction) -> Iterator[Step]:
        """Yield after each update until the schedule or patience ends; save checkpoints after the body of the loop.

        Args:
            batches: to train on.
            loss_function: calculated in the run's precision.

        Raises:
            Interrupted: after a signal; a checkpoint is saved.
            NonFiniteLoss: before an update whose loss or gradient is not finite.
        """
        config = self.run.config
        self._decide(batches, loss_function)
        self.signals.__enter__()  # until here there is nothing to save
        steps = train_steps(
            self.run.processes.prepare(self.bundle.model),
            batches.starting_at(self.progress.steps * config.accumulate),
            self.optimizers,
            self.run.schedule,
            loss_function=self.run.in_precision(loss_function),
            clip=config.clip,
            accumulate=config.accumulate,
            progress=self.progress,
            carry=self.carry,
        )
        if self.best.reason_to_stop:
            self.run.say("this run has stopped before, and only another --patience trains on")
        while not self.best.reason_to_stop:
            self.before = self.progress
            step = next(steps, None)
            if step is None:
                return
            self.run.progress = step.progress
            self.average.update_parameters(self.bundle.model)
            if self.run.main:
                self.logger.log(step)
            without = not self.best.exists
            yield step
            # The first model is of use to a run that is killed only with a checkpoint that knows it.
            self._save_when_due(step, now=bool(self.best.reason_to_stop) or (without and self.best.exists))
        if self.run.done < 1:
            self.run.say(f"stopped after step {self.progress.steps:,}: {self.best.reason_to_stop}")

    def due(self, step: Step) -> bool:
        """Return whether to validate and show samples: after every `--eval_every` updates, and at the end.

        Without `--eval_every` it is soon after the start, and then at growing distances, but where time is given never
        for more than a fifth of it.
        """
        if self.run.config.eval_every is not None:
            due = step.number % self.run.config.eval_every == 0
        else:
            due = is_due(self.run.schedule, self.before, step.progress)
            if self.run.config.max_seconds is not None:
                due = due and step.progress.seconds - self._validated_at > 4 * self._validation_seconds
        self._validation_began = time.perf_counter()
        return due or step.last

    def evaluated(self, step: Step, val_loss: float, *, error: float | None = None, **figures: float) -> None:
        """Record a validation of `averaged`, and save this if it is the best so far.

        Args:
            step: the last update.
            val_loss: validation loss.
            error: error of which the lowest is the best, by default the loss; ties are broken by the loss.
            **figures: further metrics.
        """
        taken = time.perf_counter() - self._validation_began
        error = (val_loss if error is None else error) if finite(self.averaged.model) else float("nan")
        self._validation_seconds, val_loss, error = agreed((taken, val_loss, error))
        self._validated_at = step.progress.seconds + self._validation_seconds
        improved = self.best.improves(error, val_loss)
        if not self.run.main:
            return
        if improved:
            self.averaged.save_pretrained(self.run.model_directory)
        self.logger.write(step, val_loss=val_loss, **figures)
        measured = "".join(f", {name.replace('_', ' ')} {figure:.4f}" for name, figure in figures.items())
        self.run.say(
            f"step {step.number:,}, {step.progress.seconds:.0f} s: training loss {step.loss:.4f}, validation loss "
            f"{val_loss:.4f}{measured}{' (best)' if improved else ''}, {step.progress.rate:,.0f} {self.run.unit}/s"
        )

    def results(self, *sections: Section, **figures: Any) -> dict[str, Any]:
        """Write the final metrics to `results.json` and the model card, and with sections to the report; return all."""
        found = write_results(self.run, self.averaged, self.progress, self.identity, figures, sections)
        write_model_card(self.run, self.averaged, self.identity, found)
        self.logger.finish(self.progress.steps, found)
        require_in_place(self.run.directory)
        return found

    def state_dict(self) -> dict[str, Any]:
        """Return the values for a checkpoint; in the first process, those of all processes."""
        own = {"random": self.run.processes.random_state(), "carry": list(self.carry or [])}
        return {
            "identity": self.identity,
            "options": self._options(),
            "calculation": list(self.run.calculation),
            "model": self.bundle.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "progress": list(self.progress),
            "best": self.best.state_dict(),
            "losses": self.losses,
            "processes": self.run.processes.gather(own),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the values from a checkpoint."""
        self.bundle.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            rates = [group["lr"] for group in optimizer.param_groups]
            optimizer.load_state_dict(saved)
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["initial_lr"] = rate  # which a resumed run may have changed
        self.best.load_state_dict(state["best"])
        self.losses = state["losses"]
        self.run.progress = Progress(*state["progress"])
        self.saved_at = self.progress.seconds
        mine = self.run.processes.share(state["processes"])
        if mine["random"] is not None:
            self.run.processes.load_random_state(mine["random"])
        self.carry = State(*mine["carry"]).to(self.run.device) if mine["carry"] else None

    def _horizon(self, updates: int) -> float:
        """Return a fraction of the number of updates that are expected until the end of training."""
        return self.run.config.averaging * updates / max(self.run.done, 1e-9)

    def _decide(self, batches: Batches[Any], loss_function: LossFunction) -> None:
        """Decide precision and threads by the first batch, with a copy of the model and its random numbers."""
        if self.run.checkpoint is not None and not self.run.dealt_anew:  # which has what was decided
            set_threads(self.run.calculation.threads)
            return
        device = self.run.device
        with unchanged_random_state(device):
            model = copy.deepcopy(self.bundle.model).to(device).train()  # `to` makes the copied weights contiguous
            batch = next(batches.starting_at(0)).to(device)
            self.run.calculate_fastest(*self.run.trial(model, batch, loss_function))

    def _restore(self, checkpoint: dict[str, Any]) -> None:
        if checkpoint["identity"] != self.identity:
            directory = self.run.directory
            raise InputError(f"a run must be resumed on its own data, but {directory} was trained on other data")
        saved, options = checkpoint["options"], self._options()
        if different := [name for name in saved | options if saved.get(name) != options.get(name)]:
            name = different[0]
            raise InputError(
                f"a run must be resumed from its own checkpoint, but that in {self.run.directory} is of a run with "
                f"{name} {saved.get(name)}, not {options.get(name)}"
            )
        try:
            self.load_state_dict(checkpoint)
        except (KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise InputError(
                f"the checkpoint in {self.run.directory} must fit its run, but it does not: {reason}"
            ) from None

    def _options(self) -> dict[str, Any]:
        """Return the options that a resumed run must have, too, as plain data."""
        options = self.run.config.resolved().items()
        own = {name: value for name, value in options if name not in FREE_ON_RESUME | PATHS}
        return cast("dict[str, Any]", json.loads(json.dumps(own)))

    def _save_when_due(self, step: Step, *, now: bool) -> None:
        """Save a checkpoint every few seconds, at once where `now`, and before a signal stops the training."""
        stop = self.run.processes.any(self.signals.received)
        if now or stop or self.members.failure or step.last or step.progress.seconds - self.saved_at >= SAVE_EVERY:
            self.saved_at, self.carry = step.progress.seconds, step.carry
            state = self.state_dict()
            if self.run.main:
                require_in_place(self.run.directory)
                save_checkpoint(self.run.directory / "state", step.number, state)
        if stop:
            raise Interrupted(f"stopped after step {step.number}, and saved; to resume: {self.again}")
        self.members.require_running()
