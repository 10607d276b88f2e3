"""The recipes of the classifiers and of the tagger, on small data of their own kind."""

import io
import json
import shlex
import sys
from functools import partial

import pytest
import torch
from making import load_recipe, results_of, weights_of
from small_data import OPTIONS, WORDS, labelled, spans

import seqgen
from seqgen.cli import main as cli
from seqgen.data.sets.shapes import shape_pictures
from seqgen.runs.config import parse_options

RESULTS = {
    "test_accuracy",
    "test_macro_f1",
    "majority_accuracy",
    "baseline_accuracy",
    "calibration_error",
    "val_loss",
    "steps",
    "seconds",
    "tokens_per_second",
    "parameters",
    "precision",
    "threads",
    "seed",
}
CASES = ("text_classifier", "image_classifier", "tagger")


@pytest.fixture(params=CASES)
def train(request, command, tmp_path):
    recipe = load_recipe(request.param)
    make, options = OPTIONS[request.param]
    _, data = made = make(tmp_path)

    def run(*arguments, directory="run"):
        shared = [*made, "--output_dir", tmp_path / directory, "--precision", "fp32", "--eval_every", 20]
        return command(recipe.main, *shared, *options, *arguments)

    run.name, run.data, run.recipe = request.param, data, recipe
    return run


@pytest.mark.figures
def test_a_run_learns_and_leaves_all_that_is_promised(train, tmp_path):
    code, out, err = train("--max_steps", 60)
    assert code == 0, err
    run = tmp_path / "run"
    results = results_of(run)
    assert set(results) >= RESULTS
    assert results["steps"] == 60
    assert results["test_accuracy"] > 0.9 > results["majority_accuracy"]
    assert {path.name for path in run.iterdir()} >= {"confusion.png", "mistakes.jsonl", "curves.png", "model", "state"}
    assert "macro avg" in out
    assert f"{results['test_accuracy']:.2%}" in out
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "val_accuracy" in line] == [20, 40, 60]


def test_a_resumed_run_ends_with_the_same_weights(train, tmp_path):
    train("--max_steps", 14, directory="straight")
    train("--max_steps", 7, "--decay", "none", "--warm_up", 0, directory="halves")
    code, _, err = train("--max_steps", 14, "--decay", "none", "--warm_up", 0, "--resume", directory="halves")
    assert code == 0, err
    train("--max_steps", 14, "--decay", "none", "--warm_up", 0, directory="whole")
    assert weights_of(tmp_path / "halves") == weights_of(tmp_path / "whole")
    assert weights_of(tmp_path / "straight") != weights_of(tmp_path / "whole")


def test_the_command_at_the_end_works(train, command, tmp_path):
    _, out, _ = train("--max_steps", 40)
    words = shlex.split(out.splitlines()[-1])
    if train.name == "image_classifier":
        words[-1] = str(tmp_path / "pictures" / "red" / "3.png")
    if train.name == "tagger":
        words[-1] = str(tmp_path / "file.txt")
        (tmp_path / "file.txt").write_text("Bob Smith9 saw the river1\n")
    code, out, err = command(cli.main, *words[1:])
    assert code == 0, err
    expected = {"text_classifier": ("pos", "neg"), "image_classifier": ("red",), "tagger": ("Bob\tB-PER",)}
    assert out.startswith(expected[train.name])


def test_a_broken_data_file_is_a_sentence(train, tmp_path, command):
    if train.name == "image_classifier":
        (tmp_path / "pictures" / "red" / "3.png").write_bytes(b"no image")
        code, _, err = train("--max_steps", 5)
        assert "3.png: an image must be whole" in err
        other, _, complaint = train("--max_steps", 5, "--skip_bad", "true", directory="other")
        assert other == 0, complaint
    else:
        train.data.write_text(train.data.read_text() + "lonely\n")
        code, _, err = train("--max_steps", 5)
        assert f"{train.data}, line" in err
    assert code == 2
    assert "Traceback" not in err


@pytest.mark.parametrize("tokenizer", ["char", "byte", "subword", "lowercase-word"])
def test_texts_are_told_apart_by_any_tokens(command, tmp_path, tokenizer):
    options = [*labelled(tmp_path), "--output_dir", tmp_path / "run", "--max_steps", 3, "--eval_every", 20]
    code, _, err = command(load_recipe("text_classifier").main, *options, *WORDS, "--tokenizer", tokenizer)
    assert code == 0, err
    assert seqgen.load(tmp_path / "run").tokenizer.kind == tokenizer


