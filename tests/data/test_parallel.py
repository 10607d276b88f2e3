"""Pairs of sentences: read line by line, checked, split without leaks; dates are right."""

import functools
import gzip
import hashlib
import http.server
import os
import threading
from datetime import date, datetime

import numpy as np
import pytest

from seqgen.batches.pairs import pairs
from seqgen.data.parallel import PairOptions, Parallel, read_pairs, read_parallel, sound
from seqgen.data.sets import dates, multi30k
from seqgen.data.sets.dates import date_pairs
from seqgen.data.sets.multi30k import find_multi30k
from seqgen.errors import InputError
from seqgen.symbols import BOS, EOS, PAD


def write(path, *lines):
    text = "".join(line + "\n" for line in lines).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return str(path)


def test_lines_are_paired_in_order(tmp_path):
    strange = "a\u2028b\x0bc\x85d"  # which other libraries take for line ends
    source = write(tmp_path / "a.gz", "eins", strange, "drei")
    data = read_parallel(source, write(tmp_path / "b", "one", "two", "three"))
    assert list(data.sources) == ["eins", strange, "drei"]
    assert list(data.targets) == ["one", "two", "three"]
    assert data.where[2] == f"{source}, line 3"


@pytest.mark.parametrize("lines", [(3, 2), (2, 3)])
def test_files_of_different_lengths_are_named(tmp_path, lines):
    source, target = (write(tmp_path / name, *"x" * count) for name, count in zip("ab", lines, strict=True))
    shorter = (source, target)[int(np.argmin(lines))]
    with pytest.raises(InputError, match=f"{shorter} must have as many lines .* 3, but it ends after line 2"):
        read_parallel(source, target)


def test_files_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(InputError, match="nothing cannot be read: No such file"):
        read_parallel(write(tmp_path / "a", "eins"), str(tmp_path / "nothing"))
    with pytest.raises(InputError, match=f"{tmp_path} cannot be read: Is a directory"):
        read_parallel(str(tmp_path), str(tmp_path / "a"))


