"""Runs that are killed or interrupted, as real processes."""

import json
import random
import signal
import subprocess
import sys
import time

import pytest
from making import ROOT, SMALL, results_of, weights_of

import seqgen

# Checkpoints after every step, so that kills fall into the saving of one, too.
PROGRAM = """
import sys
sys.path.insert(0, {recipes!r})
from seqgen.errors import run_main
from seqgen.runs import run
import char_generator
run.SAVE_EVERY = 0
run_main(char_generator.main)
"""


@pytest.fixture
def start(text_file):
    def popen(directory, *arguments):
        options = ["--data", text_file, "--output_dir", directory, "--max_steps", 300, "--eval_every", 20, *SMALL]
        options += ["--dropout", 0.2, "--layers", 2, *arguments]
        program = PROGRAM.format(recipes=str(ROOT / "recipes"))
        return subprocess.Popen(
            [sys.executable, "-c", program, *map(str, options)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return popen


def wait_for_training(process, directory, seconds=60):
    """Wait until this process, resumed or not, has saved something new."""
    seen, end = set(directory.glob("state/step-*")), time.monotonic() + seconds
    while process.poll() is None and not set(directory.glob("state/step-*")) - seen and time.monotonic() < end:
        time.sleep(0.01)


def test_killed_at_random_moments_and_resumed_it_ends_with_the_same_weights(start, tmp_path):
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    assert start(straight).wait() == 0
    kills = 0
    for _ in range(3):
        process = start(killed, *(["--resume"] if (killed / "config.yaml").exists() else []))
        wait_for_training(process, killed)
        time.sleep(random.random())
        process.kill()
        kills += process.wait() == -signal.SIGKILL
    process = start(killed, "--resume")
    _, err = process.communicate()
    assert process.returncode == 0, err
    assert kills > 0
    assert weights_of(killed) == weights_of(straight)
    for run in (straight, killed):
        steps = [json.loads(line)["step"] for line in (run / "metrics.jsonl").read_text().splitlines()]
        assert steps == sorted(steps)
    results = [results_of(run) for run in (straight, killed)]
    assert results[0]["val_loss"] == results[1]["val_loss"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_saves_says_how_to_go_on_and_exits_130(start, tmp_path, number):
    process = start(tmp_path / "run", "--max_steps", 100_000)
    wait_for_training(process, tmp_path / "run")
    process.send_signal(number)
    out, err = process.communicate()
    assert process.returncode == 130
    assert out == ""
    assert f"--output_dir {tmp_path / 'run'} --resume" in err.splitlines()[-1]
    assert "Traceback" not in err
    assert list((tmp_path / "run" / "state").glob("step-*"))
    seqgen.load(tmp_path / "run").generate("the")
