"""The translator's recipe, on its dates and on small files."""

import json
import shlex

import pytest
from making import RUN_FILES, load_recipe, results_of, weights_of
from small_data import parallel, sentences

import seqgen
from seqgen.cli import main as cli
from seqgen.data.sets import dates

RESULTS = {
    "val_bleu",
    "test_bleu",
    "test_chrf",
    "test_exact_match",
    "val_loss",
    "steps",
    "seconds",
    "tokens_per_second",
    "parameters",
    "precision",
    "threads",
    "seed",
}
SMALL = ["--hidden_size", 16, "--embedding_size", 8, "--batch_tokens", 400, "--precision", "fp32", "--max_length", 30]


@pytest.fixture
def train(command, tmp_path):
    def run(*arguments, directory=None):
        directory = tmp_path / "run" if directory is None else directory
        return command(load_recipe("translator").main, "--output_dir", directory, *SMALL, *arguments)

    return run


@pytest.mark.figures
def test_a_run_on_dates_leaves_all_that_is_promised(train, command, tmp_path, monkeypatch):
    monkeypatch.setattr(dates, "TRAIN", 300)
    monkeypatch.setattr(dates, "HELD_BACK", 12)
    code, out, err = train("--max_steps", 12)
    assert code == 0, err
    run = tmp_path / "run"
    found = {path.name for path in run.iterdir() if not path.name.startswith("events.")}
    assert found == RUN_FILES | {"attention", "examples", "worst.jsonl"}
    results = results_of(run)
    assert set(results) >= RESULTS
    assert 0 <= results["test_exact_match"] <= 1
    assert len(list((run / "attention").glob("*.png"))) == 5
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    measured = [line for line in lines if "val_loss" in line]
    assert [line["step"] for line in measured][-1] == 12
    assert all({"val_bleu", "val_perplexity"} <= set(line) for line in measured)
    [line] = [line for line in out.splitlines() if line.startswith("seqgen translate ")]
    code, out, _ = command(cli.main, *shlex.split(line)[1:])
    assert (code, out.count("\n")) == (0, 1)


def test_it_learns_two_languages(train, tmp_path):
    options = ["--tokenizer", "word", "--dropout", 0.0, "--label_smoothing", 0, "--averaging", 0]
    code, _, err = train(*parallel(tmp_path), *options, "--hidden_size", 32, "--max_steps", 300, "--eval_every", 100)
    assert code == 0, err
    assert results_of(tmp_path / "run")["test_exact_match"] > 0.6
    translator = seqgen.load(tmp_path / "run")
    assert sum(translator.translate(one)[0].text == other for one, other in sentences()) > 50


@pytest.mark.parametrize("options", [["--shared_vocabulary", "false"], ["--input_feeding", "true", "--cell", "gru"]])
def test_options_of_the_model(train, tmp_path, options):
    code, _, err = train(*parallel(tmp_path), "--tokenizer", "subword", "--vocab_size", 300, "--max_steps", 3, *options)
    assert code == 0, err
    assert seqgen.load(tmp_path / "run").translate("ein zwei")


def test_scheduled_sampling_and_other_parts_of_ones_own(train, tmp_path):
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("source\ttarget\n" + "".join(f"{one}\t{other}\n" for one, other in sentences()))
    parts = ["--data", pairs, "--valid", pairs, "--test", pairs]
    code, _, err = train(*parts, "--scheduled_sampling", 0.3, "--max_steps", 4, "--tokenizer", "char")
    assert code == 0, err
    assert "pairs: 60 to train on, 60 to validate on, 60 to test on" in err


def test_a_stopped_run_goes_on_to_the_same_weights(train, command, tmp_path):
    data = [*parallel(tmp_path), "--tokenizer", "char", "--eval_every", 4, "--dropout", 0.2, "--word_dropout", 0.1]
    data += ["--scheduled_sampling", 0.2, "--decay", "none", "--warm_up", 0]
    train(*data, "--max_steps", 8, directory=tmp_path / "whole")
    train(*data, "--max_steps", 5, directory=tmp_path / "run")
    code, _, err = command(
        load_recipe("translator").main, "--output_dir", tmp_path / "run", "--resume", "--max_steps", 8
    )
    assert code == 0, err
    assert results_of(tmp_path / "run")["val_loss"] == results_of(tmp_path / "whole")["val_loss"]
    assert weights_of(tmp_path / "run") == weights_of(tmp_path / "whole")


def test_wild_pairs_are_counted(train, tmp_path, caplog):
    rows = [*sentences(), ("x", "y" * 200)]
    train(*parallel(tmp_path, rows), "--tokenizer", "char", "--max_steps", 1)
    assert "1 pairs have one side more than nine times as long" in caplog.text
    assert "kept" in caplog.text


def bad(folder):
    rows = list(sentences())
    (folder / "short").write_text("one\n")
    with_empty = parallel(folder, [*rows, ("", "six")])
    (folder / "no").write_text("")
    return {
        "lengths": (["--source", folder / "de", "--target", folder / "short"], "must have as many lines"),
        "empty": (with_empty, "de, line 61: the source must not be empty"),
        "one side": (["--source", folder / "de"], "--source must come with --target, which is missing"),
        "both": (["--data", folder / "x.tsv", *with_empty], "--source must be without --data"),
        "nothing": (["--data", folder / "none.tsv"], "none.tsv' is not there"),
        "beams": (["--num_beams", 0], "--num_beams must be above 0, not 0"),
        "heads": (["--heads", 3], "heads must be at least 1 and divide the memory's 16 features, not 3"),
        "size": (["--hidden_size", 0], "hidden_size must be at least 1, not 0"),
        "share": (["--scheduled_sampling", 1.5], "--scheduled_sampling must be at least 0 and below 1, not 1.5"),
        "even": (["--hidden_size", 15], "hidden_size must be even"),
        "layers": (["--layers", 0], "layers must be at least 1, not 0"),
        "parts of dates": (["--valid", folder / "x.tsv"], "--valid must come with --data or --source"),
        "kind": (["--data", folder / "short"], "a file of pairs must have a tab in each line"),
        "no test": (
            [*with_empty, "--drop_strange", "true", "--test_source", folder / "no", "--test_target", folder / "no"],
            "the part to test on must have at least one pair",
        ),
        "few": (["--source", folder / "short", "--target", folder / "short"], "at least 20 different sentences"),
    }


CASES = ["lengths", "empty", "one side", "both", "nothing", "beams", "heads", "size", "share", "few", "even", "layers"]


@pytest.mark.parametrize("case", [*CASES, "parts of dates", "kind", "no test"])
def test_a_mistake_is_one_sentence(train, tmp_path, case):
    arguments, sentence = bad(tmp_path)[case]
    code, _, err = train(*arguments)
    assert code == 2
    assert sentence in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_empty_pairs_are_left_out_where_asked(train, tmp_path):
    data = parallel(tmp_path, [*sentences(), ("", "six"), ("sechs", "")])
    code, _, err = train(*data, "--drop_strange", "true", "--tokenizer", "char", "--max_steps", 1)
    assert code == 0, err
    assert "pairs: 48 to train on, 6 to validate on, 6 to test on" in err
