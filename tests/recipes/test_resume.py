"""Runs that are killed or interrupted, as real processes."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest
from making import RECIPES, ROOT, SMALL, results_of, weights_of
from running import finish, start
from small_data import small_options

import seqgen
from seqgen.runs.logger import read_metrics

pytestmark = pytest.mark.processes
STEPS = 16


def wait_for_training(running, directory, seconds=60):
    """Wait until a process, resumed or not, has saved something new."""
    seen, end = set(directory.glob("state/step-*")), time.monotonic() + seconds
    while running() and not set(directory.glob("state/step-*")) - seen and time.monotonic() < end:
        time.sleep(0.005)


def untimed(figures):
    return {name: figure for name, figure in figures.items() if not name.endswith(("seconds", "per_second"))}


@pytest.mark.parametrize("name", RECIPES)
def test_killed_at_random_moments_and_resumed_it_ends_with_the_same_weights(name, tmp_path):
    straight, killed, log = tmp_path / "straight", tmp_path / "killed", tmp_path / "log"
    options = [*small_options(name, tmp_path), "--max_steps", STEPS, "--eval_every", 8]
    finish(start(name, *options, "--output_dir", straight, log=log), log)
    pauses, kills = random.Random(name), 0
    for _ in range(2):
        resume = ["--resume"] if (killed / "config.yaml").exists() else []
        process = start(name, *options, "--output_dir", killed, *resume, log=log)
        wait_for_training(process.is_alive, killed)
        time.sleep(pauses.random() / 30)
        process.kill()
        process.join()
        kills += process.exitcode == -signal.SIGKILL
    finish(start(name, *options, "--output_dir", killed, "--resume", log=log), log)
    assert kills > 0
    assert weights_of(killed) == weights_of(straight)
    metrics = [[untimed(line) for line in read_metrics(run)] for run in (straight, killed)]
    assert metrics[0] == metrics[1]
    assert metrics[0][-1]["step"] == STEPS
    results = [results_of(run) for run in (straight, killed)]
    assert results[0]["val_loss"] == results[1]["val_loss"]
    assert results[0]["steps"] == STEPS


@pytest.mark.parametrize(("number", "times"), [(signal.SIGTERM, 1), (signal.SIGINT, 2)])
def test_ctrl_c_saves_says_how_to_go_on_and_exits_130(text_file, tmp_path, number, times):
    options = ["--data", text_file, "--output_dir", tmp_path / "run", "--max_steps", 100_000, *SMALL]
    log = tmp_path / "log"
    process = start("char_generator", *options, "--optimizer", "adamw", log=log)
    wait_for_training(process.is_alive, tmp_path / "run")
    for _ in range(times):
        os.kill(process.pid, number)
        time.sleep(0.001)
    process.join()
    assert process.exitcode == 130
    assert (tmp_path / "log.out").read_text() == ""
    err = log.read_text()
    assert f"--output_dir {tmp_path / 'run'} --resume" in err.splitlines()[-1]
    assert "Traceback" not in err
    assert list((tmp_path / "run" / "state").glob("step-*"))
    if times == 1:
        seqgen.load(tmp_path / "run").generate("the")


SCRIPT, COMMAND = ["recipes/char_generator.py"], ["-m", "seqgen", "train", "char_generator"]


@pytest.mark.parametrize(
    ("number", "moment", "words"),
    [
        (signal.SIGINT, "numpy", SCRIPT),
        (signal.SIGTERM, "torch.nn", SCRIPT),
        (signal.SIGINT, "torch.nn", COMMAND),
        (signal.SIGTERM, "numpy", COMMAND),
    ],
)
def test_ctrl_c_during_imports_is_one_sentence(number, moment, words):
    started = [sys.executable, "-X", "importtime", *words]
    process = subprocess.Popen(started, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert any(f" {moment}" in line for line in process.stderr)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert [line for line in err.splitlines() if not line.startswith("import time:")] == ["interrupted"]
