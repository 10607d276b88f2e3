"""Training in several processes, as `torchrun` starts them."""

import json
import signal
import subprocess
import sys
from shutil import copytree

import pytest
from making import RECIPES, ROOT, make_generator, results_of, weights_of
from pairs import leave_quickly, send, start_together, train_together, wait_for_checkpoint
from small_data import small_options

pytestmark = pytest.mark.processes
# What is drawn at random is drawn in each process for its own rows: dropout, shifts and mirrors, and captions.
STEPS = 6
LIMITS = ["--max_steps", STEPS, "--eval_every", STEPS // 2]
WITHOUT_CHANCE = ["--dropout", 0, "--device", "cpu"]


def options(name, folder):
    more = {"text_classifier": ["--word_dropout", 0], "tagger": ["--word_dropout", 0]}
    if name == "char_generator":  # it goes on with a saved model, which the first process sends to the others
        make_generator(layers=2).save_pretrained(folder / "saved")
        more[name] = ["--weight_drop", 0, "--init_from", folder / "saved"]
    more["image_classifier"] = ["--shift", 0]
    # Rounding decides whether an activation near zero has a gradient; such gradients add up with the learning rate.
    more["image_captioner"] = ["--self_critical", 0, "--mirror", "false", "--learning_rate", 0.0001]
    more["translator"] = ["--word_dropout", 0]
    return [*small_options(name, folder), *WITHOUT_CHANCE, *more.get(name, [])]


def figures(directory):
    """The figures of the best model, without those that measure time."""
    found = results_of(directory).items()
    return {key: value for key, value in found if key.startswith(("val_", "test_")) and "per_second" not in key}


def validations(directory):
    lines = map(json.loads, (directory / "metrics.jsonl").read_text().splitlines())
    validated = (line for line in lines if "val_loss" in line)
    return [{key: value for key, value in line.items() if key.startswith("val_")} for line in validated]


def same(found, expected):
    """Figures of the same names, equal but for rounding, which may turn a rare answer."""
    assert found.keys() == expected.keys()
    for name, figure in expected.items():
        # Sums are rounded in another order, so not bit for bit; with batch statistics or rows shared out wrongly the
        # losses would differ by 0.001 (measured with images) and more.
        assert found[name] == pytest.approx(figure, abs=1e-4, rel=1e-4), name


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Train a recipe in one process or more, once: returns the directory of the run, and its options."""
    runs = {}

    def run(name, processes):
        if name not in runs:
            runs[name] = tmp_path_factory.mktemp(name), options(name, tmp_path_factory.mktemp("data"))
        folder, asked = runs[name]
        if not (folder / str(processes)).exists():
            train_together(name, *asked, *LIMITS, "--output_dir", folder / str(processes), processes=processes)
        return folder / str(processes), asked

    return run


@pytest.mark.parametrize("name", RECIPES)
def test_two_processes_learn_what_one_does(name, trained):
    """The figures of all validations and of the test are the same, too."""
    (one, _), (two, _) = trained(name, 1), trained(name, 2)
    same(figures(two), figures(one))
    assert results_of(two)["steps"] == results_of(one)["steps"] == STEPS
    assert len(validations(one)) == 2
    for there, here in zip(validations(two), validations(one), strict=True):
        same(there, here)
    assert "2 processes" in (two / "report.md").read_text()
    assert two.with_name("2.log1.out").read_text() == ""  # only the first one writes


@pytest.mark.parametrize("name", RECIPES)
def test_a_process_that_is_killed_ends_the_other_and_the_run_is_resumed_to_the_same_weights(name, trained):
    straight, asked = trained(name, 2)
    killed = straight.with_name("killed")
    both = start_together(name, *asked, *LIMITS, "--output_dir", killed)
    wait_for_checkpoint(both, killed)
    victim = RECIPES.index(name) % 2
    both[victim].kill()
    codes = leave_quickly(both)
    assert (codes[victim], codes[1 - victim]) == (-signal.SIGKILL, 1)
    said = killed.with_name(f"killed.log{1 - victim}").read_text()
    assert said.splitlines()[-1].startswith("another process of this run has ended, so this one was interrupted; to")
    assert "Traceback" not in said
    train_together(name, *asked, *LIMITS, "--output_dir", killed, "--resume", processes=2)
    assert weights_of(killed) == weights_of(straight)


def test_a_signal_to_one_process_stops_all_after_the_same_update(trained):
    run, asked = trained("char_generator", 2)
    stopped = run.with_name("stopped")
    both = start_together("char_generator", *asked, "--max_steps", 100_000, "--output_dir", stopped)
    wait_for_checkpoint(both, stopped)
    send(both[1], signal.SIGTERM)
    assert leave_quickly(both) == [130, 130]
    said = [stopped.with_name(f"stopped.log{rank}").read_text() for rank in range(2)]
    assert said[0].splitlines()[-1].startswith("stopped after step")
    assert "stopped after" not in said[1]  # one sentence is enough
    assert "Traceback" not in "".join(said)


@pytest.fixture(scope="module")
def half_way(trained):
    """A run of a generator, which carries its hidden state, that was trained by one process or by two until now."""
    run, asked = trained("char_generator", 2)
    asked = [*asked, "--batch_size", 6, "--decay", "none"]
    for processes in (1, 2):
        directory = run.with_name(f"half{processes}")
        train_together("char_generator", *asked, "--max_steps", 4, "--output_dir", directory, processes=processes)
    return run.parent


@pytest.mark.parametrize(("before", "now"), [(1, 2), (2, 1)])
def test_another_number_of_processes_goes_on_as_the_same_one_would(half_way, before, now):
    for name, processes in (("half1", 1), (f"half{before}", now)):
        if not (half_way / f"{name}-{processes}").exists():
            copytree(half_way / name, half_way / f"{name}-{processes}")
            on = ["--output_dir", half_way / f"{name}-{processes}", "--resume", "--max_steps", 8]
            train_together("char_generator", *on, processes=processes)
    same_number, other = half_way / "half1-1", half_way / f"half{before}-{now}"
    for there, here in zip(validations(other), validations(same_number), strict=True):
        same(there, here)
    [log] = [path for path in half_way.glob(f"{other.name}.log*") if path.suffix in (".log", ".log0")]
    assert f"processes: {now}, before {before}, so each batch and its states are dealt anew" in log.read_text()


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