def test_pipes_are_read_once(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    if os.fork() == 0:
        pipe.write_bytes(b"eins\nzwei\n")
        os._exit(0)
    data = read_parallel(str(pipe), write(tmp_path / "b", "one", "two"))
    assert list(zip(data.sources, data.targets, strict=True)) == [("eins", "one"), ("zwei", "two")]
    assert data.where[1] == f"{pipe}, line 2"
    os.wait()


@pytest.mark.parametrize("name", ["a.tsv", "a.tsv.gz"])
@pytest.mark.parametrize("header", [("source\ttarget",), (), ("target\tsource",)])
def test_pairs_come_from_columns(tmp_path, name, header):
    swapped = header == ("target\tsource",)
    rows = [('ein "Hund', "a dog"), ("zwei", "two")]
    data = read_pairs(write(tmp_path / name, *header, *("\t".join(row[::-1] if swapped else row) for row in rows)))
    assert list(zip(data.sources, data.targets, strict=True)) == rows
    with pytest.raises(InputError, match=r"'nowhere\.tsv' is not there"):
        read_pairs("nowhere.tsv")


MANY_THINGS = ["Go.\tGeh.\tCC-BY 2.0 (France) Attribution: tatoeba.org #1 & #2", "Hi.\tHallo!\tCC-BY 2.0 (France) ..."]
TATOEBA = ["1276\tGo.\t347\tGeh.", "1277\tHi.\t348\tHallo!"]
GO = [("Go.", "Geh."), ("Hi.", "Hallo!")]


@pytest.mark.parametrize(
    ("lines", "message"),
    [(MANY_THINGS, "in columns 1 and 2 of 3"), (TATOEBA, "in columns 2 and 4 of 4")],
)
def test_pairs_of_tatoeba_are_read_as_they_come(tmp_path, caplog, lines, message):
    data = read_pairs(write(tmp_path / "deu.txt", *lines))
    assert list(zip(data.sources, data.targets, strict=True)) == GO
    assert message in caplog.text
    assert "--source_column and --target_column name others" in caplog.text


@pytest.mark.parametrize(("source", "target"), [("german", "english"), ("4", "2"), ("german", "2")])
def test_columns_of_pairs_have_names_or_numbers(tmp_path, caplog, source, target):
    header = [] if source.isdigit() else ["id\tenglish\tid\tgerman"]
    path = write(tmp_path / "pairs", *header, *TATOEBA)
    data = read_pairs(path, PairOptions(source_column=source, target_column=target))
    assert list(zip(data.targets, data.sources, strict=True)) == GO
    assert not caplog.text
    with pytest.raises(InputError, match=r"--target_column must be .*, not 'french'"):
        read_pairs(path, PairOptions(source_column=source, target_column="french"))


def test_a_prefix_names_two_files_in_the_order_of_its_languages(tmp_path):
    german, english = write(tmp_path / "c.de-en.de", "eins", "zwei"), write(tmp_path / "c.de-en.en.gz", "one", "two")
    write(tmp_path / "c.de-en.ids", "1")
    data, same = read_pairs(str(tmp_path / "c.de-en")), read_parallel(german, english)
    assert list(zip(data.sources, data.targets, strict=True)) == [("eins", "one"), ("zwei", "two")]
    assert data.fingerprint == same.fingerprint


@pytest.mark.parametrize("prefix", ["train", "corpus.de-fr"])
def test_a_prefix_that_does_not_say_which_is_the_source_names_the_files(tmp_path, prefix):
    for side in ("de", "en"):
        write(tmp_path / f"{prefix}.{side}", "x")
    message = f"must end in two languages, .* there are {prefix}.de, {prefix}.en: name two with --source and --target"
    with pytest.raises(InputError, match=message):
        read_pairs(str(tmp_path / prefix))


def test_empty_sides_are_errors_or_left_out_and_wild_ones_are_counted(caplog):
    data = Parallel(["a", "b", " ", "c" * 5], ["a", "b", "c", "d" * 50], [f"f, line {n}" for n in range(1, 5)])
    with pytest.raises(InputError, match="f, line 3: the source must not be empty"):
        sound(data, drop=False)
    assert not caplog.text
    assert sound(data, drop=True).sources == ["a", "b"]
    assert "1 pairs have one side more than nine times as long as the other: left out" in caplog.text
    caplog.clear()
    assert len(sound(data.chosen([0, 3]), drop=False)) == 2
    assert "1 pairs have one side more than nine times as long as the other: kept (--drop_strange" in caplog.text
    caplog.clear()
    assert len(sound(data.chosen([0, 1]), drop=False)) == 2
    assert not caplog.text
    with pytest.raises(InputError, match="at least one pair"):
        sound(data.chosen([2]), drop=True)


def test_a_batch_is_the_target_and_the_same_a_step_later():
    batch = pairs((), [np.array([7, 8, 9]), np.array([5])])
    assert batch.tokens.tolist() == [[BOS, 7, 8, 9], [BOS, 5, PAD, PAD]]
    assert batch.targets.tolist() == [[7, 8, 9, EOS], [5, EOS, PAD, PAD]]


def test_nothing_learns_that_a_target_ends_where_it_was_cut():
    batch = pairs((), [np.array([7, 8, 9]), np.array([5]), np.array([5, 6])], longest=2)
    assert batch.tokens.tolist() == [[BOS, 7], [BOS, 5], [BOS, 5]]
    assert batch.targets.tolist() == [[7, 8], [5, EOS], [5, 6]]


def test_dates_are_what_they_say():
    train, valid, test = date_pairs(3)
    for part in (train, valid, test):
        for text, iso in list(zip(part.sources, part.targets, strict=True))[:500]:
            when = date.fromisoformat(iso)
            assert dates.FIRST <= when <= dates.LAST
            assert f"{when.year % 100:02}" in text
            weekday = when.strftime("%a").lower()
            named = [name[:3].lower() for name in dates.WEEKDAYS if name[:3].lower() + " " in text.lower()]
            assert named in ([], [weekday])
    numbers = [(text, iso) for text, iso in zip(train.sources, train.targets, strict=True) if text.count("/") == 2]
    for text, iso in numbers:
        styles = ["%Y/%m/%d"] if text.index("/") == 4 else ["%m/%d/%Y" if len(text.split("/")[2]) == 4 else "%m/%d/%y"]
        found = datetime.strptime(text, styles[0]).date()
        assert (found.month, found.day, found.year % 100) == (int(iso[5:7]), int(iso[8:]), int(iso[2:4]))
    assert numbers
    assert date_pairs(3) == (train, valid, test)
    days = [set(part.targets) for part in (train, valid, test)]
    assert sum(map(len, days)) == len(set.union(*days))


@pytest.mark.parametrize("day", range(1, 32))
def test_ordinals(day):
    word = dates._ordinal(day)
    endings = {"first": 1, "second": 2, "third": 3, "fifth": 5, "eighth": 8, "ninth": 9, "twelfth": 12}
    last = word.split("-")[-1]
    if last in endings:
        assert day % 10 == endings[last] % 10
    assert len({dates._ordinal(number) for number in range(1, 32)}) == 31


@pytest.fixture
def release(tmp_path, monkeypatch):
    """A server with the files of a release, their checksums, and an empty cache."""
    folder = tmp_path / "release"
    folder.mkdir()
    for part in multi30k.MULTI30K_PARTS.values():
        for side in ("de", "en"):
            write(folder / f"{part}.{side}.gz", f"{part} {side} 1", f"{part} {side} 2")
    sums = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    monkeypatch.setattr(multi30k, "SHA256", sums)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("SEQGEN_DATA", raising=False)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    monkeypatch.setattr(handler.func, "log_message", lambda *arguments: None)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(multi30k, "MULTI30K", f"http://127.0.0.1:{server.server_port}/")
        yield folder
        server.shutdown()


def test_a_named_set_is_downloaded_once_and_verified(release, monkeypatch, tmp_path):
    data = find_multi30k("multi30k-de-en", "valid")
    assert list(data.sources) == ["val de 1", "val de 2"]
    assert list(data.targets) == ["val en 1", "val en 2"]
    (tmp_path / "cache" / "seqgen" / "multi30k" / "val.de.gz").write_bytes(b"damaged")
    assert list(find_multi30k("multi30k-de-en", "valid").sources) == list(data.sources)
    (release / "val.de.gz").unlink()
    assert list(find_multi30k("multi30k-en-de", "valid").targets) == list(data.sources)
    (release / "train.de.gz").write_bytes(b"altered")
    with pytest.raises(InputError, match="its checksum differs"):
        find_multi30k("multi30k-de-en", "train")
    monkeypatch.setenv("SEQGEN_DATA", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    (release).rename(tmp_path / "data" / "multi30k")
    assert find_multi30k("multi30k-de-en", "test").sources[0] == "test_2016_flickr de 1"
    with pytest.raises(InputError, match=r"neither in \$SEQGEN_DATA/multi30k nor can it be downloaded"):
        multi30k._multi30k_file("other.gz")
