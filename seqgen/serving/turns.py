"""The turns of requests at a model: one is answered, a few wait, and more are refused at once."""

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from seqgen.serving.limits import QUEUE
from seqgen.serving.refusals import Refusal

T = TypeVar("T")


class Turns:
    """The turns at a model, in the order in which requests came.

    A request that is cancelled while it waits frees its place; one that is answered keeps its turn until its thread has
    ended, because a model answers one at a time.
    """

    def __init__(self) -> None:
        self._one = CapacityLimiter(1)

    @property
    def waiting(self) -> int:
        """The number of requests that wait."""
        return self._one.statistics().tasks_waiting

    async def run(self, work: Callable[[], T]) -> T:
        """Return what a function returns that runs in a thread when it is its turn.

        Raises:
            Refusal: too many wait.
        """
        if self.waiting >= QUEUE:
            raise Refusal(
                503, f"{QUEUE} requests wait for this model already: try again in a moment", {"Retry-After": "1"}
            )
        return await to_thread.run_sync(work, limiter=self._one)
