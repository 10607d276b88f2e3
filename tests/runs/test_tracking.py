"""Tracking by a service, which is pretended here: a module with as much of its interface as accelerate calls."""

import importlib.machinery
import sys
import threading
import types

import pytest
from accelerate import PartialState

from seqgen.errors import InputError
from seqgen.runs import tracking
from seqgen.runs.tracking import Tracking


class PretendedRun:
    def __init__(self, options, fails_at=None):
        self.name, self.options, self.fails_at = options["name"], options, fails_at
        self.logged, self.finished, self.thread = [], False, threading.current_thread()

    def log(self, values, step):
        if self.fails_at is not None and step >= self.fails_at:
            raise ConnectionError("the network is down\nfor hours")
        self.logged.append((step, values))

    def finish(self):
        self.finished = True


@pytest.fixture
def service(monkeypatch):
    """A pretended trackio: its runs, and what they are to do."""
    PartialState(cpu=True)
    module = types.ModuleType("trackio")
    module.__spec__ = importlib.machinery.ModuleSpec("trackio", None, origin="pretended")
    module.runs, module.fails_at, module.begin, module.config = [], None, lambda: None, {}

    def init(**options):
        module.begin()
        module.runs.append(PretendedRun(options, module.fails_at))
        return module.runs[-1]

    module.init = init
    module.config = types.SimpleNamespace(update=lambda values, **_: setattr(module.runs[-1], "config", values))
    monkeypatch.setitem(sys.modules, "trackio", module)
    return module


def begun(directory, said=None):
    return Tracking("trackio", directory, "tagger", {"seed": 1, "data": None}, ([] if said is None else said).append)


def test_a_run_is_tracked_with_options_metrics_and_results(service, tmp_path):
    tracked = begun(tmp_path)
    tracked.log({"val_loss": 2.0}, 3)
    tracked.finish({"test_loss": 1.0, "precision": "fp32"}, 4)
    [run] = service.runs
    assert run.options["project"] == "seqgen-tagger"
    assert run.options["name"].startswith(tmp_path.name)
    assert run.config == {"seed": 1, "data": "None"}
    assert run.logged == [(3, {"val_loss": 2.0}), (4, {"final/test_loss": 1.0})]
    assert run.finished


def test_a_resumed_run_goes_on_under_its_name(service, tmp_path):
    begun(tmp_path).remember(tmp_path)
    begun(tmp_path).remember(tmp_path)
    one, again = service.runs
    assert again.name == one.name
    assert again.options["resume"] == "allow"
    assert not hasattr(again, "config"), "options are tracked once"
    assert len((tmp_path / "tracking.jsonl").read_text().splitlines()) == 1
    (tmp_path / "tracking.jsonl").write_text("{damaged")
    begun(tmp_path)
    assert service.runs[-1].name != one.name


def test_a_service_that_fails_later_is_said_once_and_delays_nothing(service, tmp_path):
    service.fails_at, said = 2, []
    tracked = begun(tmp_path, said)
    for step in range(1, 5):
        tracked.log({"train_loss": 1.0}, step)
    tracked.finish({"test_loss": 1.0}, 5)
    assert [step for step, _ in service.runs[0].logged] == [1]
    assert said == ["trackio tracks this run no more, which goes on: the network is down"]


def test_a_service_that_does_not_begin_is_an_error(service, tmp_path, monkeypatch):
    monkeypatch.setattr(tracking, "PATIENCE", 0.05)
    service.begin = lambda: input("log in: ")
    with pytest.raises(InputError, match="--track trackio must be a service that answers, but it does not"):
        begun(tmp_path)
    service.begin = sys.exit
    with pytest.raises(InputError, match="it asked to exit"):
        begun(tmp_path)
    ended = threading.Event()
    service.begin = ended.wait
    with pytest.raises(InputError, match="no answer for"):
        begun(tmp_path)
    ended.set()


def test_a_service_that_hangs_later_is_waited_for_a_while(service, tmp_path, monkeypatch):
    monkeypatch.setattr(tracking, "PATIENCE", 5.0)
    said, ended = [], threading.Event()
    tracked = begun(tmp_path, said)
    monkeypatch.setattr(tracking, "PATIENCE", 0.05)
    service.runs[0].finish = ended.wait
    tracked.finish({}, 1)
    assert said == ["trackio has not taken all figures within 0 seconds"]
    ended.set()


def test_a_package_that_is_missing_is_an_error_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    (tmp_path / "wandb").mkdir()  # as wandb leaves it behind
    monkeypatch.setattr(tracking.importlib.util, "find_spec", importlib.machinery.PathFinder.find_spec)
    for service in ("wandb", "mlflow"):
        with pytest.raises(InputError, match=f"is not installed: python -m pip install {service}"):
            tracking.require_installed(service)
