"""The bodies and the queries of requests, read within limits as the named arguments of a function."""

import json
from typing import Any, NamedTuple, NoReturn

import PIL.Image
from anyio import fail_after
from starlette.requests import ClientDisconnect, Request

from seqgen.data.images import read_image
from seqgen.errors import InputError
from seqgen.serving.limits import BODY, FORMATS, IMAGE, SECONDS, TOGETHER
from seqgen.serving.refusals import Refusal


class ImageFile(NamedTuple):
    """The bytes of an image file, and its format by Pillow's name."""

    data: bytes
    format: str

    def read(self) -> PIL.Image.Image:
        """Return the image, which is decoded only where it has this format and not too many pixels."""
        return read_image(self.data, (self.format,))


async def read_json(request: Request) -> dict[str, Any]:
    """Return the JSON object that a request brings.

    Raises:
        InputError: it is none, or no other program could read it, too: NaN, a name twice, half a surrogate.
        Refusal: it is too large, too slow, compressed, or of another type.
    """
    require_type(request, {"application/json"})
    for name in request.query_params:
        raise InputError(f"options must be in the body, but {name!r} is in the query")
    data = await read_bytes(request, BODY)
    try:
        found = json.loads(data.decode("utf-8"), parse_constant=_no_number, object_pairs_hook=_each_once)
        json.dumps(found, ensure_ascii=False).encode("utf-8")
    except RecursionError:
        raise InputError("the body must be JSON that is not nested as deeply as this") from None
    except InputError:
        raise
    except ValueError as error:
        raise InputError(f"the body must be JSON in UTF-8, but it is not: {error}") from None
    if not isinstance(found, dict):
        raise InputError(f"the body must be a JSON object, not {type(found).__name__}")
    return found


async def read_image_file(request: Request) -> ImageFile:
    """Return the image that is the body of a request.

    Raises:
        InputError: there is none.
        Refusal: it is too large, too slow, compressed, or of another type.
    """
    kind = require_type(request, set(FORMATS))
    data = await read_bytes(request, IMAGE)
    if not data:
        raise InputError("the body must be an image, but it is empty")
    return ImageFile(data, FORMATS[kind])


async def read_bytes(request: Request, most: int) -> bytes:
    """Return the body of a request, counted while it is read, an image together with those of other requests."""
    if encoding := request.headers.get("content-encoding"):
        raise Refusal(415, f"the body must be sent as it is, without Content-Encoding, not with {encoding!r}")
    chunks, size, state = list[bytes](), 0, request.app.state
    try:
        with fail_after(SECONDS):
            async for chunk in request.stream():
                size += len(chunk)
                state.reading += len(chunk) * (most == IMAGE)
                if size > most:
                    raise Refusal(413, f"the body must have at most {most:,} bytes, but it has more")
                if state.reading > TOGETHER:
                    sentence = "other requests bring as much as there is memory for: try again in a moment"
                    raise Refusal(503, sentence, {"Retry-After": "1"})
                chunks.append(chunk)
    except TimeoutError:
        raise Refusal(408, f"the body must be there within {SECONDS} seconds, but it is not") from None
    except ClientDisconnect:
        raise Refusal(400, "the body must be whole, but the client has gone") from None
    finally:
        state.reading -= size * (most == IMAGE)
    return b"".join(chunks)


def require_type(request: Request, kinds: set[str]) -> str:
    """Return the type of a body, which is one of these: none that another site's form could send unasked."""
    given = request.headers.get("content-type", "")
    kind = given.partition(";")[0].strip().lower()
    if kind not in kinds:
        raise Refusal(415, f"Content-Type must be {' or '.join(sorted(kinds))}, not {given!r}")
    return kind


def read_query(request: Request) -> dict[str, Any]:
    """Return the arguments in a query, numbers and truth values as such; the name of a model is always a text.

    Raises:
        InputError: a name is there twice.
    """
    found = _each_once(request.query_params.multi_items())
    return {name: text if name == "model" else _value(text) for name, text in found.items()}


def _value(text: str) -> Any:
    try:
        value = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, int | float) else text


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise InputError(f"{name!r} must be given once, not twice")
        found[name] = value
    return found


def _no_number(word: str) -> NoReturn:
    raise InputError(f"a number must be finite, not {word}")
