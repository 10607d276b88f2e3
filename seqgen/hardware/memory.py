"""The memory of this machine, and the refusal, in one sentence, of what would not fit it."""

from contextlib import suppress
from pathlib import Path

import psutil

from seqgen.errors import InputError

FLOAT = 4  # bytes of a number
CONTAINER = Path("/sys/fs/cgroup/memory.max")  # the limit of a container, where there is one


def available_memory() -> int:
    """Return the bytes of memory that are available."""
    available: int = psutil.virtual_memory().available
    with suppress(OSError, ValueError):
        available = min(available, int(CONTAINER.read_text()))
    return available


def require_memory(needed: int, of: str, available: int | None = None) -> None:
    """Raise an InputError where something would not fit the memory.

    Args:
        needed: bytes that it takes at least.
        of: what it is, the beginning of the sentence.
        available: bytes that there are for it; by default those that are available now.
    """
    available = available_memory() if available is None else available
    if needed > available:
        raise InputError(
            f"{of} must fit the memory, but it takes at least {_gigabytes(needed)} and there are "
            f"{_gigabytes(available)}: choose smaller sizes"
        )


def _gigabytes(number: int) -> str:
    tenths = number // 10**8  # in whole numbers: a size may be larger than any float
    return f"{tenths // 10:,}.{tenths % 10} GB"
