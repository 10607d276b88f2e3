"""Runs of several members, trained side by side, whose ensemble is tested."""

from functools import partial

import numpy as np
import pytest
from making import RECIPES, load_recipe, results_of, weights_of
from running import forked, run_recipe
from small_data import OPTIONS, small_options

import seqgen
from seqgen.cli import main as cli
from seqgen.errors import InputError
from seqgen.files import read_options

pytestmark = pytest.mark.processes
LIMITS = ("--max_steps", 4, "--eval_every", 4, "--threads", 1)


class Member:
    """The process of a member, forked instead of started anew, which saves seconds."""

    def __init__(self, name, arguments, **files):
        options = arguments[2:]
        directory = options[options.index("--output_dir") + 1]
        self._process = forked(run_recipe, name, options, f"{directory}.err", {})

    def wait(self, timeout=None):
        self._process.join(timeout)
        return self._process.exitcode

    def poll(self):
        return self._process.exitcode

    def terminate(self):
        self._process.terminate()


@pytest.fixture
def train(command, monkeypatch, tmp_path):
    """Train a recipe in this process and the other members in others: returns exit code, stdout and stderr."""

    def run(name, *arguments, member=Member, directory="run"):
        monkeypatch.setattr("seqgen.runs.members.Popen", partial(member, name))
        return command(load_recipe(name).main, *arguments, "--output_dir", tmp_path / directory)

    return run


@pytest.mark.parametrize("name", RECIPES)
def test_members_are_trained_and_tested_together(name, train, tmp_path):
    run, member = tmp_path / "run", tmp_path / "run" / "members" / "2"
    code, out, err = train(name, *small_options(name, tmp_path), *LIMITS, "--ensemble", 2)
    assert code == 0, err
    assert f" {run} {member} " in out.splitlines()[-1]  # the command that uses both
    assert weights_of(run) != weights_of(member)
    assert seqgen.load([run, member]).members
    assert results_of(run)["members"] == 2
    assert "members" not in results_of(member)


def test_a_member_is_the_run_of_its_random_seed(train, tmp_path):
    options = [*small_options("translator", tmp_path), *LIMITS]
    assert train("translator", *options, "--ensemble", 2, "--seed", 5)[0] == 0
    for directory, seeds in (("one", [5]), ("other", [6, "--split_seed", 5])):
        assert train("translator", *options, "--seed", *seeds, directory=directory)[0] == 0
    assert weights_of(tmp_path / "run") == weights_of(tmp_path / "one")
    assert weights_of(tmp_path / "run" / "members" / "2") == weights_of(tmp_path / "other")


@pytest.mark.parametrize("mixed", ["false", "true"])
def test_the_figures_are_those_of_the_ensemble(train, tmp_path, mixed):
    (tmp_path / "test.tsv").write_text("pos\ta fine one\nneg\tthis is dull\n")
    options = [*small_options("text_classifier", tmp_path), *LIMITS, "--test", tmp_path / "test.tsv"]
    assert train("text_classifier", *options, "--ensemble", 2, "--with_ngrams", mixed)[0] == 0
    both = seqgen.load([tmp_path / "run", tmp_path / "run" / "members" / "2"])
    loss = -np.mean(both.score(["a fine one", "this is dull"], ["pos", "neg"]))
    assert results_of(tmp_path / "run")["test_loss"] == pytest.approx(loss, abs=1e-4)


def test_a_resumed_run_goes_on_with_all_members_and_gets_new_ones(train, tmp_path):
    options = small_options("translator", tmp_path)
    assert train("translator", *options, *LIMITS, "--ensemble", 2)[0] == 0
    more = ["--max_steps", 8, "--eval_every", 4, "--ensemble", 3, "--threads", 1, "--resume"]
    code, _, err = train("translator", *options, *more)
    assert code == 0, err
    runs = [tmp_path / "run", *(tmp_path / "run" / "members" / number for number in "23")]
    assert [results_of(run)["steps"] for run in runs] == [8, 8, 8]


