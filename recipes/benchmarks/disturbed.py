"""A run of a recipe that is disturbed: on a slow, full, read-only or vanishing disk, or by a clock that jumps."""

import builtins
import errno
import io
import os
import random
import re
import runpy
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

Kind = Literal["none", "slow", "full", "read-only", "vanishing", "clock"]

DELAY = 0.02  # seconds that a slow disk takes for an operation
ERRORS = {"full": errno.ENOSPC, "read-only": errno.EROFS}
WRITING = frozenset({"open", "write", "fsync", "replace", "rename", "link", "mkdir"})
FAILING = {"full": WRITING, "read-only": WRITING | {"unlink", "chmod"}, "vanishing": WRITING - {"write", "fsync"}}
TYPICAL = {"full": {"write"}, "read-only": {"open"}, "vanishing": {"open"}}  # operations that show it first
HOUR, CHANCE = 3600.0, 0.02  # of a jump, and its probability whenever somebody looks at the clock


@dataclass(frozen=True)
class Disturbance:
    """Disturbance of a run.

    Args:
        kind: of the disk, or "clock"; "none" lets it run.
        struck: operations that succeed, because an earlier run was disturbed in them; the first other one fails, and
            all after it.
        everywhere: whether any operation can be the first that fails; else typical ones, of which each file has one.
        seed: random seed of the moments when the clock jumps.
    """

    kind: Kind = "none"
    struck: frozenset[str] = frozenset()
    everywhere: bool = True
    seed: int = 0


class Disk:
    """A disk in trouble: every operation that changes a file in a folder goes through `before`.

    Args:
        folder: with the run and its cache.
        disturbance: of the run.
        tell: is told the name of an operation, on a slow disk of each that saves something, else of that which fails.
    """

    def __init__(self, folder: Path, disturbance: Disturbance, tell: Callable[[str], None]):
        self.folder, self.disturbance, self.tell, self.failing = folder, disturbance, tell, False

    def before(self, operation: str, path: Any, partly: Callable[[], object] = lambda: None) -> None:
        """Wait, fail, or let an operation happen.

        Args:
            operation: its name.
            path: of the file, or its descriptor.
            partly: what is done of it where it fails, or at first where it is slow.
        """
        name = os.readlink(f"/proc/self/fd/{path}") if isinstance(path, int) else os.fsdecode(path)
        file = Path(os.path.abspath(name))
        if not file.is_relative_to(self.folder):
            return
        kind, name = self.disturbance.kind, f"{operation} {_kind_of_file(file.relative_to(self.folder))}"
        if kind == "slow" and re.search("run/(state|model)/", name):
            self.tell(name)
            time.sleep(DELAY)
        elif kind in FAILING and (operation in FAILING[kind] if self.failing else self._begins_with(operation, name)):
            if not self.failing:
                self.failing = True
                self.tell(name)
                partly()
                if kind == "vanishing":
                    shutil.rmtree(self.folder / "run", ignore_errors=True)
            if kind in ERRORS:
                named = () if isinstance(path, int) else (path,)
                raise OSError(ERRORS[kind], os.strerror(ERRORS[kind]), *named)

    def _begins_with(self, operation: str, name: str) -> bool:
        """Return whether an operation is the first that fails; only the folder of the run vanishes."""
        kind = self.disturbance.kind
        possible = operation in (FAILING if self.disturbance.everywhere else TYPICAL)[kind]
        return possible and name not in self.disturbance.struck and (kind != "vanishing" or " run" in name)

    def install(self) -> None:
        """Let everything in this process use this disk."""
        disk, opened = self, io.open

        class Raw(io.FileIO):
            def write(self, content: Any) -> int:
                half = memoryview(content)[: len(content) // 2]
                disk.before("write", self.fileno(), lambda: super(Raw, self).write(half))
                return super().write(content)

        def open_file(file: Any, mode: str = "r", buffering: int = -1, *text: Any, **options: Any) -> Any:
            if not set(mode) & set("wax+"):
                return opened(file, mode, buffering, *text, **options)
            if not isinstance(file, int):
                disk.before("open", file)
            raw = Raw(file, mode.replace("b", "").replace("t", ""), *text[3:], **_of_files(options))
            if buffering == 0:
                return raw
            buffered = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
            return buffered if "b" in mode else io.TextIOWrapper(buffered, *text[:3], **_of_text(options))

        builtins.open = io.open = open_file  # type: ignore[assignment]
        os_open = os.open

        def open_descriptor(path: Any, flags: int, *mode: Any, **options: Any) -> int:
            if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                disk.before("open", path)
            return os_open(path, flags, *mode, **options)

        os.open = open_descriptor
        for name in ("fsync", "replace", "rename", "link", "mkdir", "unlink", "chmod"):
            setattr(os, name, self._watched(name, getattr(os, name)))

    def _watched(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            self.before(name, arguments[-1] if name in ("replace", "rename", "link") else arguments[0])
            return function(*arguments, **options)

        return call


def jump(seed: int) -> None:
    """Let the clock of this process jump by an hour at random: in both directions, or as if the machine had slept."""
    moments, ahead = random.Random(seed), {"time": 0.0, "monotonic": 0.0, "perf_counter": 0.0}

    def jumping(name: str, now: Callable[[], float]) -> Callable[[], float]:
        def look() -> float:
            if moments.random() < CHANCE:
                ahead[name] += moments.choice([HOUR, -HOUR] if name == "time" else [HOUR])
            return now() + ahead[name]

        return look

    for name in ahead:
        setattr(time, name, jumping(name, getattr(time, name)))


def run(
    script: Path, words: list[str], log: Path, environment: dict[str, str], how: Disturbance, pipe: Connection
) -> None:
    """Run a recipe in this process, with a checkpoint after every update.

    Args:
        script: of the recipe.
        words: its options.
        log: file for what it prints; the folder of this file has the run and its cache.
        environment: variables that are set.
        how: disturbance.
        pipe: gets the names of operations that fail or are slow.
    """
    from matplotlib.figure import Figure

    from seqgen.hardware import decisions
    from seqgen.runs import training

    os.environ.update(environment)
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.stdout, sys.stderr = (io.TextIOWrapper(io.FileIO(number, "w"), write_through=True) for number in (1, 2))
    training.SAVE_EVERY = 0.0
    # Which way is fastest differs by chance, and with it the rounding of captions; nor does it matter how curves look.
    decisions._measured = _undecided
    Figure.savefig = lambda self, file, **options: file.write(b"drawn")  # type: ignore[method-assign]
    if how.kind == "clock":
        jump(how.seed)
    elif how.kind != "none":
        Disk(log.parent, how, pipe.send).install()
    sys.argv = [str(script), *words]
    runpy.run_path(str(script), run_name="__main__")


def _undecided(question: str, candidates: Mapping[str, Any], device: Any, handicaps: Any) -> Any:
    from seqgen.hardware.decisions import Decision

    first = next(iter(candidates))
    return Decision(question, first, {first: 0.01})


def _kind_of_file(path: Path) -> str:
    """Return the name of a file without numbers, hashes and what makes it unique."""
    aside = re.sub(r"/\.([^/]+)\.\w{8}\.unfinished$", r"/\1", str(path))
    return re.sub(r"[0-9a-f]{16,}|\d+", "#", re.sub(r"(tfevents).*", r"\1", aside))


def _of_files(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name in ("closefd", "opener")}


def _of_text(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name in ("encoding", "errors", "newline")}
