"""Decisions by measurement: which of several ways to calculate the same is fastest here, found once and kept."""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import torch

from seqgen.errors import InputError
from seqgen.files import cache_directory, writing
from seqgen.hardware.devices import describe_device, unchanged_random_state, wait_for

Operation = Callable[[], object]

TURN = 0.004  # seconds of a candidate's turn, or one call where that takes longer
TURNS = 8
MOST = 3600.0  # seconds of a call, more than which nothing can have taken that was kept
LONGEST = 3.0  # seconds after which candidates that were called get no further turn
FAIR = 3  # turns until a candidate may be hopeless: other programs interrupt any of them
GRACE = 0.1  # seconds of a call that gets so many turns in any case, because it may have been interrupted
HOPELESS = 2.0  # times as long as the fastest: such a candidate gets no further turn
ALONE = 0.8  # fraction of the processor's time that a program gets where no other one needs it
BUSY = "measured while other programs ran: seqgen doctor --measure_again when they have ended"
CLEARLY = 0.97  # fraction of the first candidate's time that another must not exceed, to be chosen instead


class Decision(NamedTuple):
    """The fastest of several ways to calculate the same.

    `seconds` has the time of the fastest call of each candidate; candidates that the device does not support, or after
    whose predecessors there was no time, are missing. `busy` is True where other programs ran at that time.
    """

    question: str
    choice: str
    seconds: dict[str, float]
    busy: bool = False

    @property
    def fastest(self) -> float:
        """The seconds of the choice."""
        return self.seconds[self.choice]

    def __str__(self) -> str:
        """The times of all candidates in milliseconds, the fastest first."""
        ordered = sorted(self.seconds.items(), key=lambda item: item[1])
        times = "; ".join(f"{name} {milliseconds(seconds)}" for name, seconds in ordered)
        return times + f", {BUSY}" * self.busy


def milliseconds(seconds: float) -> str:
    """Return a time in milliseconds, as text."""
    return f"{1000 * seconds:,.0f} ms" if seconds >= 0.1 else f"{1000 * seconds:.3g} ms"


def decide(
    question: str,
    candidates: Mapping[str, Callable[[], Operation]],
    device: torch.device,
    handicaps: Mapping[str, float] = MappingProxyType({}),
) -> Decision:
    """Return the decision of this machine: as it was kept in the cache or, the first time, by measurement.

    Candidates take turns and the fastest call of each counts, so that other load on the machine has little influence.
    The first candidate is preferred where no other is clearly faster.

    Args:
        question: what is to be calculated; together with device, threads and torch's version it names the decision.
        candidates: by name, functions that prepare an operation, which may change the number of threads. Both raise a
            RuntimeError where the device does not support them.
        device: that the operations run on.
        handicaps: factors of the times of some candidates, which must be faster by more than that to be chosen.

    Raises:
        RuntimeError: the device supports no candidate.
        InputError: the GPU's memory is too small for all of them.
    """
    threads = torch.get_num_threads()
    path = _path(question, tuple(candidates), device)
    decision = _KNOWN.get(path) or _read(path, question)
    if decision is None or decision.choice not in candidates:
        try:
            with unchanged_random_state(device):
                decision = _keep(path, _measured(question, candidates, device, handicaps))
        finally:
            torch.set_num_threads(threads)
    _KNOWN[path] = decision
    for notes in _NOTES:
        notes.append(decision)
    return decision


def decisions(device: torch.device) -> list[Decision]:
    """Return all decisions that are kept for this device, in the order of their questions."""
    found = (_read(path) for path in kept_in(device).glob("*.json"))
    return sorted((each for each in found if each is not None), key=lambda each: each.question)


def kept_in(device: torch.device) -> Path:
    """Return the folder of the decisions for this device, which nothing can be written to without a cache."""
    try:
        home = cache_directory()
    except OSError:
        home = Path(os.devnull)  # below which nothing can be read or written
    return home / "decisions" / _fingerprint(str(device), torch.get_num_threads())


def forget(device: torch.device) -> int:
    """Delete all decisions that are kept for this device, so that they are made anew; return their number."""
    directory = kept_in(device)
    kept = list(directory.glob("*.json"))
    for path in kept:
        path.unlink(missing_ok=True)
    for path in [path for path in _KNOWN if path.parent == directory]:
        del _KNOWN[path]
    return len(kept)


