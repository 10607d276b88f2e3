"""Stopping a training from outside: the first signal asks for it, the second does it at once."""

import signal
import sys
from types import FrameType
from typing import Any


class StopSignals:
    """Within its context, Ctrl-C and SIGTERM set `received`; the handlers from before come back at its end."""

    NUMBERS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self.received = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "StopSignals":
        self._before = {number: signal.signal(number, self._receive) for number in self.NUMBERS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self.received:
            raise KeyboardInterrupt  # at once, and the last checkpoint stands
        self.received = True
        print("\nstopping after this step; once more to stop at once", file=sys.stderr)
