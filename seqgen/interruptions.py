"""Interruptions of a command by Ctrl-C and SIGTERM: files are closed, and one sentence says how to go on."""

import os
import signal
import sys
import threading
from contextlib import suppress
from typing import Any, NoReturn

SIGNALS = (signal.SIGINT, signal.SIGTERM)
INTERRUPTED = "interrupted"


class Interruptions:
    """The signals that a command received; `sentence` is what it says when they end it."""

    def __init__(self) -> None:
        self.received, self.sentence = False, INTERRUPTED

    def interrupt(self, *_: Any) -> NoReturn:
        """Raise KeyboardInterrupt, so that files are closed and removed; the second time, end at once."""
        if self.received:
            self.end()
        self.received = True
        raise KeyboardInterrupt

    def end(self, *_: Any) -> NoReturn:
        """End this process at once."""
        say_at_once(self.sentence)
        os._exit(130)


interruptions = Interruptions()


def speaks() -> bool:
    """Return whether this process tells of a signal: of those that `torchrun` started on this machine the first one."""
    return os.environ.get("LOCAL_RANK", "0") == "0"


def handle(handler: Any) -> None:
    """Let this function, or that of `signal`, handle all signals that interrupt a command."""
    if threading.current_thread() is threading.main_thread():  # no other thread may
        for number in SIGNALS:
            signal.signal(number, handler)


def say_at_once(sentence: str) -> None:
    """Write a line to stderr, also while something else is written to it, which `print` does not allow."""
    if not speaks():
        return
    number = 2
    with suppress(AttributeError, OSError, ValueError):  # there is none, or it is no file
        number = sys.stderr.fileno()
    with suppress(OSError):
        os.write(number, f"{sentence}\n".encode())
