"""Signals that stop training: the first one after the current update, the second one at once."""

import os
import signal
import time
from types import FrameType
from typing import Any

from seqgen.interruptions import SIGNALS, say_at_once

PASSED_ON = 2.0  # seconds within which `torchrun` sends once more the Ctrl-C that the terminal has sent to all


class StopSignals:
    """A context in which Ctrl-C and SIGTERM set `received`; at its end the earlier handlers are restored."""

    def __init__(self) -> None:
        self.received, self._at = False, 0.0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "StopSignals":
        self._before = {number: signal.signal(number, self._receive) for number in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self.received and "TORCHELASTIC_RUN_ID" in os.environ and time.monotonic() - self._at < PASSED_ON:
            return
        if self.received:
            before = self._before[number]
            if callable(before):  # of a command, or Python's own
                before(number, frame)
            raise KeyboardInterrupt  # at once; the last checkpoint is kept
        self.received, self._at = True, time.monotonic()
        say_at_once("\nstopping after this step; once more to stop at once")
