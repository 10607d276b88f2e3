"""The tracking of a run by Weights & Biases, MLflow or Trackio beside its own files, through accelerate."""

import importlib.util
import json
import os
import sys
import threading
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Literal

from seqgen.errors import InputError
from seqgen.files import write_text
from seqgen.inference.saved import first_line
from seqgen.runs.records import read_records
from seqgen.tasks.schemas import Schema

Service = Literal["wandb", "mlflow", "trackio"]

PATIENCE = 60.0  # seconds to wait for a service at the beginning and at the end
TRACKED = "tracking.jsonl"
ADVICE = {
    "wandb": "log in by `wandb login`, or set WANDB_MODE=offline",
    "mlflow": "set MLFLOW_TRACKING_URI to a server, or to sqlite:///mlflow.db",
    "trackio": "see its documentation",
}


class Tracked(Schema):
    """A run under the name that a service knows it by."""

    service: str
    run: str


def require_installed(service: Service | None) -> None:
    """Raise an InputError where the package of a service is not installed."""
    if service is not None:
        found = importlib.util.find_spec(service)
        if found is None or found.origin is None:  # wandb leaves a folder of its name where it runs
            install = f"python -m pip install {service}"
            raise InputError(f"--track {service} needs the package {service}, which is not installed: {install}")


class Tracking:
    """A run as a service tracks it: its options, its metrics by step and its final figures.

    Every call is made in a thread of its own, so that training never waits; after the first one that fails, training
    goes on without tracking.

    Args:
        service: its package must be installed.
        directory: of the run, which names it; of a resumed run it has the name that the service knows it by.
        recipe: the project is named after it.
        options: of the run.
        say: prints that tracking has failed.

    Raises:
        InputError: the service does not begin, or not within a minute.
    """

    def __init__(
        self, service: Service, directory: Path, recipe: str, options: Mapping[str, Any], say: Callable[[str], None]
    ):
        self.service, self.say, self.failed = service, say, False
        known = [one["run"] for one in read_records(directory / TRACKED, Tracked) if one["service"] == service]
        self.known = known[-1] if known else None
        self._calls: SimpleQueue[tuple[Callable[[], None], Future[None]]] = SimpleQueue()
        threading.Thread(target=self._work, name=service, daemon=True).start()
        begin = partial(self._begin, directory.absolute().name, f"seqgen-{recipe}", options)
        began, terminal = self._call(begin), sys.stdin
        try:
            with open(os.devnull, encoding="utf-8") as sys.stdin:  # a question would wait for ever
                began.result(PATIENCE)
        except Exception as error:  # every service has errors of its own
            reason = f"no answer for {PATIENCE:.0f} seconds" if isinstance(error, TimeoutError) else first_line(error)
            raise InputError(
                f"--track {service} must be a service that answers, but it does not ({reason}): {ADVICE[service]}"
            ) from None
        finally:
            sys.stdin = terminal

    def remember(self, directory: Path) -> None:
        """Write to the directory of the run what the service knows it by, so that a resumed run goes on there."""
        known = read_records(directory / TRACKED, Tracked)
        line = {"service": self.service, "run": self.known}
        if line not in known:
            write_text(directory / TRACKED, "".join(json.dumps(one) + "\n" for one in [*known, line]))

    def log(self, figures: Mapping[str, float], step: int) -> None:
        """Track the metrics of an update."""
        self._call(partial(self._log, dict(figures), step)).add_done_callback(self._notice)

    def finish(self, results: Mapping[str, Any], step: int) -> None:
        """Track the final figures, and wait for the service to have all, but for a minute at most."""
        numbers = {name: value for name, value in results.items() if type(value) in (int, float)}
        if numbers:
            self.log({f"final/{name}": value for name, value in numbers.items()}, step)
        ended = self._call(self.tracker.finish)
        ended.add_done_callback(self._notice)
        with suppress(Exception):  # which was noticed
            ended.result(PATIENCE)
        if not ended.done():
            self.say(f"{self.service} has not taken all figures within {PATIENCE:.0f} seconds")

    def _begin(self, name: str, project: str, options: Mapping[str, Any]) -> None:
        self.tracker = self._tracker(name, project)
        self.tracker.start()
        new, self.known = self.known is None, self._name()
        if new:
            plain = {
                name: value if type(value) in (int, float, bool) else str(value) for name, value in options.items()
            }
            self.tracker.store_init_configuration(plain)

    def _log(self, figures: dict[str, float], step: int) -> None:
        if not self.failed:  # each further call might wait as long as the first
            self.tracker.log(figures, step=step)

    def _tracker(self, name: str, project: str) -> Any:
        from accelerate.tracking import MLflowTracker, TrackioTracker, WandBTracker

        fresh = uuid.uuid4().hex[:8]
        if self.service == "mlflow":
            return MLflowTracker(project, run_name=name, run_id=self.known)
        if self.service == "trackio":
            return TrackioTracker(project, name=self.known or f"{name}-{fresh}", resume="allow")
        # Its copy of what is printed would come between the recipe and the terminal.
        settings = {"console": "off", "init_timeout": PATIENCE / 2}
        return WandBTracker(project, name=name, id=self.known or fresh, resume="allow", settings=settings)

    def _name(self) -> str:
        """Return what the service knows the run by."""
        run = self.tracker.tracker
        return str(
            {"mlflow": lambda: run.info.run_id, "trackio": lambda: run.name, "wandb": lambda: run.id}[self.service]()
        )

    def _call(self, function: Callable[[], None]) -> "Future[None]":
        ended: Future[None] = Future()
        self._calls.put((function, ended))
        return ended

    def _work(self) -> None:
        while True:
            function, ended = self._calls.get()
            try:
                function()
            except SystemExit:  # which would end this thread unnoticed
                ended.set_exception(RuntimeError("it asked to exit"))
            except Exception as error:
                ended.set_exception(error)
            else:
                ended.set_result(None)

    def _notice(self, ended: "Future[None]") -> None:
        error = ended.exception()
        if isinstance(error, Exception) and not self.failed:
            self.failed = True
            self.say(f"{self.service} tracks this run no more, which goes on: {first_line(error)}")
