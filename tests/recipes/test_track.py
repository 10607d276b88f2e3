"""A recipe with --track: a service has the metrics that metrics.jsonl has."""

import json

from making import results_of

from seqgen.runs import tracking


def pretend(monkeypatch, found):
    class Pretended:
        def start(self):
            self.tracker = self

        def store_init_configuration(self, values):
            found.append(("options", values))

        def log(self, values, step):
            found.append((step, values))

        def finish(self):
            found.append("finished")

    monkeypatch.setattr(tracking, "require_installed", lambda service: None)
    monkeypatch.setattr(tracking.Tracking, "_tracker", lambda self, name, project: Pretended())
    monkeypatch.setattr(tracking.Tracking, "_name", lambda self: "abc")


def test_a_service_has_the_options_the_metrics_and_the_results_of_a_run(train, tmp_path, monkeypatch):
    found = []
    pretend(monkeypatch, found)
    monkeypatch.setattr("seqgen.runs.run.require_installed", lambda service: None)
    train("--max_steps", 2, "--track", "wandb")
    (named, options), *logged, (step, results), last = found
    assert (named, options["seed"], options["track"]) == ("options", 1, "wandb")
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [values for _, values in logged] == lines
    assert [step for step, _ in logged] == [line["step"] for line in lines]
    assert step == 2
    assert results["final/val_loss"] == results_of(tmp_path / "run")["val_loss"]
    assert last == "finished"
    found.clear()
    train("--max_steps", 3, "--resume")
    assert found[0] != "options", "a resumed run goes on in its own"
    assert found[-1] == "finished"
    assert [json.loads(line)["run"] for line in (tmp_path / "run" / "tracking.jsonl").open()] == ["abc"]


def test_without_the_package_nothing_begins(train, tmp_path, monkeypatch):
    monkeypatch.setattr(tracking.importlib.util, "find_spec", lambda name: None)
    code, _, said = train("--max_steps", 2, "--track", "mlflow")
    assert code == 2
    assert "--track mlflow needs the package mlflow, which is not installed: python -m pip install mlflow" in said
    assert not (tmp_path / "run").exists()
