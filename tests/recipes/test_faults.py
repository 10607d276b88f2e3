"""A disk that fails and a folder that vanishes: one sentence, and the run goes on when it is resumed."""

import errno
import importlib
import os
import shutil
import sys
import threading

import pytest
from making import ROOT, weights_of

from seqgen.files import UNFINISHED
from seqgen.runs import logger, training

LIMITS = ["--max_steps", 4, "--eval_every", 2]


def full(*arguments, **options):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "state/step-1" if len(arguments) > 2 else "curves.png")


def refused(ended, words):
    code, _, err = ended
    sentence = err.splitlines()[-1]
    assert code == 2, err
    assert sentence.startswith("error: ")
    assert words in sentence
    assert err.count("error: ") == 1


def test_what_a_killed_writer_left_before_there_was_a_run_is_in_nobodys_way(train, tmp_path):
    (tmp_path / "run").mkdir()
    aside = tmp_path / "run" / f".resolved.yaml.abcdefgh{UNFINISHED}"
    for path in (aside, tmp_path / "run" / ".lock"):
        path.touch()
    code, _, err = train(*LIMITS)
    assert code == 0, err
    assert not aside.exists()


def test_a_run_that_ended_before_it_had_its_options_in_both_files_gets_them(train, tmp_path):
    train(*LIMITS)
    (tmp_path / "run" / "config.yaml").unlink()
    code, _, err = train(*LIMITS, "--resume")
    assert code == 0, err
    assert (tmp_path / "run" / "config.yaml").exists()


def test_what_is_left_of_a_run_without_its_options_is_named(train, tmp_path):
    (tmp_path / "run" / "state").mkdir(parents=True)
    refused(train(*LIMITS), "without resolved.yaml")


def test_what_ended_a_run_is_said_also_where_its_curves_cannot_be_drawn(train, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(training, "save_checkpoint", full)
        patched.setattr(logger, "draw_curves", full)
        refused(train(*LIMITS), "state/step-1 cannot be read or written: No space left")
    code, _, err = train(*LIMITS, "--resume")
    assert code == 0, err
    straight = tmp_path / "straight"
    train(*LIMITS, directory=straight)
    assert weights_of(straight) == weights_of(tmp_path / "run")


@pytest.mark.parametrize("name", ["require_in_place", "write_model_card"])
def test_a_folder_that_vanishes_is_one_sentence(train, tmp_path, monkeypatch, name):
    before = getattr(training, name)

    def vanishing(*arguments):
        shutil.rmtree(tmp_path / "run", ignore_errors=True)
        before(*arguments)

    monkeypatch.setattr(training, name, vanishing)
    refused(train(*LIMITS), "has vanished")


def test_the_error_of_a_thread_that_writes_is_said_once_by_who_waits_for_it(command):
    def main():
        def write():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), b"events")

        thread = threading.Thread(target=write)
        thread.start()
        thread.join()
        write()

    code, _, err = command(main)
    assert (code, err) == (2, "error: events cannot be read or written: No space left on device\n")


@pytest.mark.processes
def test_the_harness_kills_a_run_and_finds_it_the_same(command, monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(ROOT / "recipes" / "benchmarks")
    for name in ("faults", "attempts", "disturbed", "measuring"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    faults = importlib.import_module("faults")
    asked = ["--faults", "[kills]", "--kills", 1, "--recipes", "[char_generator]", "--processes", "[1]"]
    code, out, err = command(faults.main, *asked)
    assert code == 0, err
    columns, row = [line.split() for line in out.splitlines()[3:5]]
    counts = dict(zip(columns, row, strict=False))
    assert counts["recipe"] == "char_generator"
    assert "lost:" not in out
