"""A pipe that an option names, opened without waiting for ever."""

import os
import stat
from threading import Thread
from typing import BinaryIO

from seqgen.errors import InputError

SECONDS = 5.0  # to wait for somebody who writes to a pipe


def open_pipe(name: str) -> BinaryIO:
    """Return the pipe of this name.

    Raises:
        InputError: it is a device or a socket, cannot be opened, or nobody writes to it.
    """
    if not stat.S_ISFIFO(os.stat(name).st_mode):
        raise InputError(f"data must be a file, a folder or a pipe, but {name} is a device or a socket")
    opened: list[BinaryIO | OSError] = []

    def wait() -> None:
        try:
            opened.append(open(name, "rb"))  # noqa: SIM115  (whoever asked for the pipe closes it)
        except OSError as error:
            opened.append(error)

    # A pipe opens when somebody opens its other end, and until then this cannot be interrupted but by leaving it.
    waiting = Thread(target=wait, daemon=True)
    waiting.start()
    waiting.join(SECONDS)
    if not opened:
        raise InputError(f"somebody must write to the pipe {name}, but after {SECONDS:.0f} seconds nobody does")
    if isinstance(opened[0], OSError):
        raise InputError(f"{name} cannot be read: {opened[0].strerror or opened[0]}")
    return opened[0]
