"""Training in two processes, as `torchrun` starts them."""

import subprocess
import sys

from making import ROOT, SMALL, results_of


def train(text_file, directory, *launcher):
    command = [sys.executable, *launcher, ROOT / "recipes" / "char_generator.py", "--data", text_file]
    command += ["--output_dir", directory, "--max_steps", 12, "--eval_every", 6, "--device", "cpu", *SMALL]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return results_of(directory)


def test_two_processes_learn_what_one_does(text_file, tmp_path):
    one = train(text_file, tmp_path / "one")
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    two = train(text_file, tmp_path / "two", *launcher)
    # Sums are rounded in another order, so not bit for bit; lanes shared out wrongly would differ in the first digits.
    assert abs(one["val_loss"] - two["val_loss"]) < 1e-4
    assert two["steps"] == one["steps"] == 12
