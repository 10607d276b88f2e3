"""Attempts at a run of a recipe, in processes of their own, each going on where the one before it ended."""

import json
import random
import signal
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NamedTuple

from disturbed import DELAY, Disturbance, run

from seqgen.cli.train import recipes
from seqgen.runs.directory import CONTENTS

sys.path.append(str(Path(__file__).parents[2] / "tests"))
from running import CONTEXT, forked
from small_data import small_options

STEPS, EVAL_EVERY = 24, 6
SENTENCES = {2: "error: ", 1: "another process of this run has ended"}  # by exit code
LIMIT = 240.0  # seconds in which an attempt must end
GRACE = 20.0  # seconds in which a process must end by itself when another one has failed


class Attempt(NamedTuple):
    """The end of an attempt: exit codes, whether any had to be stopped, what was told, and what was printed."""

    codes: list[int | None]
    hung: bool
    told: list[str]
    printed: list[str]

    @property
    def went_on(self) -> bool:
        """True where it came to the end of the run."""
        return not self.hung and set(self.codes) == {0}

    @property
    def refused(self) -> bool:
        """True where each process that failed, and was not killed, ended with one sentence and its exit code."""
        ends = [end for end in zip(self.codes, self.printed, strict=True) if end[0] not in (0, -signal.SIGKILL)]
        right = all(code in SENTENCES and text.count(SENTENCES[code]) == 1 for code, text in ends)
        return not (self.hung or self.went_on) and right and not any("Traceback" in text for text in self.printed)


@dataclass
class Chain:
    """Attempts at one run.

    Args:
        recipe: its name.
        processes: number of processes that train together.
        folder: with the data, the cache, the logs and, as `run`, the directory of the run.
        limit: options that end the training.
    """

    recipe: str
    processes: int
    folder: Path
    limit: Sequence[str] = ("--max_steps", str(STEPS))
    options: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir()
        own = [str(word) for word in small_options(self.recipe, self.folder)]
        self.options = [*own, *self.limit, "--eval_every", str(EVAL_EVERY), "--threads", "1", "--device", "cpu"]

    @property
    def run(self) -> Path:
        """The directory of the run."""
        return self.folder / "run"

    def attempt(self, how: Disturbance = Disturbance()) -> Attempt:  # noqa: B008  (frozen)
        """Start the run, or resume it where there is something to resume, and return how it ended."""
        return self._ended(*self._started(how))

    def kill(self, moments: random.Random, seconds: float) -> tuple[Attempt, bool]:
        """Start or resume the run and kill all its processes or one; return its end, and whether it was saving.

        Args:
            moments: to draw the moment and the processes from.
            seconds: of an undisturbed run.
        """
        saving = moments.random() < 0.5
        processes, pipes = self._started(Disturbance("slow" if saving else "none"))
        if saving:
            for _ in range(moments.randint(1, 16)):
                if _next(pipes[0], LIMIT) is None:
                    break
            time.sleep(moments.random() * DELAY)
        else:
            processes[0].join(moments.random() * seconds)
        for process in processes if moments.random() < 0.5 else [moments.choice(processes)]:
            process.kill()
        return self._ended(processes, pipes), saving

    def kept(self) -> tuple[bool, str]:
        """Return whether there is a model, and the name of the newest checkpoint: what no later attempt may lose."""
        checkpoints = [path.name for path in self.run.glob("state/step-*.safetensors")]
        return (self.run / "model" / "model.safetensors").exists(), max(checkpoints, default="")

    def result(self) -> dict[str, Any]:
        """Return what must be the same after any disturbance: by name, weights, metrics, results and names of files."""
        read = [json.loads(line) for line in (self.run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
        files = {str(path.relative_to(self.run)) for path in self.run.rglob("*") if path.is_file()}
        return {
            "weights": (self.run / "model" / "model.safetensors").read_bytes(),
            "metrics": [_untimed(line) for line in read],
            "results": _untimed(json.loads((self.run / "results.json").read_text(encoding="utf-8"))),
            "files": sorted(name for name in files if "tfevents" not in name and name != "resumed.jsonl"),
            "cache": sorted(path.name for path in (self.folder / "cache").rglob(".*")),
        }

    def _started(self, how: Disturbance) -> tuple[list[BaseProcess], list[Connection]]:
        resumed = ["--resume"] if any((self.run / name).exists() for name in CONTENTS) else []
        words = [*self.options, "--output_dir", str(self.run), *resumed]
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1])}
        processes: list[BaseProcess] = []
        pipes: list[Connection] = []
        for rank in range(self.processes):
            shared = {"XDG_CACHE_HOME": str(self.folder / "cache"), "OMP_NUM_THREADS": "1"}
            if self.processes > 1:
                place = {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(self.processes)}
                shared |= meeting | place | {"LOCAL_WORLD_SIZE": str(self.processes)}
            reader, writer = CONTEXT.Pipe(duplex=False)
            self._log(rank).write_bytes(b"")
            script = recipes()[self.recipe]
            processes.append(forked(run, script, words, self._log(rank), shared, how, writer))
            writer.close()
            pipes.append(reader)
        return processes, pipes

    def _ended(self, processes: list[BaseProcess], pipes: list[Connection]) -> Attempt:
        end, failed, told = time.monotonic() + LIMIT, False, []
        while any(process.is_alive() for process in processes) and time.monotonic() < end:
            next(process for process in processes if process.is_alive()).join(0.05)
            told += [word for pipe in pipes for word in _waiting(pipe)]
            if not failed and any(process.exitcode for process in processes):
                failed, end = True, time.monotonic() + GRACE
        # Before anything is said a process still waits for the killed one to join, as torch does; `torchrun` ends it.
        joined = any(self._log(rank).stat().st_size for rank in range(self.processes))
        hung = joined and any(process.is_alive() for process in processes)
        for process in processes:
            process.kill()
            process.join()
        told += [word for pipe in pipes for word in _waiting(pipe)]
        for pipe in pipes:
            pipe.close()
        printed = [self._log(rank).read_text(errors="replace") for rank in range(self.processes)]
        return Attempt([process.exitcode for process in processes], hung, told, printed)

    def _log(self, rank: int) -> Path:
        return self.folder / f"log{rank}"


def _next(pipe: Connection, seconds: float) -> str | None:
    """Return what is told next; None where the other end is closed, or says nothing for so long."""
    try:
        return str(pipe.recv()) if pipe.poll(seconds) else None
    except (EOFError, OSError):
        return None


def _waiting(pipe: Connection) -> list[str]:
    """Return all that was told until now."""
    told = []
    while (word := _next(pipe, 0.0)) is not None:
        told.append(word)
    return told


def _untimed(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: figure for name, figure in figures.items() if not name.endswith(("seconds", "per_second"))}
