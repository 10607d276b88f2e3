"""Runs that are killed or interrupted, as real processes."""

import json
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

# Checkpoints after every update.
PROGRAM = """
import sys
sys.path.insert(0, {recipes!r})
from seqgen.errors import run_main
from seqgen.runs import training
import char_generator
training.SAVE_EVERY = 0
run_main(char_generator.main)
"""
pytestmark = pytest.mark.processes
STEPS = 30


def wait_for_training(running, directory, seconds=60):
    """Wait until a process, resumed or not, has saved something new."""
    seen, end = set(directory.glob("state/step-*")), time.monotonic() + seconds
    while running() and not set(directory.glob("state/step-*")) - seen and time.monotonic() < end:
        time.sleep(0.005)


@pytest.mark.parametrize("name", RECIPES)
def test_killed_at_random_moments_and_resumed_it_ends_with_the_same_weights(name, tmp_path):
    straight, killed, log = tmp_path / "straight", tmp_path / "killed", tmp_path / "log"
    options = [*small_options(name, tmp_path), "--max_steps", STEPS, "--eval_every", 10]
    finish(start(name, *options, "--output_dir", straight, log=log), log)
    pauses, kills = random.Random(name), 0
    for _ in range(2):
        resume = ["--resume"] if (killed / "config.yaml").exists() else []
        process = start(name, *options, "--output_dir", killed, *resume, log=log)
        wait_for_training(process.is_alive, killed)
        time.sleep(pauses.random() / 20)
        process.kill()
        process.join()
        kills += process.exitcode == -signal.SIGKILL
    finish(start(name, *options, "--output_dir", killed, "--resume", log=log), log)
    assert kills > 0
    assert weights_of(killed) == weights_of(straight)
    for run in (straight, killed):
        steps = [json.loads(line)["step"] for line in (run / "metrics.jsonl").read_text().splitlines()]
        assert steps == sorted(steps)
    results = [results_of(run) for run in (straight, killed)]
    assert results[0]["val_loss"] == results[1]["val_loss"]
    assert results[0]["steps"] == STEPS


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_saves_says_how_to_go_on_and_exits_130(text_file, tmp_path, number):
    options = ["--data", text_file, "--output_dir", tmp_path / "run", "--max_steps", 100_000, *SMALL]
    program = [sys.executable, "-c", PROGRAM.format(recipes=str(ROOT / "recipes")), *map(str, options)]
    process = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for_training(lambda: process.poll() is None, tmp_path / "run")
    process.send_signal(number)
    out, err = process.communicate()
    assert process.returncode == 130
    assert out == ""
    assert f"--output_dir {tmp_path / 'run'} --resume" in err.splitlines()[-1]
    assert "Traceback" not in err
    assert list((tmp_path / "run" / "state").glob("step-*"))
    seqgen.load(tmp_path / "run").generate("the")