def test_one_run_becomes_the_first_member_of_an_ensemble_with_all_its_options(train, tmp_path):
    options = small_options("translator", tmp_path)
    assert train("translator", *options, *LIMITS[:4])[0] == 0
    more = ["--max_steps", 8, "--eval_every", 2, "--learning_rate", 0.003, "--ensemble", 2, "--resume"]
    assert train("translator", *options, *more)[0] == 0
    assert train("translator", "--max_steps", 9, "--patience", 3, "--learning_rate", 0.002, "--resume")[0] == 0
    member = read_options(tmp_path / "run" / "members" / "2" / "resolved.yaml")
    changed = {"max_steps": 9, "eval_every": 2, "learning_rate": 0.002, "patience": 3, "ensemble": 1}
    assert {name: member[name] for name in changed} == changed


@pytest.mark.parametrize("name", ["text_classifier", "translator"])
def test_all_members_begin_with_a_saved_model(name, train, tmp_path):
    data = OPTIONS[name][0](tmp_path)
    assert train(name, *data, *OPTIONS[name][1], *LIMITS, directory="first")[0] == 0
    code, _, err = train(name, *data, *LIMITS, "--ensemble", 2, "--init_from", tmp_path / "first")
    assert code == 0, err
    first, second = (seqgen.load(tmp_path / run) for run in ("first", "run/members/2"))
    assert second.parts() == first.parts()
    assert second.all_arguments() == first.all_arguments()


def test_the_figures_of_all_members_are_not_those_of_the_first(train, tmp_path, command):
    assert train("tagger", *small_options("tagger", tmp_path), *LIMITS, "--ensemble", 2)[0] == 0
    card = (tmp_path / "run" / "model" / "README.md").read_text()
    assert "the first of 2 members" in card
    assert "test_accuracy" not in card
    assert "test accuracy" not in card
    _, out, _ = command(cli.main, "info", str(tmp_path / "run"))
    assert "these are the figures of 2 members, of which this is the first" in out


class Failed:
    """A member that fails, and says why."""

    def __init__(self, name, arguments, *, stdout, **files):
        self.code = 2
        stdout.write(b"100 updates\nerror: no space left\n")

    def wait(self, timeout=None):
        return self.code

    def poll(self):
        return self.code

    def terminate(self):
        pass


def test_the_failure_of_a_member_is_one_sentence(train, tmp_path):
    code, out, err = train(
        "translator", *small_options("translator", tmp_path), *LIMITS, "--ensemble", 2, member=Failed
    )
    assert (code, out) == (2, "")
    sentence = err.splitlines()[-1]
    assert sentence.startswith("error: a member of the ensemble, ")
    assert "members/2, ended with exit code 2: error: no space left; all that it said is in " in sentence
    assert sentence.endswith(f" --output_dir {tmp_path / 'run'} --resume")
    assert "resuming after step 1" not in err
    assert "step 1:" not in err or "step 4:" not in err  # it ends at once


def test_members_are_stopped_where_the_run_fails(train, tmp_path, monkeypatch):
    stopped = []

    class Stopped(Failed):
        def __init__(self, name, arguments, **files):
            self.code = None

        def terminate(self):
            stopped.append(self)

    def fail(*arguments, **options):
        raise InputError("no update is possible")

    monkeypatch.setattr("seqgen.runs.training.train_steps", fail)
    options = [*small_options("translator", tmp_path), *LIMITS, "--ensemble", 3]
    code, _, err = train("translator", *options, member=Stopped)
    assert code == 2
    assert "no update is possible" in err
    assert len(stopped) == 2


@pytest.mark.parametrize(("count", "message"), [(0, "above 0, not 0"), (65, "at most 64, not 65")])
def test_none_and_too_many_members_are_mistakes(train, tmp_path, count, message):
    code, _, err = train("translator", *small_options("translator", tmp_path), "--ensemble", count)
    assert code == 2
    assert f"--ensemble must be {message}" in err
