"""`seqgen doctor`: every row is there, a failure hides no other, and decisions are those that the parts will use."""

import importlib.metadata
import json
import os
import pkgutil
import subprocess
import sys
from functools import partial

import pytest
import torch
from making import ROOT

from seqgen.cli import main as cli
from seqgen.cli.doctor import SECTIONS
from seqgen.diagnosis import fastest, installation, trials
from seqgen.generation.packed import packed
from seqgen.hardware import decisions, rates
from seqgen.hardware.decisions import decide, noted

CPU = torch.device("cpu")
PARTS = ["training", "Muon's products", "writing 1 text", "writing 16 texts", "writing 128 texts", "classifying texts"]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Each candidate is called once or not at all, with little to do: models of default sizes are small here."""
    monkeypatch.setattr(decisions, "LONGEST", 0.0)
    monkeypatch.setattr(rates, "SIZES", (16,))
    for name in ("ROWS", "STEPS"):
        monkeypatch.setattr(fastest, name, 4)
    for kind in (fastest.Generator, fastest.TextClassifier, fastest.Translator):
        monkeypatch.setattr(kind, "untrained", partial(kind.untrained, hidden_size=16, embedding_size=8))


def doctor(command, *options):
    return command(cli.main, "doctor", "--device", "cpu", *options)


def report_of(command, *options, code=0):
    found, out, err = doctor(command, "--json", *options)
    assert found == code, out
    assert "Traceback" not in out + err
    return json.loads(out)


def lines_of(out, name):
    return [line for line in out.splitlines() if line.startswith(f"  {name} ")]


def test_everything_is_shown_and_a_sound_installation_is_ok(command):
    code, out, _ = doctor(command)
    assert code == 0
    assert [line.split(":")[0] for line in out.splitlines() if line and line[0] != " "] == [
        "Machine",
        "Matrix products",
        "Decisions",
        "Installation",
    ]
    for name in ("versions", "limited by", "fp32", "bf16", "kept in", "other decisions"):
        assert len(lines_of(out, name)) == 1
    for part in PARTS:
        [line] = [line for line in out.splitlines() if line.startswith(f"  {part}")]
        assert " ms" in line or "the only way here" in line
    needed = [each.package for each in installation.requirements() if not each.extra]
    assert {"torch", "numpy", "safetensors"} <= set(needed)
    for name in (*needed, "cache", *installation.TRIALS):
        [line] = lines_of(out, name)
        assert line.split(name, 1)[1].strip().startswith("ok, ")


def test_the_same_as_one_json_object(command):
    report = report_of(command)
    assert report["sound"] is True
    assert {"machine", "products", "decisions", "installation"} < set(report)
    for part in PARTS[1:]:
        [found] = [row for name, row in report["decisions"].items() if name.startswith(part)]
        assert found["choice"] in found["milliseconds"] if "milliseconds" in found else "thread" in found["choice"]


def test_decisions_are_those_that_the_parts_go_by(command):
    shown = report_of(command)["decisions"]["writing 16 texts"]
    with noted() as notes:
        packed(fastest.usual_generator().model, rows=16)
    assert notes[-1].question == shown["question"]
    assert notes[-1].choice == shown["choice"]
    assert {name: 1000 * seconds for name, seconds in notes[-1].seconds.items()} == shown["milliseconds"]


def test_it_is_measured_again_only_where_that_is_asked_for(command):
    candidates = {"first": lambda: lambda: None}
    decide("something else", candidates, CPU)
    first, second = (report_of(command)["decisions"] for _ in range(2))
    assert first == second
    assert [each["question"] for each in second["other decisions"]["by_threads"]["1"]] == ["something else"]
    third = report_of(command, "--measure_again")["decisions"]
    assert not third["other decisions"]["by_threads"]["1"]
    assert third["writing 16 texts"]["milliseconds"] != second["writing 16 texts"]["milliseconds"]


def test_many_other_decisions_are_shortened_but_not_in_json(command):
    questions = [f"a question {number} {'of many words ' * 20}" for number in range(fastest.OTHERS + 3)]
    for question in questions:
        decide(question, {"first": lambda: lambda: None}, CPU)
    _, out, _ = doctor(command)
    assert out.count("a question ") == fastest.OTHERS
    assert "and 3 more, all of which --json prints" in out
    kept = report_of(command)["decisions"]["other decisions"]["by_threads"]["1"]
    assert sorted(each["question"] for each in kept) == sorted(questions)


def broken_package(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "tqdm", None)


def broken_options(monkeypatch, tmp_path):
    for name in ("jsonargparse", "seqgen.options"):
        monkeypatch.setitem(sys.modules, name, None)


def old_package(monkeypatch, tmp_path):
    version = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "0.9" if name == "tqdm" else version(name))


def missing_package(monkeypatch, tmp_path):
    def version(name, version=importlib.metadata.version):
        if name == "tqdm":
            raise importlib.metadata.PackageNotFoundError
        return version(name)

    monkeypatch.setattr(importlib.metadata, "version", version)


def cache_that_is_a_file(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))


def failing_trial(monkeypatch, tmp_path):
    def learning(device):
        raise RuntimeError("first line\nsecond line")

    monkeypatch.setattr(trials, "learning", learning)


def failing_part(monkeypatch, tmp_path):
    def training(device):
        raise torch.OutOfMemoryError("no memory")

    monkeypatch.setattr(fastest, "training", training)


@pytest.mark.parametrize(
    ("break_it", "section", "names", "advice"),
    [
        (broken_package, "installation", ["tqdm"], 'python -m pip install --force-reinstall "tqdm>='),
        (broken_options, "installation", ["jsonargparse"], "--force-reinstall"),
        (old_package, "installation", ["tqdm"], 'update it: python -m pip install "tqdm>='),
        (missing_package, "installation", ["tqdm"], 'install it: python -m pip install "tqdm>='),
        (cache_that_is_a_file, "installation", ["cache"], "set XDG_CACHE_HOME to a folder of your own"),
        (failing_trial, "installation", ["learning"], "RuntimeError: first line second line; please report this"),
        (failing_part, "decisions", ["training, 4 x 4 tokens", "Muon's products"], "OutOfMemoryError: no memory"),
    ],
)
def test_a_failure_is_one_sentence_and_hides_no_other_row(
    command, monkeypatch, tmp_path, break_it, section, names, advice
):
    rows = {each: list(pkgutil.resolve_name(place)(CPU)) for each, (_, place) in SECTIONS.items()}
    break_it(monkeypatch, tmp_path)
    report = report_of(command, code=1)
    assert report["sound"] is False
    for each in SECTIONS:
        assert list(report[each]) == rows[each]
        failed = [name for name, row in report[each].items() if "failed" in (row or {})]
        assert failed == (names if each == section else [])
    assert advice in report[section][names[0]]["failed"]
    code, out, err = doctor(command)
    assert (code, err) == (1, "")
    for name in names:
        [line] = lines_of(out, name)
        assert "FAILED: " in line


def test_an_extra_that_is_missing_is_no_failure(command, monkeypatch):
    def version(name, version=importlib.metadata.version):
        if name == "hypothesis":
            raise importlib.metadata.PackageNotFoundError
        return version(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    extra = report_of(command)["installation"]["extra test"]
    assert extra["present"] is False
    assert extra["install"].startswith('python -m pip install "hypothesis>=')


@pytest.mark.processes
def test_without_torch_it_still_says_what_is_broken(tmp_path):
    (tmp_path / "torch.py").write_text("raise ImportError('a library is missing')")
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    asked = [sys.executable, "-m", "seqgen", "doctor"]
    done = subprocess.run(asked, capture_output=True, text=True, env=environment)
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    [line] = lines_of(done.stdout, "torch")
    assert "FAILED: version" in line
    assert "a library is missing" in line
    assert lines_of(done.stdout, "numpy")[0].split()[1] == "ok,"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--device", "tpu9"], "--device must be one of auto, cpu"),
        (["--measure_agin"], "there is no option --measure_agin (did you mean --measure_again?)"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(command, arguments, sentence):
    code, out, err = command(cli.main, "doctor", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {sentence}")
    assert err.count("\n") == 1
