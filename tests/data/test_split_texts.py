"""Which part of a text or of its documents is held back, and what splits say of themselves."""

import numpy as np
import pytest

from seqgen.data import splits as module
from seqgen.data.labelled import Labelled
from seqgen.data.splits import Splits, split_documents, split_stream
from seqgen.errors import InputError


def test_the_last_tenth_of_a_stream_is_held_back(monkeypatch):
    train, valid = split_stream(np.arange(1000))
    assert np.array_equal(np.concatenate([train, valid]), np.arange(1000))
    assert len(valid) == 100
    with pytest.raises(InputError, match="at least 20 tokens, but this one has 19"):
        split_stream(np.arange(19))
    monkeypatch.setattr(module, "MOST_TOKENS", 30)
    assert split_stream(np.arange(1000))[1].tolist() == list(range(970, 1000))


def test_a_drawn_tenth_of_the_documents_is_held_back():
    lengths = np.full(200, 4)
    train, valid = split_documents(lengths, seed=1)
    assert sorted([*train, *valid]) == list(range(200))
    assert len(valid) == 20
    assert np.array_equal(valid, split_documents(lengths, seed=1)[1])
    assert not np.array_equal(valid, split_documents(lengths, seed=2)[1])
    with pytest.raises(InputError, match="at least 20 documents"):
        split_documents(lengths[:12], seed=1)


def test_documents_that_are_held_back_have_no_more_tokens_than_help(monkeypatch):
    monkeypatch.setattr(module, "MOST_TOKENS", 30)
    lengths = np.random.default_rng(0).integers(1, 9, 200)
    train, valid = split_documents(lengths, seed=1)
    assert sorted([*train, *valid]) == list(range(200))
    assert 30 - 9 < lengths[valid].sum() < 30
    assert len(split_documents(lengths * 100, seed=1)[1]) == 1


def examples(*texts):
    return Labelled(list(texts), ["a"] * len(texts), list(texts))


def test_splits_say_what_they_are():
    splits = Splits(examples(*map(str, range(1200))), examples("x", "y"), examples("z"))
    assert splits.sizes == "1,200 to train on, 2 to validate on, 1 to test on"
    again = Splits(examples(*map(str, range(1200))), examples("x", "y"), examples("other"))
    assert splits.fingerprint == again.fingerprint  # of what a run learns from, which the test does not change
    assert splits.fingerprint != Splits(splits.train, examples("x"), splits.test).fingerprint
    assert splits.fingerprint != Splits(splits.valid, splits.train, splits.test).fingerprint
