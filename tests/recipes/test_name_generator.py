"""The name generator's recipe."""

import shlex

import pytest
from making import RUN_FILES, load_recipe, results_of, weights_of
from small_data import words

import seqgen
from seqgen.cli import main as cli

SMALL = ["--hidden_size", 16, "--embedding_size", 8, "--condition_size", 8, "--precision", "fp32"]


@pytest.fixture
def train(command, tmp_path, monkeypatch):
    recipe = load_recipe("name_generator")
    monkeypatch.setattr(recipe, "WRITTEN", 20)  # to write more takes most of a short run

    def run(*arguments, directory=None):
        directory = tmp_path / "run" if directory is None else directory
        return command(recipe.main, "--output_dir", directory, *SMALL, *arguments)

    return run


def test_a_run_leaves_all_that_is_promised(train, command, tmp_path, monkeypatch):
    monkeypatch.setattr("seqgen.data.sets.function_names.LEAST", 400)  # of few packages, as it writes for each
    code, out, err = train("--max_steps", 3)
    assert code == 0, err
    run = tmp_path / "run"
    found = {path.name for path in run.iterdir() if not path.name.startswith("events.")}
    assert found == RUN_FILES
    assert {"val_loss", "test_loss", "told_apart", "told_apart_real", "told_apart_by_chance", "new"} <= set(
        results_of(run)
    )
    code, out, _ = command(cli.main, *shlex.split(out.splitlines()[-1])[1:])
    assert (code, out.count("\n")) == (0, 1)


def test_it_learns_what_each_category_is_like(train, tmp_path):
    code, _, err = train(*words(tmp_path), "--max_steps", 150, "--dropout", 0, "--averaging", 0)
    assert code == 0, err
    assert results_of(tmp_path / "run")["told_apart"] > 0.95
    generator = seqgen.load(tmp_path / "run")
    assert set(generator.generate("a", do_sample=False)[0]) <= set("axyz")
    assert set(generator.generate("b", do_sample=False)[0]) <= set("bxyz")


def test_conditions_may_be_numbers(train, tmp_path):
    rows = "".join(f"{number} {-number}\t{'a' * (1 + number // 10)}\n" for number in range(60))
    (tmp_path / "numbers.tsv").write_text("label\ttext\n" + rows)
    data = ["--data", tmp_path / "numbers.tsv", "--conditions", "numbers"]
    code, out, err = train(*data, "--max_steps", 150, "--dropout", 0, "--averaging", 0)
    assert code == 0, err
    assert "classified" not in out
    generator = seqgen.load(tmp_path / "run")
    short, long = generator.generate(["2 -2", "57 -57"], do_sample=False)
    assert len(short) < len(long)


def test_a_stopped_run_goes_on_to_the_same_weights(train, command, tmp_path):
    data = [*words(tmp_path), "--decay", "none", "--warm_up", 0]
    train(*data, "--max_steps", 8, directory=tmp_path / "whole")
    train(*data, "--max_steps", 5, directory=tmp_path / "run")
    command(load_recipe("name_generator").main, "--output_dir", tmp_path / "run", "--resume", "--max_steps", 8)
    assert weights_of(tmp_path / "run") == weights_of(tmp_path / "whole")


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("label\ttext\n1 2\ta\n1\tb\n" + "1 2\tc\n" * 20, ["--conditions", "numbers"], "there must be 2 numbers as in"),
        ("label\ttext\n" + "one\ta\n" * 20, ["--conditions", "numbers"], "a label must be numbers, not 'one'"),
        ("label\ttext\n1\ta\n", ["--conditions", "numbers"], "at least 20 texts to split, not 1"),
        ("label\ttext\nx\ta\ny\tb\n", [], "a class must have at least two examples"),
    ],
)
def test_bad_input_is_one_sentence(train, tmp_path, content, options, message):
    (tmp_path / "x.tsv").write_text(content)
    code, _, err = train("--data", tmp_path / "x.tsv", "--max_steps", 1, *options)
    assert (code, err.count("\n")) == (2, 1), err
    assert message in err
