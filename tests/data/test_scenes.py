"""Scenes and what is true of them."""

import numpy as np
import pytest

from seqgen.data.sets import scenes as module
from seqgen.data.sets.scenes import is_true, scenes
from seqgen.data.sets.shapes import Shape


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(module, "COUNTS", {"train": 60, "valid": 20, "test": 40})


def test_all_that_is_said_is_true():
    for part in ("train", "valid", "test"):
        drawn = scenes(part)
        for texts, world in zip(drawn.captions, drawn.worlds, strict=True):
            assert all(is_true(text, world) for text in texts)
        assert drawn.known_truth([texts[0] for texts in drawn.captions]) == {"true_captions": 1}


def test_what_is_said_of_other_scenes_is_mostly_not_true():
    drawn = scenes("test")
    assert drawn.known_truth([texts[0] for texts in drawn.captions[1:] + drawn.captions[:1]])["true_captions"] < 0.2


def test_parts_and_seeds_differ_and_come_again():
    train, test = scenes("train"), scenes("test")
    assert not set(map(str, train.worlds)) & set(map(str, test.worlds))
    assert scenes("test").captions == test.captions
    assert scenes("test", 1).captions != test.captions
    assert np.array_equal(np.asarray(scenes("test").images[0]), np.asarray(test.images[0]))


WORLD = [Shape("red", "circle", 0.3, 0.2, 0.13), Shape("blue", "square", 0.4, 0.7, 0.22)]


@pytest.mark.parametrize(
    ("caption", "true"),
    [
        ("a red circle above a blue square", True),
        ("a small red circle above a large blue square", True),
        ("a large blue square below a red circle", True),
        ("a blue square", True),
        ("a blue square above a red circle", False),
        ("a large red circle above a blue square", False),
        ("a red square above a blue circle", False),
        ("a green circle", False),
        ("a red circle above a red circle", False),
        ("a red circle above", False),
        ("red circle", False),
        ("", False),
    ],
)
def test_truth(caption, true):
    assert is_true(caption, WORLD) == true
