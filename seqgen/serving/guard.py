"""The guard of the server: local names in Host alone, and headers that keep the page to itself."""

from collections.abc import Callable, Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from seqgen.serving.refusals import Refusal

LOCAL = ("localhost", "127.0.0.1", "::1")
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

        given = Headers(scope=scope).get("host", "")
        if _name(given) in self.hosts:
            await self.app(scope, receive, send_guarded)
            return
        sentence = f"Host must be one of {', '.join(self.hosts)}, not {given!r}: --allowed_host allows another name"
        await self.refused(Request(scope), Refusal(400, sentence))(scope, receive, send_guarded)


def _name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:  # a bracket that is not closed
        return None