def test_a_classifier_begins_with_the_weights_of_a_generator(command, tmp_path, generator):
    generator.save_pretrained(tmp_path / "generator" / "model")
    options = [*labelled(tmp_path), "--init_from", tmp_path / "generator", "--batch_tokens", 300]
    options += ["--new_tokens", "unknown"]
    frozen = ["--unfreeze", 0.95, "--max_steps", 10, "--averaging", 0, "--eval_every", 20]
    code, _, err = command(load_recipe("text_classifier").main, *options, *frozen, "--output_dir", tmp_path / "a")
    assert code == 0, err
    begun = seqgen.load(tmp_path / "a")
    assert begun.tokenizer.to_data() == generator.tokenizer.to_data()
    tokens = torch.randint(4, generator.tokenizer.vocab_size, (2, 9))
    with torch.no_grad():
        found, _ = begun.model.encoder.forwards(begun.model.encoder.embedding(tokens))
        expected, _ = generator.model.recurrent(generator.model.embedding(tokens))
    torch.testing.assert_close(found, expected)
    assert begun.model.encoder.embedding.weight.std() < 0.3 * generator.model.embedding.weight.std()
    thawed = ["--unfreeze", 0.3, *frozen[2:]]
    command(load_recipe("text_classifier").main, *options, *thawed, "--output_dir", tmp_path / "b")
    after = seqgen.load(tmp_path / "b").model.encoder.forwards.state_dict()
    assert any((tensor != generator.model.recurrent.state_dict()[name]).any() for name, tensor in after.items())


def test_what_is_no_generator_cannot_be_begun_with(command, tmp_path):
    options = [*labelled(tmp_path), "--output_dir", tmp_path / "run", "--init_from", tmp_path / "nothing"]
    code, _, err = command(load_recipe("text_classifier").main, *options)
    assert code == 2
    assert "there is no folder" in err


def test_balanced_classes_count_alike(command, tmp_path):
    path = tmp_path / "rare.txt"
    path.write_text("usual some words\n" * 90 + "rare some words\n" * 10)
    predicted = {}
    for weights in ("none", "balanced"):
        options = ["--data", path, "--valid", path, "--test", path, "--output_dir", tmp_path / weights]
        command(load_recipe("text_classifier").main, *options, *WORDS, "--max_steps", 40, "--class_weights", weights)
        [[label]] = seqgen.load(tmp_path / weights).classify("some words")
        predicted[weights] = label.probability if label.label == "rare" else 1 - label.probability
    assert predicted["none"] < 0.3
    assert abs(predicted["balanced"] - 0.5) < 0.15


def test_spans_and_unseen_words_have_figures_of_their_own(command, tmp_path):
    options = [*spans(tmp_path), "--output_dir", tmp_path / "run", "--max_steps", 60]
    code, out, err = command(load_recipe("tagger").main, *options, *WORDS)
    assert code == 0, err
    results = results_of(tmp_path / "run")
    assert results["test_span_f1"] > 0.9
    assert results["test_accuracy_unseen"] > 0.9
    assert "span f1" in out


def test_the_offline_sets_are_there(command, tmp_path, monkeypatch):
    """Each recipe's default data, read and learned from for two steps."""
    monkeypatch.setattr("seqgen.data.sets.highlighting.TRAINED", 20_000)
    monkeypatch.setattr("seqgen.data.sets.highlighting.HELD_BACK", 5_000)
    monkeypatch.setattr("seqgen.data.sets.passages.MOST_PASSAGES", 110)
    monkeypatch.setattr("seqgen.data.catalog.shape_pictures", partial(shape_pictures, 200))
    for name in CASES:
        options = ["--max_steps", 2, "--output_dir", tmp_path / name, *OPTIONS[name][1], "--precision", "fp32"]
        code, _, err = command(load_recipe(name).main, *options)
        assert code == 0, err


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_tags_are_shown_as_lines_json_or_in_colour(command, tmp_path, monkeypatch):
    options = [*spans(tmp_path), "--output_dir", tmp_path / "run", "--max_steps", 40]
    command(load_recipe("tagger").main, *options, *WORDS)
    for flags in ([], ["--json"]):
        monkeypatch.setattr(sys, "stdin", io.StringIO("Bob Smith9 saw\n\nthe river\n"))
        code, out, err = command(cli.main, "tag", tmp_path / "run", *flags)
        assert code == 0, err
        if flags:
            first, empty, _ = map(json.loads, out.splitlines())
            assert (first["tokens"], first["tags"]) == (["Bob", "Smith9", "saw"], ["B-PER", "I-PER", "O"])
            assert all(0 < probability <= 1 for probability in first["probabilities"])
            assert empty == {"tokens": [], "tags": [], "probabilities": []}
        else:
            assert out == "Bob\tB-PER\nSmith9\tI-PER\nsaw\tO\n\n\nthe\tO\nriver\tO\n\n"
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdin", io.StringIO("Bob saw"))
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.delenv("NO_COLOR", raising=False)
    cli.run_command(["tag", str(tmp_path / "run")])
    assert "\033[" in terminal.getvalue()


@pytest.mark.parametrize("name", ["text_classifier", "name_generator"])
def test_columns_are_named_or_counted_on_the_command_line(name):
    words = ["--data", "a.csv,b.csv", "--label_column", "1", "--text_column", "2,3", "--encoding", "latin-1"]
    config = parse_options(load_recipe(name).Config, words)
    assert (config.data, config.label_column, config.text_column) == ("a.csv,b.csv", "1", "2,3")
    assert config.encoding == "latin-1"
