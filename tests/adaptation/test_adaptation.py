"""What an adaptation refuses: numbers that are no tokens, and models that cannot learn as it was chosen."""

import math

import numpy as np
import pytest
import torch
from making import make_generator

from seqgen.adaptation.adaptation import Adaptation
from seqgen.errors import InputError

TEXT = np.random.default_rng(1).integers(4, 6, 60)


@pytest.fixture
def adaptation():
    return Adaptation.chosen(make_generator("abba"), TEXT, ["dynamic"])


@pytest.mark.parametrize("wrong", [[-1, 5], [4, 99], [1.5, 4.0], [math.nan], [], np.zeros((2, 2), np.int64)])
def test_what_are_no_token_numbers_is_one_sentence(adaptation, wrong):
    generator = adaptation.generator
    calls = {
        "text": lambda: adaptation.score(wrong),
        "valid": lambda: Adaptation.chosen(generator, wrong, ["temperature"]),
        "train": lambda: Adaptation.chosen(generator, TEXT, ["ngram"], train=wrong),
    }
    for name, call in calls.items():
        with pytest.raises(InputError, match=f"^{name}"):
            call()


@pytest.mark.parametrize("method", ["temperature", "dynamic"])
def test_weights_in_other_precision_or_not_finite_are_refused(adaptation, method):
    model = adaptation.generator.model
    for dtype in (torch.bfloat16, torch.float64):
        model.to(dtype)
        for call in (lambda: adaptation.score(TEXT), lambda: Adaptation.chosen(adaptation.generator, TEXT, [method])):
            with pytest.raises(InputError, match="weights in fp32"):
                call()
    model.float().embedding.weight.data[4] = math.nan
    for call in (lambda: adaptation.score(TEXT), lambda: Adaptation.chosen(adaptation.generator, TEXT, [method])):
        with pytest.raises(InputError, match="finite weights"):
            call()


def test_scales_are_of_the_weights_that_are_trained(adaptation):
    weights = list(adaptation.generator.model.parameters())
    weights[0].requires_grad_(False)
    with pytest.raises(InputError, match="must be those that scales were chosen for"):
        adaptation.score(TEXT)
    assert np.isfinite(Adaptation.chosen(adaptation.generator, TEXT, ["dynamic"]).score(TEXT)).all()
    for weight in weights:
        weight.requires_grad_(False)
    with pytest.raises(InputError, match="but they have 0"):
        adaptation.score(TEXT)
