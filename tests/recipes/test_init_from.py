"""Every recipe goes on with a saved model: its tokenizer, sizes and weights, on the same data or on other data."""

import json
import shutil

import pytest
import torch
from making import RECIPES, load_recipe, make_generator, results_of
from safetensors.torch import load_file
from small_data import OPTIONS, labelled, small_options, spans, words

import seqgen
from seqgen.ngram import NGram
from seqgen.text.characters import CharacterTokenizer

FIXED = ["--learning_rate", 1e-9, "--adamw_learning_rate", 1e-9, "--averaging", 0, "--precision", "fp32"]
FIXED += ["--max_steps", 1, "--eval_every", 1]
# What is read of the data, which a saved model does not know.
READING = {"image_captioner": ["--mirror", "true", "--self_critical", 0]}


@pytest.fixture
def train(command, monkeypatch):
    def run(name, *arguments):
        recipe = load_recipe(name)
        for constant in ("SAMPLE", "WRITTEN"):
            monkeypatch.setattr(recipe, constant, 5, raising=False)
        return command(recipe.main, *arguments)

    return run


def weights_in(directory):
    return load_file(directory / "model.safetensors")


@pytest.mark.parametrize("name", RECIPES)
def test_a_run_begins_with_the_weights_of_the_saved_model(name, train, tmp_path):
    first = [*small_options(name, tmp_path), "--max_steps", 3, "--eval_every", 3]
    code, _, err = train(name, *first, "--output_dir", tmp_path / "first")
    assert code == 0, err
    data = first[: first.index(OPTIONS[name][1][0])]
    further = [*data, *READING.get(name, []), "--init_from", tmp_path / "first", *FIXED]
    code, _, err = train(name, *further, "--output_dir", tmp_path / "second")
    assert code == 0, err
    before, after = (seqgen.load(tmp_path / run) for run in ("first", "second"))
    assert after.parts() == before.parts()
    assert after.all_arguments() == before.all_arguments()
    for weight, other in zip(before.model.parameters(), after.model.parameters(), strict=True):
        torch.testing.assert_close(weight, other, atol=1e-6, rtol=1e-5)
    if name != "image_classifier":  # whose statistics of batches follow the first update
        assert results_of(tmp_path / "second")["val_loss"] == pytest.approx(results_of(tmp_path / "first")["val_loss"])
    assert weights_in(tmp_path / "second" / "initial").keys() == weights_in(tmp_path / "first" / "model").keys()
