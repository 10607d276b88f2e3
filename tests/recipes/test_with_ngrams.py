"""The text classifier beside word n-grams: as its baseline, and mixed with them by `--with_ngrams`."""

import json

import pytest
from making import load_recipe, results_of
from small_data import OPTIONS, labelled

import seqgen
from seqgen.cli import main as cli

FEW = [*OPTIONS["text_classifier"][1], "--precision", "fp32", "--eval_every", 4]


@pytest.fixture
def train(command, tmp_path):
    data = labelled(tmp_path)

    def run(*arguments, directory="run"):
        code, _, err = command(
            load_recipe("text_classifier").main, *data, *FEW, "--output_dir", tmp_path / directory, *arguments
        )
        assert code == 0, err
        return err

    return run


def test_a_run_saves_the_mixture_with_the_figures_of_both_alone(train, command, tmp_path):
    said = train("--max_steps", 4, "--with_ngrams", "true")
    assert "network and word n-grams, mixed with weights" in said
    results = results_of(tmp_path / "run")
    for part in ("val", "test"):
        alone = [results[f"{kind}_{part}_accuracy"] for kind in ("network", "ngram")]
        assert results[f"{part}_accuracy"] >= min(alone)
        assert {f"{kind}{part}_loss" for kind in ("network_", "ngram_", "")} <= set(results)
    assert results["val_loss"] <= results["network_val_loss"]
    assert results["ngram_test_accuracy"] == results["baseline_accuracy"]
    model = seqgen.load(tmp_path / "run")
    assert list(model.ngrams.weights) == [results["network_weight"], results["ngram_weight"]]
    test = tmp_path / "test.tsv"
    test.write_text("pos\ta good film 1\nneg\ta bad film 2\n")
    code, out, err = command(cli.main, "evaluate", tmp_path / "run", test, "--json")
    assert code == 0, err
    expected = -sum(model.score(["a good film 1", "a bad film 2"], ["pos", "neg"])) / 2
    assert json.loads(out)["loss"] == pytest.approx(expected, rel=1e-4)
    _, out, _ = command(cli.main, "info", tmp_path / "run")
    assert "word n-grams" in out


def test_without_the_option_the_ngrams_are_the_baseline_alone(train, tmp_path):
    train("--max_steps", 2)
    results = results_of(tmp_path / "run")
    assert results["baseline_accuracy"] == 1  # words tell the classes of these texts
    assert not [name for name in results if name.startswith(("network_", "ngram_"))]
    assert seqgen.load(tmp_path / "run").ngrams is None


def test_a_finished_run_is_mixed_when_it_is_resumed_with_the_option(train, tmp_path):
    train("--max_steps", 4)
    before = (tmp_path / "run" / "model" / "model.safetensors").read_bytes()
    train("--max_steps", 4, "--resume", "--with_ngrams", "true")
    assert (tmp_path / "run" / "model" / "model.safetensors").read_bytes() == before
    assert seqgen.load(tmp_path / "run").ngrams is not None


def test_a_run_goes_on_with_the_network_of_a_mixture(train, tmp_path):
    train("--max_steps", 2, "--with_ngrams", "true", directory="first")
    begun = ["--init_from", tmp_path / "first", "--max_steps", 2]
    train(*begun, directory="second")
    assert seqgen.load(tmp_path / "second").ngrams is None
    train(*begun, "--with_ngrams", "true", directory="third")
    assert seqgen.load(tmp_path / "third").ngrams is not None


def test_an_update_with_adversarial_embeddings_is_measured_on_a_copy(train, tmp_path):
    train("--max_steps", 2, "--adversarial", 0.05, "--precision", "auto")
    assert results_of(tmp_path / "run")["steps"] == 2
