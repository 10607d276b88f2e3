"""The answer to a request: made in a thread when it is the request's turn, and stopped when the client has gone."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from time import monotonic
from typing import Any, NamedTuple, TypeVar

from anyio import CancelScope, create_memory_object_stream, create_task_group, from_thread
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from seqgen.errors import InputError
from seqgen.serving.turns import Turns

T = TypeVar("T")

GATHERED = 0.03  # seconds of what is sent as one chunk


class Stream(NamedTuple):
    """An answer that is sent while it is made: its chunks, of this type, and the chunk that says why it broke off."""

    media_type: str
    chunks: Iterator[str]
    broken: Callable[[str], str]


def to_json(data: Any) -> str:
    """Return plain data as one line of JSON.

    Raises:
        InputError: a number that is not finite, as huge options make of scores.
    """
    try:
        return json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError:
        raise InputError("options must leave scores finite, but some are not: choose smaller ones") from None


def stoppable(tokens: Iterator[T]) -> Iterator[T]:
    """Yield the same tokens until the client has gone; they are closed in the thread that makes them."""
    with closing(tokens):  # type: ignore[type-var]  # generators, which can be closed
        for token in tokens:
            from_thread.check_cancelled()
            yield token


def gathered(tokens: Iterator[T]) -> Iterator[list[T]]:
    """Yield lists of what comes together, the first token at once."""
    waiting: list[T] = []
    sent = 0.0
    for token in stoppable(tokens):
        waiting.append(token)
        if (now := monotonic()) - sent >= GATHERED:
            yield waiting
            waiting, sent = [], now
    if waiting:
        yield waiting


class Answer:
    """The answer that a function makes in a thread: plain data, or a stream.

    A stream does not wait for a slow client: chunks are kept for it, and the model is free for the next request.

    Args:
        turns: at the model.
        work: makes the answer.
    """

    def __init__(self, turns: Turns, work: Callable[[], dict[str, Any] | Stream]):
        self.turns, self.work = turns, work
        self.whole: Response | None = None
        self.refusal: InputError | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer.

        Raises:
            InputError: nothing was sent yet, and the request is refused.
        """
        writer, chunks = create_memory_object_stream[tuple[str, str]](float("inf"))
        with writer, chunks:
            async with create_task_group() as group:
                group.start_soon(_cancel_when_gone, receive, group.cancel_scope)
                group.start_soon(self._make, writer)
                await _send(chunks, send)
                group.cancel_scope.cancel()
        if self.refusal is not None:
            raise self.refusal
        if self.whole is not None:
            await self.whole(scope, receive, send)

    async def _make(self, writer: MemoryObjectSendStream[tuple[str, str]]) -> None:
        with writer:
            try:
                await self.turns.run(lambda: self._work(lambda *chunk: from_thread.run_sync(writer.send_nowait, chunk)))
            except InputError as error:
                self.refusal = error

    def _work(self, put: Callable[[str, str], None]) -> None:
        made = self.work()
        if not isinstance(made, Stream):
            self.whole = Response(to_json(made), media_type="application/json")
            return
        begun = False
        try:
            for chunk in made.chunks:
                put(made.media_type, chunk)
                begun = True
        except InputError as error:
            if not begun:
                raise
            put(made.media_type, made.broken(str(error)))


async def _cancel_when_gone(receive: Receive, scope: CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


async def _send(chunks: MemoryObjectReceiveStream[tuple[str, str]], send: Send) -> None:
    begun = False
    async for media_type, text in chunks:
        if not begun:
            headers = [(b"content-type", media_type.encode())]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            begun = True
        await send({"type": "http.response.body", "body": text.encode(), "more_body": True})
    if begun:
        await send({"type": "http.response.body", "body": b"", "more_body": False})
