"""The server: a socket that is bound before models are loaded, and answers until it is interrupted."""

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from seqgen.errors import InputError
from seqgen.serving.connections import Connection


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the command, which ends at once: nothing is left to be saved."""
        yield


def bound(host: str, port: int) -> socket.socket:
    """Return a socket that listens at an address; at port 0, at a port that is free.

    Raises:
        InputError: there is no such address, or its port is in use or reserved.
    """
    if not 0 <= port <= 65535:
        raise InputError(f"--port must be from 0 to 65535, not {port}")
    try:
        [family, *_], *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise InputError(f"--host must be an address of this machine, such as 127.0.0.1, not {host!r}") from None
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        if error.errno == errno.EADDRNOTAVAIL:
            raise InputError(f"--host must be an address of this machine, such as 127.0.0.1, not {host!r}") from None
        reason = (error.strerror or str(error)).lower()
        raise InputError(
            f"--port {port} of {host} must be free, but it is not ({reason}): try --port {port + 1}"
        ) from None


def address(listening: socket.socket) -> str:
    """Return the address to open in a browser on this machine."""
    host, port = listening.getsockname()[:2]
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://{f'[{name}]' if ':' in name else name}:{port}"


def new_server(app: ASGIApp) -> uvicorn.Server:
    """Return a server of an application, which leaves signals to whoever runs it."""
    config = uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_keep_alive=10,
    )
    return _Server(config)
