"""The precision and the number of threads of calculations: as asked for, or the fastest of those that there are."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import NamedTuple

import torch
from torch import nn

from seqgen.errors import InputError, counted
from seqgen.hardware.decisions import Decision, Operation, decide
from seqgen.hardware.devices import unchanged_random_state
from seqgen.hardware.names import Precision as Precision

SMALL_PRODUCTS = "small products"  # the question by which emulated bf16 is found
EMULATED = 4.0  # times as long as in fp32: bf16 products that are so slow are never worth an experiment
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


class Calculation(NamedTuple):
    """A way to calculate: "fp32" or "bf16" matrix products, and the number of the processor's threads."""

    precision: str
    threads: int

    def __str__(self) -> str:
        return f"{self.precision}, {counted(self.threads, 'thread')}"

    def autocast(self, device: torch.device) -> AbstractContextManager[None]:
        """Return a context in which matrix products have this precision."""
        return torch.autocast(device.type, torch.bfloat16, enabled=self.precision == "bf16")

    @contextmanager
    def applied(self, device: torch.device) -> Iterator[None]:
        """Calculate in this precision, with these threads, within the context."""
        with using_threads(self.threads), self.autocast(device):
            yield


@contextmanager
def using_threads(count: int) -> Iterator[None]:
    """Use this number of threads within the context."""
    before = torch.get_num_threads()
    set_threads(count)
    try:
        yield
    finally:
        set_threads(before)


def possible_precisions(precision: str, device: torch.device) -> list[str]:
    """Return the precision that is asked for or, for "auto", those that may be the fastest."""
    return [precision] if precision != "auto" else ["fp32", "bf16"] if is_worth_trying(device) else ["fp32"]


def possible_threads(device: torch.device) -> list[int]:
    """Return the numbers of threads that may be the fastest: what torch uses, and the powers of two below that."""
    most = torch.get_num_threads()
    return [most] + [
        2**power for power in reversed(range(most.bit_length())) if 2**power < most and device.type == "cpu"
    ]


def handicap(threads: int) -> float:
    """Return the factor by which a calculation with fewer threads than torch uses must be faster to be chosen.

    Other programs slow several threads down more than a single one, but seldom for as long as a decision holds.
    """
    return 1.0 if threads == torch.get_num_threads() else 1.15


def calculations(device: torch.device, precision: str = "auto", threads: int | None = None) -> list[Calculation]:
    """Return the calculations to choose from; the first one is that of a device about which nothing is known.

    Args:
        device: the device.
        precision: "fp32", "bf16", or "auto" for either.
        threads: their number; by default as `possible_threads` has them.

    Raises:
        InputError: bf16 is asked for, but the device has no LSTM in bf16; or there are more threads than processors.
    """
    if precision == "bf16" and not has_bf16(device):
        raise InputError(f"precision must be fp32 or auto on {device}, which has no LSTM in bf16 here, not bf16")
    if threads is not None and threads > (os.cpu_count() or threads):
        raise InputError(f"threads must be at most {os.cpu_count()}, the processors here, not {threads}")
    counts = possible_threads(device) if threads is None else [threads]
    return [Calculation(name, count) for count in counts for name in possible_precisions(precision, device)]


def fastest_calculation(
    question: str,
    operation: Operation,
    device: torch.device,
    precision: str = "auto",
    threads: int | None = None,
) -> tuple[Calculation, Decision]:
    """Return how an operation is calculated fastest, and the decision with the times.

    Args:
        question: what the operation calculates, as `decide` takes it.
        operation: the operation itself.
        device: that it runs on.
        precision: as `calculations` takes it.
        threads: as `calculations` takes it.

    Raises:
        InputError: as in `calculations`.
    """
    possible = {str(each): each for each in calculations(device, precision, threads)}

    def calculate(way: Calculation) -> None:
        set_threads(way.threads)
        with way.autocast(device):
            operation()

    candidates: dict[str, Callable[[], Operation]] = {
        name: partial(partial, calculate, way) for name, way in possible.items()
    }
    decision = decide(question, candidates, device, {name: handicap(way.threads) for name, way in possible.items()})
    return possible[decision.choice], decision


def set_threads(count: int) -> None:
    """Set the number of threads, if it is another one: each change makes OpenMP start its threads again."""
    if torch.get_num_threads() != count:
        torch.set_num_threads(count)


def has_bf16(device: torch.device) -> bool:
    """Return whether a device has an LSTM in bf16: some processors have matrix products only."""
    try:
        with torch.autocast(device.type, torch.bfloat16), torch.no_grad(), unchanged_random_state(device):
            nn.LSTM(1, 1).to(device)(torch.zeros(1, 1, 1, device=device))
    except RuntimeError:
        return False
    return True


def is_worth_trying(device: torch.device) -> bool:
    """Return whether bf16 is no emulation, of which a single training step may take minutes."""

    def product(dtype: torch.dtype) -> Operation:
        if dtype == torch.bfloat16 and not has_bf16(device):  # tried once, as the decision is kept
            raise RuntimeError
        matrix = torch.ones(128, 128, dtype=dtype, device=device)
        return lambda: matrix @ matrix

    seconds = decide(SMALL_PRODUCTS, {name: partial(product, dtype) for name, dtype in DTYPES.items()}, device).seconds
    return seconds.get("bf16", float("inf")) < EMULATED * seconds["fp32"]
