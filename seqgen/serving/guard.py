"""The guard of the server: local names in Host alone, and headers that keep the page to itself."""

import re
from collections.abc import Callable, Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from seqgen.serving.limits import HEADERS
from seqgen.serving.refusals import Refusal

LOCAL = ("localhost", "127.0.0.1", "::1")
HOST = re.compile(r"(?:\[([0-9a-fA-F:.]+)\]|([\w.-]+))(?::\d{1,5})?", re.ASCII)
EVERYWHERE = {"0.0.0.0", "::"}  # bound to all addresses of a machine, and name none


class Guard:
    """The middleware that all requests pass.

    Another site may lead its visitors' browsers here under a name of its own (DNS rebinding), so that only names which
    the user knows are allowed.

    Args:
        app: answers requests.
        hosts: names that Host may have.
        policy: Content-Security-Policy of all answers.
        refused: returns the answer to a request that is refused.
    """

    def __init__(
        self, app: ASGIApp, hosts: Collection[str], policy: str, refused: Callable[[Request, Exception], Response]
    ):
        self.app, self.hosts, self.refused = app, hosts, refused
        self.headers = {
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cache-Control": "no-store",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self.headers)
            await send(message)

        if (refusal := self._refusal(scope)) is None:
            await self.app(scope, receive, send_guarded)
        else:
            await self.refused(Request(scope), refusal)(scope, receive, send_guarded)

    def _refusal(self, scope: Scope) -> Refusal | None:
        given = Headers(scope=scope)
        if sum(len(name) + len(value) for name, value in given.raw) > HEADERS:
            return Refusal(431, f"the headers must have at most {HEADERS:,} bytes, but they have more")
        host = given.get("host", "")
        if _name(host) in self.hosts:
            return None
        sentence = f"Host must be one of {', '.join(self.hosts)}, not {host!r}: --allowed_host allows another name"
        return Refusal(400, sentence)


def _name(host: str) -> str | None:
    found = HOST.fullmatch(host)
    return None if found is None else (found[1] or found[2]).lower()
