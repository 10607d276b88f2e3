"""The directory of a run."""

import json
import os
import time
from itertools import count
from pathlib import Path
from typing import Any

import yaml
from filelock import FileLock, Timeout

from seqgen.errors import InputError
from seqgen.files import UNFINISHED, read_options, sweep, write_text
from seqgen.runs.config import RunConfig
from seqgen.runs.initial_options import INITIAL
from seqgen.runs.option_kinds import anywhere
from seqgen.runs.records import Resumption, read_records

OF_ONE_RUN = ("output_dir", "resume", "config")
RESUMED = "resumed.jsonl"
LOCK = ".lock"
CONTENTS = ("config.yaml", "resolved.yaml", "metrics.jsonl", *INITIAL.values(), "model", "state", "results.json")


def run_directory(config: RunConfig) -> Path:
    """Return `--output_dir`, or a new directory under runs/ with the name of the recipe.

    Raises:
        InputError: the directory has another run or other files.
    """
    if config.output_dir is None:
        name = config.recipe
        candidates = (Path("runs") / (f"{name}-{number}" if number > 1 else name) for number in count(1))
        return next(path for path in candidates if not path.exists())
    directory = Path(config.output_dir)
    if config.output_dir != config.output_dir.encode(errors="replace").decode():
        raise InputError(f"--output_dir must be UTF-8, but {config.output_dir!r} is not: choose another name")
    _require_free(directory, resume=config.resume)
    # Where a path begins with a dash, a command to go on with would take it for an option.
    return directory.absolute() if str(directory).startswith("-") else directory


def claim(directory: Path, *, resume: bool) -> FileLock:
    """Return the lock of a directory, which is made where missing, and remove what killed writers have left in it.

    No other process can claim it until the lock is deleted, or this process ends in whatever way.

    Raises:
        InputError: another process has claimed it, or, unless a run is resumed, has left a run in it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    lock = FileLock(directory / LOCK, is_singleton=True, thread_local=False)  # one run may follow another in a process
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise InputError(
            f"--output_dir must not be in use, but another process runs in {directory}: choose another, or wait for "
            "its end"
        ) from None
    _require_free(directory, resume=resume)
    sweep(directory)
    return lock


def require_in_place(directory: Path) -> None:
    """Raise an InputError where the directory of a run was moved or deleted while the run is in it."""
    if not (directory / LOCK).exists():
        raise InputError(f"--output_dir must stay in its place while a run is in it, but {directory} has vanished")


def _require_free(directory: Path, *, resume: bool) -> None:
    if directory.exists() and not directory.is_dir():
        raise InputError(f"--output_dir must be a folder, but {directory} is a file")
    neither = (path for path in directory.rglob("*") if not (path.is_file() or path.is_dir()))
    if strange := next(filter(os.path.lexists, neither), None):  # not what another run has just put in its place
        raise InputError(f"{strange} must be a file or a folder, but it is a pipe, a device or a link to nothing")
    if any((directory / name).exists() for name in CONTENTS) and not (directory / "resolved.yaml").exists():
        raise InputError(
            f"--output_dir must be new or hold a whole run, but {directory} holds what is left of one, without "
            "resolved.yaml: choose another"
        )
    if not resume and any((directory / name).exists() for name in CONTENTS):
        raise InputError(
            f"--output_dir must not hold another run, but {directory} does: choose another, or add --resume"
        )
    # A writer that was killed may have left a file aside, also before there was a run.
    others = [] if resume or not directory.exists() else directory.iterdir()
    if any(path.name != LOCK and path.suffix != UNFINISHED for path in others):
        raise InputError(f"--output_dir must be new or empty, but {directory} holds other files")


def write_options(directory: Path, config: RunConfig, steps: int) -> None:
    """Write the given options to `config.yaml`, which can be used for other data, and all options to `resolved.yaml`.

    Either file, as --config, starts another run; a resumed run keeps the `config.yaml` of its first start, and records
    in `resumed.jsonl` after how many updates it was resumed, when, and with which other options.
    """
    if config.resume:
        _record(directory, config, steps)
    # First what a run needs to be resumed, so that it can be, whenever it is killed.
    for name, options in (("resolved.yaml", anywhere(config.resolved())), ("config.yaml", anywhere(config.asked))):
        kept = {option: value for option, value in options.items() if option not in OF_ONE_RUN}
        if name == "resolved.yaml" or not config.resume or not (directory / name).exists():
            write_text(directory / name, yaml.safe_dump(kept, sort_keys=False))


def _record(directory: Path, config: RunConfig, steps: int) -> None:
    before = read_options(directory / "resolved.yaml")
    now = anywhere(config.resolved())
    changed = {name: [before[name], now[name]] for name in now if name in before and before[name] != now[name]}
    line = {"step": steps, "time": time.strftime("%Y-%m-%d %H:%M:%S"), "changed": changed}
    lines = "".join(json.dumps(one) + "\n" for one in [*read_resumptions(directory), line])
    write_text(directory / RESUMED, lines)


def read_resumptions(directory: Path) -> list[dict[str, Any]]:
    """Return when a run was resumed, and which options changed, as [before, now], but for lines that are damaged."""
    return read_records(directory / RESUMED, Resumption)
