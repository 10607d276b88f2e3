"""Held-out n-grams: what a model of the rest of a text says of each of its parts, and nothing that it read there."""

import numpy as np
import pytest
import torch

from seqgen.errors import InputError
from seqgen.held_out import held_out_candidates, held_out_rows, held_out_score
from seqgen.ngram import NGram
from seqgen.symbols import BOS, EOS, SYMBOLS

SIZE = len(SYMBOLS) + 9


def documents(number=8, length=60, seed=0):
    """A text of documents of the same length, each ended by EOS, so that no n-gram crosses from one to the next."""
    random = np.random.default_rng(seed)
    text = len(SYMBOLS) + random.integers(3, size=(number, length)).cumsum(axis=1) % 9
    text[:, -1] = EOS
    return text.ravel()


OPTIONS = {"vocab_size": SIZE, "order": 4}
TEXT = documents()
FOLDS = 4


def model_of_others(fold):
    """The part with this number, and the model fitted to all others."""
    parts = np.array_split(TEXT, FOLDS)
    others = np.concatenate([*parts[:fold], *parts[fold + 1 :]])
    return parts[fold], NGram.fit(others, **OPTIONS)


def test_rows_are_what_the_model_of_the_other_parts_says_and_sum_to_one():
    rows = held_out_rows(TEXT, folds=FOLDS, **OPTIONS)
    assert rows.shape == (len(TEXT), SIZE)
    assert np.exp(rows.astype(float)).sum(axis=1) == pytest.approx(np.ones(len(TEXT)), abs=2e-3)
    for fold, ours in enumerate(np.array_split(rows, FOLDS)):
        part, model = model_of_others(fold)
        # Of all documents of the part, each begins with BOS.
        inputs = np.insert(part.reshape(-1, 60)[:, :-1], 0, BOS, axis=1)
        theirs = model(torch.from_numpy(inputs))[0].flatten(0, 1)
        assert ours == pytest.approx(theirs.numpy(), abs=5e-3)  # in 16 bits


def test_the_score_is_that_of_the_model_of_the_other_parts():
    score = held_out_score(TEXT, folds=FOLDS, **OPTIONS)
    for fold, ours in enumerate(np.array_split(score, FOLDS)):
        part, model = model_of_others(fold)
        assert ours == pytest.approx(model.score(part), abs=1e-5)
    rows = held_out_rows(TEXT, folds=FOLDS, **OPTIONS)
    assert rows[np.arange(len(TEXT)), TEXT] == pytest.approx(score, abs=5e-3)


def test_candidates_are_those_of_the_rows():
    candidates = np.random.default_rng(1).integers(SIZE, size=(len(TEXT), 5))
    found = held_out_candidates(TEXT, candidates, folds=FOLDS, **OPTIONS)
    rows = held_out_rows(TEXT, folds=FOLDS, **OPTIONS)
    assert found == pytest.approx(np.take_along_axis(rows, candidates, axis=1), abs=5e-3)


def test_what_a_part_alone_has_is_improbable_in_it():
    text = TEXT.copy()
    text[10:40] = SIZE - 1  # the same token again and again, but in the first part alone
    others = np.isin(text, SIZE - 1)
    others[10:40] = False
    text[others] = len(SYMBOLS)
    held_out, known = held_out_score(text, folds=FOLDS, **OPTIONS), NGram.fit(text, **OPTIONS).score(text)
    assert held_out[10:40].max() < np.log(1 / SIZE)
    assert known[15:40].min() > np.log(0.5)


def test_of_a_stream_the_last_part_is_scored_by_the_model_of_what_comes_before():
    stream = TEXT[TEXT != EOS]
    last = np.array_split(stream, FOLDS)[-1]
    before = stream[: -len(last)]
    theirs = NGram.fit(before, **OPTIONS).score(stream)[-len(last) :]
    assert held_out_score(stream, folds=FOLDS, **OPTIONS)[-len(last) :] == pytest.approx(theirs, abs=1e-5)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"order": 0}, "order"),
        ({"folds": 1}, "folds"),
        ({"vocab_size": 5}, "tokens"),
        ({"candidates": np.full((len(TEXT), 2), SIZE)}, "candidates"),
        ({"candidates": np.full((3, 2), 4)}, "candidates"),
        ({"candidates": np.full(len(TEXT), 4)}, "candidates"),
    ],
)
def test_a_mistake_is_one_sentence(options, named):
    function = held_out_candidates if "candidates" in options else held_out_rows
    with pytest.raises(InputError, match=rf"^{named} must"):
        function(TEXT, **{"folds": FOLDS, **OPTIONS, **options})
