"""Trainings that diverge: what was good before is kept, and what never was is not left behind."""

import math

import pytest
import torch
from making import load_recipe
from small_data import small_options

import seqgen
from seqgen.inference.weights import finite
from seqgen.runs.training import Training

KINDS = ("image_classifier", "tagger", "translator")


@pytest.fixture(params=KINDS)
def train(request, command, tmp_path):
    recipe = load_recipe(request.param)
    options = [*small_options(request.param, tmp_path), "--precision", "fp32", "--eval_every", 2]
    shared = [*options, "--output_dir", tmp_path / "run"]
    return lambda *arguments: command(recipe.main, *shared, "--max_steps", 6, *arguments)


def test_before_the_first_validation_there_is_no_model(train, tmp_path):
    code, _, err = train("--learning_rate", 1e38, "--adamw_learning_rate", 1e38, "--warm_up", 0)
    assert code == 1, err
    assert err.splitlines()[-1].endswith("there is no good model yet")
    assert not (tmp_path / "run" / "model").exists()


@pytest.mark.parametrize("spoilt", ["weights", "loss"])
def test_after_a_validation_the_last_good_model_is_kept(train, spoilt, monkeypatch, tmp_path):
    evaluated, losses = Training.evaluated, []

    def spoil(self, step, val_loss, **figures):
        losses.append(val_loss)
        if len(losses) > 1 and spoilt == "weights":
            for tensor in self.averaged.model.state_dict().values():
                tensor.view(-1)[0] = torch.inf if tensor.is_floating_point() else 1
        evaluated(self, step, math.nan if len(losses) > 1 and spoilt == "loss" else val_loss, **figures)

    monkeypatch.setattr(Training, "evaluated", spoil)
    code, _, err = train()
    assert code == (1 if spoilt == "weights" else 0), err
    assert err.count("(best)") == 1
    assert spoilt == "loss" or "the last good model is in" in err
    assert finite(seqgen.load(tmp_path / "run").model)


def test_without_a_finite_validation_there_is_no_model(train, monkeypatch, tmp_path):
    evaluated = Training.evaluated
    monkeypatch.setattr(Training, "evaluated", lambda self, step, _, **figures: evaluated(self, step, math.nan))
    code, _, err = train()
    assert code == 1, err
    assert "no validation loss was finite" in err
    assert not (tmp_path / "run" / "model").exists()