@contextmanager
def noted() -> Iterator[list[Decision]]:
    """Return a list to which each decision is added that is asked for within the context, made now or long ago."""
    notes: list[Decision] = []
    _NOTES.append(notes)
    try:
        yield notes
    finally:
        _NOTES.remove(notes)


_KNOWN: dict[Path, Decision] = {}  # of this process
_NOTES: list[list[Decision]] = []  # that are being taken


def _measured(
    question: str,
    candidates: Mapping[str, Callable[[], Operation]],
    device: torch.device,
    handicaps: Mapping[str, float],
) -> Decision:
    busy, began = _others_calculate(device), time.perf_counter()
    operations: dict[str, Operation] = {}
    seconds: dict[str, float] = {}
    full = False
    for name, prepare in candidates.items():
        try:
            operation = prepare()
            seconds[name] = _call(operation, device)  # the slowest, which lays out what later calls find
            operations[name] = operation
        except torch.OutOfMemoryError:
            full = True
        except (AttributeError, NotImplementedError, RuntimeError):
            continue
        if len(seconds) > 1 and time.perf_counter() - began > 2 * LONGEST:
            break
    if full and not seconds:
        raise InputError(f"{question} must fit the memory of {device}, but it does not: choose smaller sizes")
    if not seconds:
        raise RuntimeError(f"{question}: {device} supports none of {', '.join(candidates)}")
    for turn in range(TURNS):
        limit = (HOPELESS if turn >= FAIR else 5 * HOPELESS) * min(seconds.values())
        hopeful = [name for name in operations if seconds[name] <= max(limit, GRACE * (turn < FAIR))]
        if turn and (len(hopeful) == 1 or time.perf_counter() - began > LONGEST):
            break
        for name in hopeful:
            seconds[name] = min(seconds[name], _turn(operations[name], device))
    costs = {name: taken * handicaps.get(name, 1.0) for name, taken in seconds.items()}
    first, fastest = next(iter(costs)), min(costs, key=lambda name: costs[name])
    choice = fastest if costs[fastest] <= CLEARLY * costs[first] else first
    return Decision(question, choice, seconds, busy)


def _others_calculate(device: torch.device) -> bool:
    """Return whether other programs keep products from the time of all threads of the processor."""
    if device.type != "cpu":
        return False
    matrix = torch.ones(512, 512)
    wall, own = time.perf_counter(), time.process_time()
    for _ in range(10):
        matrix @ matrix
    return time.process_time() - own < ALONE * torch.get_num_threads() * (time.perf_counter() - wall)


def _turn(operation: Operation, device: torch.device) -> float:
    """Return the seconds of the fastest call of one turn, which nothing interrupted."""
    taken: list[float] = []
    while sum(taken) < TURN:
        taken.append(_call(operation, device))
    return min(taken)


def _call(operation: Operation, device: torch.device) -> float:
    began = time.perf_counter()
    operation()
    wait_for(device)
    return time.perf_counter() - began


def _path(question: str, candidates: tuple[str, ...], device: torch.device) -> Path:
    """Return the file of a decision."""
    name = sha256(json.dumps([question, candidates]).encode()).hexdigest()[:16]
    return kept_in(device) / f"{name}.json"


@cache
def _fingerprint(device: str, threads: int) -> str:
    described = json.dumps(describe_device(torch.device(device)), sort_keys=True)
    return sha256(described.encode()).hexdigest()[:16]


def _keep(path: Path, decision: Decision) -> Decision:
    """Write a decision, unless another process wrote one in the meantime; return the one that is kept."""
    with suppress(OSError):  # without a cache, a decision holds for this process
        if path.exists() and _read(path, decision.question) is None:
            path.unlink()
        with writing(path, replace=False) as file:
            file.write(json.dumps(decision._asdict()).encode())
    return _read(path, decision.question) or decision


def _read(path: Path, question: str | None = None) -> Decision | None:
    """Return the decision that is kept of a question, by default of any; None where there is none or it is damaged."""
    try:
        decision = Decision(**json.loads(path.read_bytes())) if path.is_file() else None
        return decision if decision and _is_possible(decision) and question in (None, decision.question) else None
    except (OSError, ValueError, TypeError, RecursionError):
        return None


def _is_possible(decision: Decision) -> bool:
    return (
        isinstance(decision.question, str)
        and isinstance(decision.busy, bool)
        and isinstance(decision.seconds, dict)
        and all(type(time) is float and 0 < time < MOST for time in decision.seconds.values())
        and decision.choice in decision.seconds
    )
