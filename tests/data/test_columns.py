"""Columns that look like lists, but are read from files."""

import itertools

import numpy as np
import pytest

from seqgen.data import store
from seqgen.data.columns import (
    BETWEEN,
    Chosen,
    Column,
    chosen,
    content_key,
    split_words,
    stored_texts,
    text_hashes,
)
from seqgen.data.labelled import read_texts
from seqgen.data.parallel import read_pairs
from seqgen.data.tagged import read_tagged

TEXTS = ["one", "", "trois \u00e9", "\u4e16\u754c", "\ud800 alone", "two\nlines", "", "last"]
SLICES = [slice(None), slice(2, 5), slice(None, None, -1), slice(-3, None), slice(1, 7, 2), slice(5, 2), slice(0, 99)]
NUMBERS = [[3, 1, 6], [0, 2, 7], [4, 4, 0, 4], [], [-1, 0], [-8, -1], [2, -1], list(range(8))]


@pytest.fixture
def column(monkeypatch):
    monkeypatch.setattr(store, "BLOCK", 3)
    return store_texts(TEXTS)


def store_texts(texts):
    [column] = stored_texts(texts, lambda: ((text,) for text in texts), 1)
    return column


def require_like(column, expected):
    """Hold a column against the list that it should be like."""
    everywhere = range(-len(expected), len(expected))
    assert len(column) == len(expected)
    assert list(column) == list(column) == expected
    assert [column[number] for number in everywhere] == [expected[number] for number in everywhere]
    assert [column[np.int64(number)] for number in everywhere] == [expected[number] for number in everywhere]
    assert list(reversed(column)) == expected[::-1]
    assert all(text in column for text in expected)
    assert "not there" not in column
    for part in SLICES:
        assert list(column[part]) == expected[part]
    for outside in (len(expected), -len(expected) - 1):
        with pytest.raises(IndexError):
            column[outside]


def test_a_column_is_like_a_list(column):
    assert isinstance(column, Column)
    require_like(column, TEXTS)


@pytest.mark.parametrize("numbers", NUMBERS, ids=str)
@pytest.mark.parametrize("kind", [list, iter, lambda numbers: np.array(numbers, dtype=np.int64)], ids=["", "it", "np"])
def test_chosen_items_are_like_a_list_in_any_order(column, numbers, kind):
    expected = [TEXTS[number] for number in numbers]
    assert chosen(TEXTS, kind(numbers)) == expected
    found = chosen(column, kind(numbers))
    assert isinstance(found, Chosen)
    require_like(found, expected)


@pytest.mark.parametrize("part", SLICES, ids=str)
def test_choosing_among_the_chosen_and_slices_reads_the_column_itself(column, part):
    numbers = np.array([6, 0, 5, 3, 2])
    for found, expected in (
        (column[part], TEXTS[part]),
        (chosen(column, numbers)[part], [TEXTS[n] for n in numbers][part]),
    ):
        require_like(found, expected)
        assert found.column is column
        require_like(chosen(found, range(len(expected))), expected)
        require_like(chosen(found, range(len(expected) - 1, -1, -1)), expected[::-1])


def test_columns_of_several_texts_stay_side_by_side():
    rows = list(zip(TEXTS, TEXTS[::-1], strict=True))
    columns = stored_texts("pairs", lambda: iter(rows), 2)
    assert list(zip(*columns, strict=True)) == rows


def test_the_content_key_is_the_same_for_the_same_content_only(column):
    again = store_texts(TEXTS)
    others = [
        store_texts(TEXTS[:-1]),
        store_texts([*TEXTS, ""]),
        store_texts(TEXTS[::-1]),
        chosen(column, [0, 1]),
        chosen(column, [1, 0]),
        column[1:],
        TEXTS[:2],
        ["".join(TEXTS[:2])],
    ]
    keys = [content_key([one]) for one in [column, *others]]
    assert len(set(keys)) == len(keys)
    assert content_key([again]) == keys[0]
    assert content_key([chosen(again, np.array([1, 0]))]) == content_key([chosen(column, [1, 0])])
    assert content_key([list(TEXTS)]) == content_key([tuple(TEXTS)])
    assert content_key([column, again]) != content_key([column])
    assert content_key([["a"], ["b"]]) != content_key([["b"], ["a"]]) != content_key([["a", "b"]])


def test_the_keys_of_columns_stored_together_differ():
    columns = stored_texts("same texts", lambda: zip(TEXTS, TEXTS, strict=True), 2)
    assert content_key(columns[:1]) != content_key(columns[1:])


WORDS = [["one"], ["a", "", "b"], ["\u00e9t\u00e9", "two words"], ["", ""], [""]]


def test_words_come_back_as_they_were_joined():
    column = split_words(store_texts([BETWEEN.join(words) for words in WORDS]))
    assert list(column) == [column[number] for number in range(len(WORDS))] == WORDS
    assert list(column[::2]) == WORDS[::2]


def test_hashes_are_equal_where_texts_are():
    many = [f"text {number}" for number in range(70_000)]
    hashes = text_hashes(many)
    assert hashes.shape == (70_000,)
    assert len(np.unique(hashes)) == 70_000
    assert np.array_equal(text_hashes([*TEXTS, *TEXTS])[: len(TEXTS)], text_hashes(iter(TEXTS)))
    for (one, first), (other, second) in itertools.combinations(zip(TEXTS, text_hashes(TEXTS), strict=True), 2):
        assert (one == other) == (first == second)
    assert text_hashes([]).shape == (0,)


@pytest.mark.parametrize("read", [read_texts, read_pairs, read_tagged])
def test_rows_name_their_file_as_it_was_asked_for(tmp_path, monkeypatch, read):
    monkeypatch.chdir(tmp_path)
    content = "a\tx\n\nb\ty\n"
    (tmp_path / "a.tsv").write_text(content)
    (tmp_path / "b.tsv").write_text(content)  # the same content, which is stored once
    for name in ("./a.tsv", "a.tsv", "b.tsv", str(tmp_path / "a.tsv"), "..//" + tmp_path.name + "/b.tsv"):
        assert list(read(name).where) == [f"{name}, line 1", f"{name}, line 3"]
