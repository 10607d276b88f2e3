"""The connections of the server: so many at a time, and none for long without a request."""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

MOST = 256  # connections; 1,024 open files are a usual limit of a process
SILENT = 10  # seconds without a whole request's headers


class Connection(H11Protocol):
    """A connection that is closed where there are too many, or where it keeps its place without asking anything."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, or close at once."""
        super().connection_made(transport)
        self._last: RequestResponseCycle | None = None
        self._check: asyncio.TimerHandle | None = None
        if len(self.connections) > MOST:
            transport.abort()
        else:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        if self._check is not None:
            self._check.cancel()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._last, self._check = self.cycle, self.loop.call_later(SILENT, self._close_if_silent)

    def _close_if_silent(self) -> None:
        answered = self.cycle is None or self.cycle.response_complete
        if answered and self.cycle is self._last:
            self.transport.abort()
        else:
            self._wait()
