"""A server of a model of each kind, in a thread of this process."""

import asyncio
import threading
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")
httpx = pytest.importorskip("httpx")


@contextmanager
def running(models):
    """A server of these models: its `address`, the models by their names, and a client of it."""
    from seqgen.serving.app import application
    from seqgen.serving.server import address, bound, new_server

    with bound("127.0.0.1", 0) as listening:
        server = new_server(application(models))
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])))
        thread.start()
        with httpx.Client(base_url=address(listening), timeout=60, trust_env=False) as client:
            yield SimpleNamespace(address=address(listening), models={one.name: one for one in models}, client=client)
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def server():
    """A server of a model of each kind, named as its kind, all in fp32."""
    from making import MADE, make_generator

    from seqgen.serving.served import named

    bundles = {kind: make() for kind, make in MADE.items()}
    bundles["generator"] = make_generator(ends=True)
    for bundle in bundles.values():
        if hasattr(bundle, "precision"):
            bundle.precision = "fp32"
        if hasattr(bundle, "generation"):
            bundle.generation = bundle.generation.with_options(precision="fp32")
    with running(named(bundles, bundles.values())) as server:
        yield server


@pytest.fixture
def bundles(server):
    return {name: served.bundle for name, served in server.models.items()}


@pytest.fixture(scope="module")
def window(browser):
    """A page as wide as a telephone, which lists its requests and its problems."""
    page = browser.new_page(viewport={"width": 390, "height": 800})
    page.addresses, page.problems = [], []
    page.on("request", lambda request: page.addresses.append(request.url))
    page.on("console", lambda message: page.problems.append(message.text))
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.set_default_timeout(10_000)
    yield page
    page.close()


@pytest.fixture
def page(window, server):
    """The page, opened anew; it must request nothing from elsewhere and have no problem."""
    page = window
    page.addresses.clear()
    page.goto(server.address)
    page.get_by_role("tab").first.wait_for()
    yield page
    page.goto("about:blank")  # before its routes end, so that none of its later requests reaches the server
    page.unroute_all()
    problems = list(page.problems)
    page.problems.clear()
    assert problems == []
    assert all(url.startswith(f"{server.address}/") for url in page.addresses)
