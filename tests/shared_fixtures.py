from seqgen.exits import run_main

import gc
import os
import signal
import sys

import hypothesis
import pytest
import torch
from accelerate.state import AcceleratorState, PartialState
from browser import browser, browser_page  # noqa: F401
from making import CELLS, TEXT, make_generator
from running import NARROW, QUICK_DECISIONS, UNDRAWN, parse_once

from seqgen.cli import caption, translate  # noqa: F401  (they keep what they import: not the stand-ins of figures)
from seqgen.interruptions import SIGNALS

# How long a test takes on a busy machine says nothing.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


def pytest_collection_modifyitems(items):
    """Run the tests that start processes last: they are the slowest."""
    items.sort(key=lambda item: item.get_closest_marker("processes") is not None)


def pytest_collection_finish():
    """Garbage is not looked for in what was imported, which stays."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def parsed_once():
    with pytest.MonkeyPatch.context() as patch:
        parse_once(patch)
        yield


@pytest.fixture(autouse=True, scope="session")
def no_cache_of_the_user(tmp_path_factory):
    """No fixture reads or fills the user's own cache."""
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """Each test has a cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Networks this small gain nothing from a second thread, and on a busy machine lose a lot."""
    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"  # for the processes that tests start


@pytest.fixture(autouse=True)
def quick_decisions(monkeypatch):
    """Few calls decide which way is fastest: each test has a cache of its own, in which nothing is decided yet."""
    for place, value in QUICK_DECISIONS.items():
        monkeypatch.setattr(place, value)


@pytest.fixture(autouse=True, scope="session")
def narrow():
    with pytest.MonkeyPatch.context() as patch:
        for place, value in NARROW.items():
            patch.setattr(place, value)
        yield


@pytest.fixture(autouse=True)
def undrawn(request, monkeypatch):
    """Figures are empty files but in tests that are marked: drawing them takes half of a short run."""
    if request.node.get_closest_marker("figures") is None:
        for place, stand_in in UNDRAWN.items():
            monkeypatch.setattr(place, stand_in)


@pytest.fixture(autouse=True)
def files_in_memory(monkeypatch):
    """Files need not be on the disk: nothing here outlives the machine."""
    monkeypatch.setattr("os.fsync", lambda handle: None)


@pytest.fixture(autouse=True)
def same_seed():
    torch.manual_seed(0)


@pytest.fixture(params=CELLS)
def cell(request):
    return request.param


@pytest.fixture
def text_file(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.fixture
def generator():
    return make_generator()


@pytest.fixture
def command(monkeypatch, capsys):
    """Run a `main` in this process as the shell would: returns the exit code, stdout and stderr."""

    def run(main, *arguments):
        AcceleratorState._reset_state()
        PartialState._reset_state()
        monkeypatch.setattr(sys, "argv", ["program", *map(str, arguments)])
        code, handlers = 0, {number: signal.getsignal(number) for number in SIGNALS}
        try:
            run_main(main)
        except SystemExit as leaving:
            code = leaving.code
        for number, handler in handlers.items():
            signal.signal(number, handler)
        out, err = capsys.readouterr()
        return code, out, err

    return run
