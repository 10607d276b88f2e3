"""What is in a run's folder is not believed: damaged, exchanged or strange files are one sentence, or are left out."""

import os

import pytest
import yaml

import seqgen
from seqgen.errors import InputError
from seqgen.runs.checkpoints import load_checkpoint, save_checkpoint

STEPS = 4
RECORDS = [b"\xff\n", b"[]\n", b"{}\n", b"5\n", b"[" * 100_000, b'{"step": "a", "time": 1, "changed": [1]}\n']


@pytest.fixture
def run(train, tmp_path):
    assert train("--max_steps", STEPS, "--eval_every", 2)[0] == 0
    return tmp_path / "run"


def refused(train, words):
    code, _, err = train("--max_steps", STEPS + 1, "--resume")
    assert code == 2, err
    sentence = err.splitlines()[-1]
    assert sentence.startswith("error: ")
    assert words in sentence


@pytest.mark.parametrize("name", ["state/step-999999999.safetensors", "metrics.jsonl", "resumed.jsonl"])
def test_a_pipe_among_its_files_is_refused_not_waited_for(train, run, name):
    (run / name).unlink(missing_ok=True)
    os.mkfifo(run / name)
    refused(train, f"{name} must be a file or a folder")


@pytest.mark.parametrize("option", ["hidden_size", "cell", "optimizer", "batch_size"])
def test_a_checkpoint_belongs_to_its_options(command, recipe, run, option):
    path = run / "resolved.yaml"
    options = yaml.safe_load(path.read_text())
    options[option] = {"cell": "gru", "optimizer": "muon" if options["optimizer"] == "adamw" else "adamw"}.get(
        option, 8
    )
    path.write_text(yaml.safe_dump(options))
    code, _, err = command(recipe.main, "--output_dir", run, "--resume", "--max_steps", STEPS + 1)
    assert code == 2, err
    assert f"with {option} " in err.splitlines()[-1]


@pytest.mark.parametrize(
    ("field", "value"),
    [("calculation", None), ("progress", [-5, 0, 0, 0]), ("processes", []), ("model", {}), ("best", 1)],
)
def test_a_whole_checkpoint_of_something_else_is_refused(train, run, field, value):
    values = load_checkpoint(run / "state")
    save_checkpoint(run / "state", 1_000, {**values, field: value})
    refused(train, "the checkpoint in")


def test_lines_of_records_that_are_none_are_left_out(train, run):
    for name in ("metrics.jsonl", "resumed.jsonl"):
        with (run / name).open("ab") as file:
            file.writelines(RECORDS)
    code, _, err = train("--max_steps", STEPS + 1, "--resume")
    assert code == 0, err


def test_a_run_goes_on_with_its_data_in_another_place_not_with_others(command, recipe, run, text_file, tmp_path):
    moved = text_file.rename(tmp_path / "moved.txt")
    code, _, err = command(recipe.main, "--output_dir", run, "--resume", "--max_steps", STEPS + 1, "--data", moved)
    assert code == 0, err
    moved.write_text("another text of other words\n" * 40)
    code, _, err = command(recipe.main, "--output_dir", run, "--resume", "--max_steps", STEPS + 2, "--data", moved)
    assert code == 2
    assert "on its own data" in err


def test_no_model_is_saved_over_a_run(run):
    model = seqgen.load(run)
    with pytest.raises(InputError, match="another folder than that of a run"):
        model.save_pretrained(run)
    model.save_pretrained(run / "copy")
