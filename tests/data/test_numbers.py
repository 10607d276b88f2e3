"""Cached files are not trusted: whatever happens to them, what is read is what was written."""

import os
import resource
from pathlib import Path

import numpy as np
import pytest

from seqgen.data.numbers import Numbers, writing_numbers
from seqgen.data.store import stored
from seqgen.errors import InputError
from seqgen.files import cache_directory

ROWS = [[number, number + 300] for number in range(50)], [[number] for number in range(50)]
DTYPE = np.dtype(np.uint16)


def columns(identity="x"):
    rows = [tuple(map(np.array, together)) for together in zip(*ROWS, strict=True)]
    found = stored(identity, lambda: iter(rows), [400, 100])
    return tuple([row.tolist() for row in column] for column in found)


def changed(place, byte):
    def spoil(path):
        content = bytearray(path.read_bytes())
        content[place] ^= byte
        path.write_bytes(content)

    return spoil


def replaced(content):
    return lambda path: path.write_bytes(content(path.read_bytes()))


def swapped(path):
    """Put another whole file, written under another name, in its place."""
    columns("another")
    other = next(one for one in cache_directory().iterdir() if one.suffix == path.suffix and one != path)
    path.write_bytes(other.read_bytes())


def made_a_pipe(path):
    path.unlink()
    os.mkfifo(path)


SPOILERS = {
    "missing": Path.unlink,
    "empty": replaced(lambda content: b""),
    "cut off": replaced(lambda content: content[:-1]),
    "half": replaced(lambda content: content[: len(content) // 2 // 8 * 8]),
    "nothing but its end": replaced(lambda content: content[-12:]),
    "longer": replaced(lambda content: content + b"\0"),
    "zeros": replaced(lambda content: bytes(len(content))),
    "random": replaced(lambda content: np.random.default_rng(0).bytes(len(content))),
    "one bit": changed(20, 1),
    "last byte": changed(-1, 255),
    "another's": swapped,
    "a link to nothing": lambda path: (path.unlink(), path.symlink_to("nothing")),
    "a pipe": made_a_pipe,
}


@pytest.mark.parametrize("spoil", SPOILERS.values(), ids=SPOILERS)
def test_whatever_was_done_to_any_file_the_rows_are_as_they_were_written(spoil):
    assert columns() == ROWS
    files = sorted(path for path in cache_directory().iterdir())
    assert len(files) == 4
    for path in files:
        spoil(path)
        assert columns() == ROWS
    assert columns() == ROWS


def test_slices_are_those_of_an_array(tmp_path):
    array = np.arange(20, dtype=DTYPE)
    with writing_numbers(tmp_path / "numbers") as write:
        write(array[:7])
        write(array[7:])
    numbers = Numbers(tmp_path / "numbers", DTYPE)
    for begin in (None, 0, 3, -4, 20, 90):
        for end in (None, 0, 5, -1, 20, 90):
            part, expected = numbers[begin:end][1:], array[begin:end][1:]
            assert np.array_equal(np.asarray(part), expected)
            assert (len(part), list(part)) == (len(expected), expected.tolist())
            assert np.asarray(part, np.int64).dtype == np.int64
    assert [numbers[place] for place in range(-20, 20)] == 2 * array.tolist()
    for place in (20, -21):
        with pytest.raises(IndexError):
            numbers[place]


def test_a_file_that_is_cut_off_while_it_is_read_is_a_sentence(tmp_path):
    with writing_numbers(tmp_path / "numbers") as write:
        write(np.arange(100_000, dtype=DTYPE))
    numbers = Numbers(tmp_path / "numbers", DTYPE)
    os.truncate(tmp_path / "numbers", 50_000)
    assert np.asarray(numbers[:100]).tolist() == list(range(100))
    for place in (slice(60_000, 60_010), slice(None)):
        with pytest.raises(InputError, match=r"numbers must not change while it is read, but it was cut off"):
            np.asarray(numbers[place])


def test_who_fills_the_cache_at_the_same_time_gets_the_same_also_without_locks(monkeypatch):
    monkeypatch.setattr("seqgen.files._locked", lambda handle, *, wait=True: False)
    rows = [(np.array(row),) for row in ROWS[0]]

    def slowly():
        yield from rows[:9]
        meanwhile.append(stored("x", lambda: iter(rows), [400])[0])
        yield from rows[9:]

    meanwhile = []
    [late] = stored("x", slowly, [400])
    for found in (late, *meanwhile, *stored("x", lambda: None, [400])):
        assert [row.tolist() for row in found] == ROWS[0]
    assert not list(cache_directory().glob(".*"))


def test_a_full_disk_is_a_sentence_and_leaves_nothing():
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(InputError, match=r"offsets cannot be written \(File too large\): set XDG_CACHE_HOME"):
            stored("x", lambda: ((np.arange(100),) for _ in range(10_000)), [100])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list(cache_directory().iterdir())
