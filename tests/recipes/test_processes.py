"""Training in two processes, as `torchrun` starts them."""

import socket
import subprocess
import sys

import pytest
from making import RECIPES, ROOT, results_of
from running import finish, start
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


@pytest.mark.parametrize("name", RECIPES)
def test_two_processes_learn_what_one_does(name, tmp_path):
    log = str(tmp_path / "log")
    asked = [*options(name, tmp_path), "--max_steps", STEPS, "--eval_every", STEPS // 2]
    finish(start(name, *asked, "--output_dir", tmp_path / "one", log=log), log)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1]), "WORLD_SIZE": "2"}
    logs = [f"{log}{rank}" for rank in range(2)]
    ranks = [{"RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in range(2)]
    two = [
        start(name, *asked, "--output_dir", tmp_path / "two", log=log, **meeting, **rank)
        for log, rank in zip(logs, ranks, strict=True)
    ]
    for process, log in zip(two, logs, strict=True):
        finish(process, log)
    one, two = results_of(tmp_path / "one"), results_of(tmp_path / "two")
    # Sums are rounded in another order, so not bit for bit; with batch statistics or rows shared out wrongly the losses
    # would differ by 0.001 (measured with images) and more.
    assert two["val_loss"] == pytest.approx(one["val_loss"], abs=1e-4)
    assert two["steps"] == one["steps"] == STEPS
    assert "2 processes" in (tmp_path / "two" / "report.md").read_text()


def test_torchrun_trains_a_recipe_by_its_name(tmp_path):
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", "-m", "seqgen", "train"]
    # With a time each process also measures the sizes, on its own.
    limits = ["--max_steps", 2, "--max_seconds", 60]
    asked = [*options("char_generator", tmp_path), *limits, "--output_dir", tmp_path / "run"]
    program = [sys.executable, *launcher, "char_generator", *map(str, asked)]
    done = subprocess.run(program, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    report = (tmp_path / "run" / "report.md").read_text()
    assert "2 processes" in report
    assert f"- command: `torchrun --nproc_per_node 2 -m seqgen train char_generator --data {tmp_path}" in report
