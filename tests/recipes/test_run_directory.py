"""Where a run is kept, and how it is gone on with."""

import io
import shlex
import sys

import pytest
from making import SMALL, TEXT, results_of, weights_of

import seqgen
from seqgen.cli import main as cli
from seqgen.errors import InputError
from seqgen.runs.directory import read_resumptions
from seqgen.runs.logger import read_metrics


def test_patience_ends_a_run_early_and_for_good(train, tmp_path):
    hopeless = ["--max_steps", 100, "--eval_every", 2, "--patience", 3, "--learning_rate", 1e-12]
    train(*hopeless)
    first = results_of(tmp_path / "run")
    assert 6 <= first["steps"] < 100
    train(*hopeless, "--resume")
    assert results_of(tmp_path / "run")["steps"] == first["steps"]


def test_a_run_trains_on_with_more_steps(train, tmp_path):
    train("--max_steps", 10)
    code, _, err = train("--max_steps", 25, "--resume")
    assert code == 0, err
    assert results_of(tmp_path / "run")["steps"] == 25


def test_standard_input_can_be_resumed(recipe, command, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode())))
    options = ["--output_dir", tmp_path / "run", "--max_steps"]
    assert command(recipe.main, "--data", "-", *SMALL, *options, 5)[0] == 0
    code, _, err = command(recipe.main, *options, 9, "--resume")
    assert code == 0, err
    assert results_of(tmp_path / "run")["steps"] == 9


def test_another_run_is_never_overwritten(train, tmp_path):
    train("--max_steps", 5)
    before = weights_of(tmp_path / "run")
    code, _, err = train("--max_steps", 5, "--seed", 2)
    assert code == 2
    assert "must not hold another run" in err
    assert weights_of(tmp_path / "run") == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").touch()
    assert "must be new or empty" in train(directory=tmp_path / "mine")[2]
    (tmp_path / "file").touch()
    assert "written" in train("--max_steps", 1, directory=tmp_path / "file" / "run")[2]
    assert "is a file" in train(directory=tmp_path / "file")[2]


def test_a_run_is_resumed_with_its_own_settings_and_data(train, recipe, command, tmp_path):
    train("--max_steps", 5)
    code, _, err = train("--max_steps", 9, "--resume", "--cell", "gru", "--layers", 2)
    assert code == 2
    assert "--cell was lstm and is now gru, --layers was 1 and is now 2" in err
    (tmp_path / "text.txt").write_text(TEXT + "more text of the same letters", encoding="utf-8")
    code, _, err = command(recipe.main, "--output_dir", tmp_path / "run", "--resume", "--max_steps", 9)
    assert code == 2
    assert "resumed on its own data" in err


def test_without_a_folder_each_run_gets_a_new_one(recipe, command, text_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("char_generator", "char_generator-2"):
        code, _, _ = command(recipe.main, "--data", text_file, "--max_steps", 3, *SMALL)
        assert code == 0
        assert (tmp_path / "runs" / name / "results.json").exists()


def test_a_run_without_a_model_or_with_damaged_options_says_so(command, recipe, tmp_path):
    (tmp_path / "config.yaml").write_text("seed: 1\n")
    for content in ("a: [", "hello"):
        (tmp_path / "resolved.yaml").write_text(content)
        code, _, err = command(recipe.main, "--output_dir", tmp_path, "--resume")
        assert code == 2
        assert "resolved.yaml must hold the options of a run" in err
    with pytest.raises(InputError, match="resume it"):
        seqgen.load(tmp_path)


def test_a_run_is_resumed_with_another_learning_rate_and_says_when(train, tmp_path):
    constant = ["--decay", "none", "--warm_up", 0, "--optimizer", "adamw"]
    train("--max_steps", 20, "--learning_rate", 0.004, *constant)
    before = weights_of(tmp_path / "run")
    code, _, err = train("--max_steps", 40, "--learning_rate", 0.001, *constant, "--patience", 7, "--resume")
    assert code == 0, err
    [line] = read_resumptions(tmp_path / "run")
    assert (line["step"], line["changed"]["learning_rate"]) == (20, [0.004, 0.001])
    assert line["changed"]["patience"] == [None, 7]
    assert "--learning_rate` 0.001 instead of 0.004" in (tmp_path / "run" / "report.md").read_text(encoding="utf-8")
    rates = {line["step"]: line["learning_rate"] for line in read_metrics(tmp_path / "run") if "learning_rate" in line}
    assert rates == {20: 0.004, 40: 0.001}
    assert weights_of(tmp_path / "run") != before


@pytest.mark.parametrize("name", [" lr[0.1]*?{a} ~$x%s\n'\"ü,b", "-x"])
def test_a_name_is_only_a_name_to_resume_to_start_again_and_to_use(recipe, command, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    data = tmp_path / f"{name}\udcff.txt"  # a name of bytes that are not UTF-8
    data.write_text(TEXT)
    code, out, err = command(recipe.main, f"--data={data.name}", f"--output_dir={name}", *SMALL, "--max_steps", 3)
    assert code == 0, err
    words = shlex.split(out.rpartition("to generate more:\n")[2])
    code, _, err = command(cli.main, *words[1:], "--max_new_tokens", 2)
    assert code == 0, err
    code, _, err = command(recipe.main, f"--output_dir={name}", "--resume", "--max_steps", 4)
    assert code == 0, err
    assert results_of(tmp_path / name)["steps"] == 4


def test_a_directory_whose_name_is_not_utf8_is_refused(train, tmp_path):
    code, _, err = train(directory=str(tmp_path / "\udcff"))
    assert code == 2
    assert "--output_dir must be UTF-8" in err
    assert err.count("\n") == 1


def test_a_sentence_is_one_line_also_with_line_ends_in_a_name(train, tmp_path):
    (tmp_path / "a\nb").touch()
    code, _, err = train(directory=tmp_path / "a\nb")
    assert code == 2
    assert err.endswith("a\\nb is a file\n")
    assert err.count("\n") == 1


def test_a_relative_path_is_found_from_another_folder(recipe, command, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    (tmp_path / "here" / "text.txt").write_text(TEXT, encoding="utf-8")
    monkeypatch.chdir(tmp_path / "here")
    code, _, err = command(recipe.main, "--data", "text.txt", "--output_dir", "run", *SMALL, "--max_steps", 4)
    assert code == 0, err
    monkeypatch.chdir(tmp_path / "there")
    code, _, err = command(recipe.main, "--output_dir", "../here/run", "--resume", "--max_steps", 8)
    assert code == 0, err
    assert results_of(tmp_path / "here" / "run")["steps"] == 8
    again = ["--config", "../here/run/config.yaml", "--output_dir", "again"]
    code, _, err = command(recipe.main, *again)
    assert code == 0, err
    monkeypatch.chdir(tmp_path / "here")
    code, _, err = command(recipe.main, "--data", "text.txt", "--output_dir", "run", "--resume", "--max_steps", 9)
    assert code == 0, err
