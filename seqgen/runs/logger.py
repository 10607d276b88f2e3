"""Metrics of a run while it trains: lines of JSON, TensorBoard events, a progress bar, curves."""

import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from tqdm import tqdm

from seqgen.figures.curves import draw_curves
from seqgen.files import write_text
from seqgen.runs.records import Metrics, read_records
from seqgen.runs.tracking import Tracking
from seqgen.training.loop import Step
from seqgen.training.schedules import Schedule

LOG_EVERY = 20  # updates, whose mean loss is one point of the training curve
LINE_EVERY = 10.0  # seconds between lines of progress where there is no terminal for a bar


class Logger:
    """Metrics as lines of JSON, TensorBoard events and a picture; a progress bar where there is a terminal.

    Args:
        directory: of the run.
        schedule: for the progress bar.
        steps: updates of a resumed run so far; metrics of later ones are removed.
        losses: of those updates whose mean is not logged yet; that of each update is added.
        unit: what the loss counts, "tokens" or "examples".
        tracking: by a service, which is given the same metrics.
    """

    def __init__(
        self,
        directory: Path,
        schedule: Schedule,
        steps: int = 0,
        losses: list[float] | None = None,
        unit: str = "tokens",
        tracking: Tracking | None = None,
    ):
        from torch.utils.tensorboard import SummaryWriter

        self.directory, self.schedule, self.unit, self.tracking = directory, schedule, unit, tracking
        if tracking is not None:
            tracking.remember(directory)
        self.path = directory / "metrics.jsonl"
        kept = [line for line in read_metrics(directory) if line["step"] <= steps]
        write_text(self.path, "".join(json.dumps(line) + "\n" for line in kept))
        self.events = SummaryWriter(str(directory), purge_step=steps + 1)
        self.losses = [] if losses is None else losses
        shape = "{percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}"
        self.bar = tqdm(total=1.0, miniters=0, bar_format=shape, disable=not sys.stderr.isatty(), leave=False)
        self.line_at: float | None = None

    def log(self, step: Step) -> None:
        """Record an update, and write its metrics when they are due."""
        self.losses.append(step.loss)
        done = min(self.schedule.progress(step.number, step.progress.seconds), 1.0)
        state = f"loss {step.loss:.3f}, {step.progress.rate:,.0f} {self.unit}/s"
        self.bar.set_postfix_str(state, refresh=False)
        self.bar.update(done - self.bar.n)
        if self.bar.disable:
            self._line(f"{done:4.0%}, step {step.number:,}, {step.progress.seconds:.0f} s: {state}", step)
        if step.number % LOG_EVERY == 0 or step.last:
            speed = {f"{self.unit}_per_second": step.progress.rate}
            self.write(step, train_loss=self.mean_loss(), learning_rate=step.learning_rate, **speed)

    def _line(self, text: str, step: Step) -> None:
        """Print a line of progress every few seconds, the first one after the first few."""
        seconds = step.progress.seconds
        self.line_at = seconds if self.line_at is None else self.line_at
        if seconds - self.line_at >= LINE_EVERY:
            self.line_at = seconds
            with suppress(BrokenPipeError):
                print(text, file=sys.stderr, flush=True)

    def mean_loss(self) -> float:
        """Return the mean training loss since the last call."""
        mean = sum(self.losses) / len(self.losses)
        self.losses.clear()
        return mean

    def write(self, step: Step, **figures: float) -> None:
        """Write metrics after an update."""
        line = {"step": step.number, "seconds": round(step.progress.seconds, 3), **figures}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        for name, figure in figures.items():
            self.events.add_scalar(name, figure, step.number)
        if self.tracking is not None:
            self.tracking.log(line, step.number)

    def close(self) -> None:
        """Close the progress bar, and draw the curves so far."""
        self.bar.close()
        self.events.close()
        draw_curves(self.directory / "curves.png", read_metrics(self.directory))

    def finish(self, steps: int, results: dict[str, Any]) -> None:
        """End the tracking, with the final figures where there are some."""
        if self.tracking is not None:
            self.tracking.finish(results, steps)


def read_metrics(directory: Path) -> list[dict[str, Any]]:
    """Return the lines of a run's metrics, without one that a kill cut off."""
    return read_records(directory / "metrics.jsonl", Metrics)
