"""What `--data` can name: one file or several, from this folder or from any."""

import io
import os
import re
import sys
from pathlib import Path

import pytest

from seqgen.data.captioned import read_captioned
from seqgen.data.corpus import Corpus
from seqgen.data.labelled import read_texts
from seqgen.data.parallel import read_pairs
from seqgen.data.paths import NAMED_SETS, absolute, find_files, kept
from seqgen.data.sets.multi30k import PAIRS
from seqgen.data.sets.torchvision_sets import SETS
from seqgen.data.tagged import read_tagged
from seqgen.errors import InputError

FORMS = ["all.tsv", "a.tsv,b.tsv", "a.tsv, sub/../b.tsv", "[ab].tsv", "parts", "parts/*", "parts/a.tsv,parts/b*", "-"]
LINES = ["x\t1\n", "y\t2\n", "\n", "x\t3\n"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder of an odd name with the same four lines in one file, in two, and in a folder of two."""
    odd = tmp_path / " odd [a]*?,{b} ~$c%s\n'\"\udcff"
    odd.mkdir()
    monkeypatch.chdir(odd)
    for folder in ("parts", "sub"):
        Path(folder).mkdir()
    for name, lines in (("all", LINES), ("a", LINES[:2]), ("b", LINES[2:])):
        Path(f"{name}.tsv").write_text("".join(lines))
    for name in ("a.tsv", "b.tsv"):
        (Path("parts") / name).write_bytes(Path(name).read_bytes())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("".join(LINES).encode())))
    return odd


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("read", "content"),
    [
        (lambda data: list("".join(Corpus.find(data).blocks()).split()), ["x", "1", "y", "2", "x", "3"]),
        (lambda data: sorted(zip(*columns_of(read_texts(data)), strict=True)), [("1", "x"), ("2", "y"), ("3", "x")]),
        (lambda data: sorted(zip(*columns_of(read_pairs(data)), strict=True)), [("x", "1"), ("x", "3"), ("y", "2")]),
        (lambda data: sorted(token for row in read_tagged(data).tokens for token in row), ["x", "x", "y"]),
    ],
    ids=["text", "labelled", "pairs", "tagged"],
)
def test_every_reader_takes_every_form(here, form, read, content):
    assert read(form) == content


def columns_of(data):
    return list(data.__dict__.values())[:2]


def test_each_row_names_its_own_file(here):
    assert list(read_pairs("a.tsv,b.tsv").where) == ["a.tsv, line 1", "a.tsv, line 2", "b.tsv, line 2"]


def test_captions_may_be_in_several_files(here):
    for name in ("1", "2"):
        Path(f"parts/{name}.png").touch()
        Path(f"{name}.csv").write_text(f"image,caption\n{name}.png,said {name}\n")
    assert read_captioned("parts", {"train": "1.csv,2.csv"})["train"].captions == [["said 1"], ["said 2"]]


def test_a_file_with_a_comma_in_its_name_is_one_file(here):
    Path("a.tsv,b.tsv").write_text("one\tfile\n")
    assert list(read_texts("a.tsv,b.tsv").inputs) == ["file"]


@pytest.mark.parametrize("data", ["none.tsv", "a.tsv,none.tsv", "none/*", ""])
def test_what_is_not_there_is_named(here, data):
    with pytest.raises(InputError, match=r"data must .*a file, a folder, a glob, - or a named set, but .*n") as caught:
        find_files(data)
    assert "a.tsv" not in str(caught.value)


def test_a_list_of_many_names_is_not_too_long_for_a_name(here):
    assert len(find_files(",".join(["a.tsv"] * 2000))) == 2000


@pytest.mark.parametrize("form", [form for form in FORMS if form != "-"])
def test_absolute_names_say_the_same_from_any_folder(here, monkeypatch, form):
    expected = [file.path.resolve() for file in find_files(form)]
    name, identity = absolute(form), read_texts(form).fingerprint
    monkeypatch.chdir("sub")
    assert [file.path.resolve() for file in find_files(name)] == expected
    assert read_texts(name).fingerprint == identity
    assert absolute(name) == name


def test_absolute_prefixes_say_the_same_from_any_folder(here, monkeypatch):
    for side in ("de", "en"):
        Path(f"corpus.de-en.{side}").write_text(f"{side}\n")
    name = absolute("corpus.de-en")
    monkeypatch.chdir("sub")
    assert list(read_pairs(name).sources) == ["de"]


def test_named_sets_and_standard_input_stay_as_they_are(here):
    Path("dates").touch()
    for data in (*NAMED_SETS, "-", "", "not there"):
        assert absolute(data) == data


def test_all_named_sets_are_known():
    page = (Path(__file__).parents[2] / "data" / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[\w-]+`(?:, `[\w-]+`)*) \|", page.partition("## Named sets")[2], flags=re.MULTILINE)
    listed = {name for row in rows for name in re.findall(r"[\w-]+", row)}
    assert listed == set(NAMED_SETS) >= {*PAIRS, *SETS}


def test_what_can_be_read_once_is_kept(here):
    assert Path(kept("-")).read_text() == "".join(LINES)
    os.mkfifo("pipe")
    if os.fork() == 0:
        Path("pipe").write_text("through")
        os._exit(0)
    assert Path(kept("pipe")).read_text() == "through"
    os.wait()
    for data in ("a.tsv", "parts", "[ab].tsv", "dates", "", "none"):
        assert kept(data) == data
