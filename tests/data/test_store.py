"""Rows that are kept in files."""

import os
import time
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from seqgen.data import store
from seqgen.data.store import blocks, file_fingerprint, fingerprint, stored
from seqgen.errors import InputError
from seqgen.files import cache_directory

ROWS = {
    "some are empty": [[], [1, 2, 3], [], [], [7], []],
    "all are empty": [[], [], []],
    "none": [],
    "many": [list(range(number % 5)) for number in range(23)],
    "one": [[4, 5]],
}


@pytest.fixture(params=ROWS.values(), ids=ROWS)
def rows(request, monkeypatch):
    monkeypatch.setattr(store, "BLOCK", 4)  # so that few rows are several blocks
    monkeypatch.setattr(store, "NUMBERS", 6)
    return request.param


def store_rows(identity, *columns, largest=100):
    given = [tuple(np.array(row, np.int64) for row in together) for together in zip(*columns, strict=True)]
    return stored(identity, lambda: iter(given), [largest] * len(columns))


def as_lists(ragged):
    return [row.tolist() for row in ragged]


def test_rows_come_back_as_they_went_in(rows):
    [kept] = store_rows("x", rows)
    assert len(kept) == len(rows)
    assert [kept[number].tolist() for number in range(len(rows))] == rows
    assert kept.lengths.tolist() == [len(row) for row in rows]
    assert list(kept.values) == [number for row in rows for number in row]
    assert list(kept.offsets) == [sum(map(len, rows[:number])) for number in range(len(rows) + 1)]


def test_iterating_gives_what_indexing_gives(rows):
    [kept] = store_rows("x", rows)
    assert as_lists(kept) == as_lists(kept) == rows
    assert all(row.dtype == kept.values.dtype for row in kept)
    for number in range(len(rows)):
        assert kept[number - len(rows)].tolist() == rows[number]
    for part in (slice(1, 3), slice(None, None, -1), slice(-2, None)):
        assert as_lists(kept[part]) == rows[part]
    for outside in (len(rows), -len(rows) - 1):
        with pytest.raises(IndexError):
            kept[outside]


def test_columns_stay_side_by_side(rows):
    doubled = [[number * 2 for number in row + row] for row in rows]
    one, other = store_rows("x", rows, doubled)
    assert (as_lists(one), as_lists(other)) == (rows, doubled)
    assert one.key != other.key


def test_rows_are_made_once(rows):
    calls = []

    def make():
        calls.append(1)
        return iter([(np.array(row, np.int64),) for row in rows])

    first, second = (stored(["same", 1], make, [100])[0] for _ in range(2))
    assert len(calls) == 1
    assert as_lists(first) == as_lists(second) == rows
    assert first.key == second.key
    assert stored(["same", 2], make, [100])[0].key != first.key
    assert len(calls) == 2


@pytest.mark.parametrize("good", [0, 1, 9])
def test_an_exception_while_rows_are_made_leaves_nothing_behind(monkeypatch, good):
    monkeypatch.setattr(store, "BLOCK", 4)

    def make():
        yield from [(np.arange(3), np.arange(2))] * good
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stored("broken", make, [10, 10])
    assert os.listdir(cache_directory()) == []
    whole = stored("broken", lambda: [(np.arange(3), np.arange(2))], [10, 10])
    assert [as_lists(column) for column in whole] == [[[0, 1, 2]], [[0, 1]]]


def test_values_without_their_offsets_are_written_anew():
    [kept] = store_rows("x", [[1], [2, 3]])
    kept.values.path.with_suffix(".offsets").unlink()
    kept.values.path.write_bytes(b"")
    assert as_lists(store_rows("x", [[1], [2, 3]])[0]) == [[1], [2, 3]]


@pytest.mark.parametrize(
    ("largest", "dtype"),
    [(1, np.uint8), (256, np.uint8), (257, np.uint16), (65_536, np.uint16), (65_537, np.uint32), (2**33, np.uint64)],
)
def test_the_type_is_the_smallest_that_holds_the_largest_number(largest, dtype):
    [kept] = store_rows("x", [[0, largest - 1]], largest=largest)
    assert kept.values.dtype == dtype
    assert kept[0].tolist() == [0, largest - 1]


def test_each_column_has_a_type_of_its_own():
    small, large = stored("x", lambda: [(np.array([9]), np.array([999]))], [10, 1000])
    assert (small.values.dtype, large.values.dtype) == (np.uint8, np.uint16)
    assert (small[0].tolist(), large[0].tolist()) == ([9], [999])


def test_long_rows_are_not_gathered_in_memory(monkeypatch):
    monkeypatch.setattr(store, "NUMBERS", 100)
    made, alive = [], []

    def make():
        for number in range(40):
            row = np.full(60, number)
            made.append(weakref.ref(row))
            yield (row,)
            del row
            alive.append(sum(one() is not None for one in made))

    [kept] = stored("x", make, [100])
    assert as_lists(kept) == [[number] * 60 for number in range(40)]
    assert len(alive) == 40
    assert max(alive) <= 4  # a block has two


@pytest.mark.parametrize("count", [0, 1, 4, 5, 8])
def test_blocks_are_full_but_for_the_last(count):
    found = list(blocks(iter(range(count)), 4))
    assert [number for block in found for number in block] == list(range(count))
    assert all(len(block) == 4 for block in found[:-1])
    assert all(found)


def test_fingerprints_are_those_of_the_content(tmp_path):
    assert fingerprint(["a", {"b": [1, None]}]) == fingerprint(["a", {"b": [1, None]}])
    different = (["a", "b"], ["ab"], ["b", "a"], [["a"], "b"], "a", ["a", 1], ["a", "1"], ["\ud800"])
    assert len({fingerprint(one) for one in different}) == len(different)
    for name, content in (("a", "same"), ("b", "same"), ("c", "other")):
        (tmp_path / name).write_text(content)
    a, b, c = (file_fingerprint(tmp_path / name) for name in "abc")
    assert a == b != c
    with pytest.raises(InputError, match=r"nothing\.txt cannot be read: No such file"):
        file_fingerprint(tmp_path / "nothing.txt")


def test_what_two_ask_for_at_once_is_made_once():
    made = []

    def rows():
        made.append("rows")
        time.sleep(0.05)  # in which the other one would begin, too
        yield (np.array([1, 2, 3]),)

    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(stored, "shared", rows, [100]) for _ in range(2)]
    assert [as_lists(one.result()[0]) for one in both] == [[[1, 2, 3]]] * 2
    assert made == ["rows"]
