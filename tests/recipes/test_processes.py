"""Training in several processes, as `torchrun` starts them."""

import json
import signal
import subprocess
import sys

import pytest
from making import RECIPES, ROOT, results_of, weights_of
from pairs import leave_quickly, send, start_together, train_together, wait_for_checkpoint
from small_data import small_options

pytestmark = pytest.mark.processes
# What is drawn at random is drawn in each process for its own rows: dropout, shifts and mirrors, and captions.
STEPS = 6
WITHOUT_CHANCE = ["--dropout", 0, "--device", "cpu"]


def options(name, folder):
    more = {"text_classifier": ["--word_dropout", 0], "tagger": ["--word_dropout", 0]}
    more["char_generator"] = ["--weight_drop", 0]
    more["image_classifier"] = ["--shift", 0]
    # Rounding decides whether an activation near zero has a gradient; such gradients add up with the learning rate.
    more["image_captioner"] = ["--self_critical", 0, "--mirror", "false", "--learning_rate", 0.0001]
    more["translator"] = ["--word_dropout", 0]
    return [*small_options(name, folder), *WITHOUT_CHANCE, *more.get(name, [])]


def validations(directory):
    lines = map(json.loads, (directory / "metrics.jsonl").read_text().splitlines())
    return [{key: value for key, value in line.items() if key.startswith("val_")} for line in lines if "val_loss" in line]


def same(found, expected):
    """Figures of the same names, equal but for rounding, which may turn a rare answer."""
    assert found.keys() == expected.keys()
    for name, figure in expected.items():
        # Sums are rounded in another order, so not bit for bit; with batch statistics or rows shared out wrongly the
        # losses would differ by 0.001 (measured with images) and more.
        assert found[name] == pytest.approx(figure, abs=1e-4, rel=1e-4), name


@pytest.mark.parametrize("name", RECIPES)
def test_two_processes_learn_what_one_does(name, tmp_path):
    """The figures of validations and tests included, and those of a run that three go on with after two."""
    asked = [*options(name, tmp_path), "--eval_every", STEPS // 2]
    for count in (1, 2):
        log = str(tmp_path / f"log{count}")
        train_together(
            name, *asked, "--max_steps", STEPS, "--output_dir", tmp_path / str(count), log=log, processes=count
        )
    one, two = (results_of(tmp_path / number) for number in "12")
    figures = {key for key in one if key.startswith(("val_", "test_")) and "per_second" not in key}
    same({key: two[key] for key in figures}, {key: one[key] for key in figures})
    assert two["steps"] == one["steps"] == STEPS
    for there, here in zip(validations(tmp_path / "2"), validations(tmp_path / "1"), strict=True):
        same(there, here)
    assert len(validations(tmp_path / "1")) == 2
    assert "2 processes" in (tmp_path / "2" / "report.md").read_text()
    assert (tmp_path / "log21.out").read_text() == ""  # only the first one writes
