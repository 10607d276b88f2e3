"""Signals that stop training: the first one after the current update, the second one at once."""

import os
import signal
import time
from types import FrameType
from typing import Any

from seqgen.interruptions import SIGNALS, say_at_once

PARENT = "SEQGEN_PARENT"  # environment variable of a member of an ensemble: the process that started it
PASSED_ON = 2.0  # seconds within which `torchrun` sends once more the Ctrl-C that the terminal has sent to all


class StopSignals:
    """A context in which Ctrl-C and SIGTERM set `received`; at its end the earlier handlers are restored.

    In a member of an ensemble the end of the process that started it is such a signal, too.
    """

    def __init__(self) -> None:
        self._signalled, self._at = False, 0.0
        self._parent = int(os.environ.get(PARENT, 0))
        self._before: dict[int, Any] = {}

    @property
    def received(self) -> bool:
        """The request to stop after the current update: True once there was one."""
        return self._signalled or self._parent not in (0, os.getppid())

    def __enter__(self) -> "StopSignals":
        self._before = {number: signal.signal(number, self._receive) for number in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self._signalled and "TORCHELASTIC_RUN_ID" in os.environ and time.monotonic() - self._at < PASSED_ON:
            return
        if self._signalled:
            before = self._before[number]
            if callable(before):  # of a command, or Python's own
                before(number, frame)
            raise KeyboardInterrupt  # at once; the last checkpoint is kept
        self._signalled, self._at = True, time.monotonic()
        say_at_once("\nstopping after this step; once more to stop at once")
