"""The application: addresses, what answers each of them for each kind of model, and how errors are answered."""

from collections.abc import Callable, Collection, Sequence
from functools import partial
from time import time
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from seqgen.errors import InputError, nearest
from seqgen.serving.answer import Answer
from seqgen.serving.answers import caption, classify, classify_image, tag, translate
from seqgen.serving.arguments import require_names
from seqgen.serving.body import read_image_file, read_json, read_query
from seqgen.serving.completions import complete, error_object, model_object
from seqgen.serving.document import document
from seqgen.serving.guard import LOCAL, Guard
from seqgen.serving.limits import LIMITS
from seqgen.serving.refusals import Refusal
from seqgen.serving.served import Served, chosen
from seqgen.serving.texts import cells, generate, generate_for_condition, score

Function = Callable[..., Any]

# What answers a POST to an address, by the kind of the model: with JSON as its body, or with an image.
OF_JSON: dict[str, dict[str, Function]] = {
    "/api/generate": {"generator": generate, "conditional_generator": generate_for_condition},
    "/api/score": {"generator": score},
    "/api/cells": {"generator": cells},
    "/api/classify": {"text_classifier": classify},
    "/api/tag": {"tagger": tag},
    "/api/translate": {"translator": translate},
    "/v1/completions": {"generator": complete},
}
OF_IMAGE: dict[str, dict[str, Function]] = {
    "/api/classify": {"image_classifier": classify_image},
    "/api/caption": {"captioner": caption},
}
POSTED = list(OF_JSON | OF_IMAGE)


def application(models: Sequence[Served], hosts: Collection[str] = LOCAL) -> Starlette:
    """Return the application that serves models.

    Args:
        models: in use, with their names.
        hosts: names that the Host of a request may have.
    """
    page, started = document(), int(time())
    described = {"models": [one.description() for one in models], "limits": LIMITS}
    generators = {one.name: model_object(one.name, started) for one in models if one.kind == "generator"}

    async def show(request: Request) -> Response:
        return HTMLResponse(page.html)

    async def list_models(request: Request) -> Response:
        return JSONResponse(described)

    async def list_generators(request: Request) -> Response:
        return JSONResponse({"object": "list", "data": list(generators.values())})

    async def show_generator(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in generators:
            known = ", ".join(generators) or "none"
            raise Refusal(404, f"model must be one of {known}, not {name!r}{nearest(name, generators)}")
        return JSONResponse(generators[name])

    routes = [Route("/", show), Route("/api/models", list_models)]
    routes += [Route("/v1/models", list_generators), Route("/v1/models/{name}", show_generator)]
    routes += [Route(address, partial(_answer, models), methods=["POST"]) for address in POSTED]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Guard, hosts=hosts, policy=page.policy, refused=refused)],
        exception_handlers={InputError: refuse, HTTPException: refuse, 500: refuse},
    )
    app.state.reading = 0  # bytes of bodies that are being read
    app.router.redirect_slashes = False
    return app


async def _answer(models: Sequence[Served], request: Request) -> Answer:
    """Return the answer of the model that a request is for."""
    address, kind = request.url.path, request.headers.get("content-type", "")
    of_image = address in OF_IMAGE and (address not in OF_JSON or kind.startswith("image/"))
    functions = (OF_IMAGE if of_image else OF_JSON)[address]
    given = read_query(request) if of_image else await read_json(request)
    model = chosen(models, functions, given.pop("model", None))
    function = functions[model.kind]
    if function is complete:
        given["model"] = model.name  # which its answer repeats
    require_names(function, given)
    image = [await read_image_file(request)] if of_image else []
    return Answer(model.turns, lambda: function(model.bundle, *image, **given))


async def refuse(request: Request, error: Exception) -> Response:
    """Return the answer to a request that is refused; a function that is not asynchronous would get a thread for it."""
    return refused(request, error)


def refused(request: Request, error: Exception) -> Response:
    """Return the answer to a request that is refused, in the form that its clients read."""
    if isinstance(error, HTTPException):
        headers = dict(error.headers or {})
        known = ", ".join(["/", "/api/models", "/v1/models", *POSTED])
        sentence = {
            404: f"there is nothing at {request.url.path}: the addresses are {known}",
            405: f"{request.url.path} must be asked by {headers.get('Allow')}, not {request.method}",
        }.get(error.status_code, error.detail)
        error = Refusal(error.status_code, sentence, headers)
    if not isinstance(error, InputError):
        close = {"Connection": "close"}  # as uvicorn does after a bug: who asks again needs another connection
        error = Refusal(500, "the server has a bug, which its terminal shows", close)
    status, headers = (error.status, error.headers) if isinstance(error, Refusal) else (400, {})
    of_openai = request.url.path.startswith("/v1/")
    data = error_object(str(error), status) if of_openai else {"error": str(error)}
    return JSONResponse(data, status, headers)
