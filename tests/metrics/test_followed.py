"""Cells that follow properties: one that is planted is found, and chance is not taken for more."""

import numpy as np
import pytest
from making import make_generator
from sklearn.metrics import roc_auc_score

import seqgen
from seqgen.errors import InputError
from seqgen.metrics.followed import followed_properties
from seqgen.metrics.text_properties import TextProperty, text_properties

LINES = ('The cat "sat" (on the mat).\n', '    It [2] is "so"; or not?\n', "A long line, and no more of it\n")
TEXT = "".join(np.random.default_rng(1).choice(LINES, 80))
TOKENS = list(TEXT)
COUNT = len(TOKENS)


def noise(layers=2, cells=64):
    return np.random.default_rng(1).standard_normal((layers, COUNT, cells)).astype(np.float32)


def rows_of(cells, properties=None):
    return {row.property: row for row in followed_properties(TOKENS, cells, properties)}


def runs(seed):
    """A property in runs of many lengths, which has nothing to do with the text."""
    lengths = np.random.default_rng(seed).geometric(0.1, COUNT)
    return np.repeat(np.arange(COUNT) % 2, lengths)[:COUNT].astype(float)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_planted_cell_is_found_on_the_unseen_half(sign):
    for one in text_properties(TOKENS):
        if len(set(one.values)) > 1:
            cells = noise()
            # Larger where the property is, in whatever scale: ranks alone count.
            cells[1, :, 17] = sign * np.exp(one.values / one.values.max()) + 1e-4 * cells[1, :, 17]
            row = rows_of(cells, [one])[one.name]
            assert (row.kind, row.layer, row.cell, row.sign) == (one.kind, 1, 17, sign)
            assert row.auc == pytest.approx(1)
            assert row.null_high < 0.9


def test_noise_stays_within_the_null():
    # Cells with a memory, so that the best of many on one half is far from chance there.
    cells = np.stack([np.convolve(one, np.ones(30), "same") for one in noise(1, 128)[0].T], axis=1)[None]
    rows = followed_properties(TOKENS, cells, [TextProperty(str(seed), "remembered", runs(seed)) for seed in range(40)])
    assert len(rows) == 40
    above = [row for row in rows if row.auc > row.null_high]
    assert len(above) <= 6  # 2 are expected
    assert all(0.4 < row.null_mean < 0.6 < row.null_mean + 0.2 for row in rows)


def test_the_null_is_as_wide_as_the_scores_of_chance():
    cells = np.stack([np.convolve(one, np.ones(30), "same") for one in noise(1, 32)[0].T], axis=1)[None]
    rows = followed_properties(TOKENS, cells, [TextProperty(str(seed), "current", runs(seed)) for seed in range(60)])
    wide = np.quantile([row.auc for row in rows], 0.95)
    assert np.mean([row.null_high for row in rows]) == pytest.approx(wide, abs=0.04)


def test_of_two_values_it_is_the_usual_area_under_the_curve():
    cells, half = noise(1, 1), COUNT // 2
    cells[0, :, 0] = np.round(cells[0, :, 0] + runs(3), 1)  # with equal values
    [row] = followed_properties(TOKENS, cells, [TextProperty("runs", "remembered", runs(3))])
    assert row.auc == pytest.approx(roc_auc_score(runs(3)[half:], cells[0, half:, 0]))


def test_the_current_token_alone_tells_what_is_current_and_not_what_is_remembered():
    rows = rows_of(noise())
    assert all(row.current_token == pytest.approx(1) for row in rows.values() if row.kind == "current")
    assert rows["in quotes"].current_token < 0.95
    assert rows["in brackets"].current_token < 0.95
    kinds = [row.kind for row in followed_properties(TOKENS, noise())]
    assert kinds == sorted(kinds, reverse=True)  # remembered ones come first


def test_what_hardly_occurs_is_left_out():
    rare = np.zeros(COUNT)
    rare[::200] = 1
    assert rows_of(noise(), [TextProperty("rare", "current", rare)]) == {}


def test_a_generator_s_cells_are_between_minus_one_and_one(cell):
    read = make_generator(TEXT, cell=cell, layers=2).activations(TEXT[:300])
    assert np.abs(read.cells).max() <= 1
    assert (read.cells == (np.tanh(read.c) if cell == "lstm" else read.h)).all()
    rows = seqgen.followed_properties(read.tokens, read.cells)
    assert {row.property for row in rows} <= {one.name for one in seqgen.text_properties(read.tokens)}
    assert all(0 <= row.auc <= 1 and row.layer < 2 and row.cell < 16 for row in rows)


def test_numbers_must_be_finite():
    cells = noise()
    cells[0, 5, 3] = np.nan
    with pytest.raises(InputError, match="cells must be finite"):
        followed_properties(TOKENS, cells)
    with pytest.raises(InputError, match="the values of own must be finite"):
        followed_properties(TOKENS, noise(), [TextProperty("own", "current", np.where(runs(1), np.inf, 0))])


@pytest.mark.parametrize(
    ("tokens", "cells", "values", "sentence"),
    [
        ("short", (1, 5, 2), 5, "at least 100 tokens to find what cells follow, not 5"),
        (
            "x" * 200,
            (1, 199, 2),
            200,
            r"cells must be numbers, \(layers, 200 tokens, cells\), not float64 \(1, 199, 2\)",
        ),
        ("x" * 200, (1, 200, 0), 200, r"not float64 \(1, 200, 0\)"),
        ("x" * 200, (200, 2), 200, r"not float64 \(200, 2\)"),
        ("x" * 200, (1, 200, 2), 199, r"values of a property must be \(200 tokens,\), not \(199,\): own"),
    ],
)
def test_what_does_not_fit_is_a_sentence(tokens, cells, values, sentence):
    with pytest.raises(InputError, match=sentence):
        followed_properties(list(tokens), np.zeros(cells), [TextProperty("own", "current", np.zeros(values))])
