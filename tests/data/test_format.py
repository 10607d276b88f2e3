"""What a file holds is seen by looking at it, whatever its name."""

import csv
import gzip
import io
import json

import pytest

from seqgen.data.format import LOOKED_AT, format_of
from seqgen.data.labelled import TextColumns, read_texts
from seqgen.data.parallel import read_pairs
from seqgen.data.paths import find_files
from seqgen.data.tagged import read_tagged
from seqgen.errors import InputError

ROWS = [("pos", "a fine film"), ("neg", "dull, very; dull"), ("pos", "fine\u00e9")]
NAMES = ["data.txt", "data", "data.dat", "data.gz", "data.txt.gz", "data.tsv.gz"]


def write(path, text, encoding="utf-8"):
    content = text.encode(encoding)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return str(path)


def tabs(first, second):
    return "".join(f"{one}\t{other}\n" for one, other in ((first, second), *ROWS))


def json_lines(first, second):
    return "".join(json.dumps({first: one, second: other}) + "\n" for one, other in ROWS)


def json_array(first, second):
    return json.dumps([{first: one, second: other} for one, other in ROWS], indent=1)


def commas(first, second, delimiter=","):
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, lineterminator="\n").writerows([(first, second), *ROWS])
    return file.getvalue()


CONTENTS = [
    *((tabs, name) for name in NAMES),
    *((json_lines, name) for name in ("data.json", "data.txt", "data", "data.json.gz", "data.jsonl", "data.ndjson")),
    (json_array, "data.json"),
    *((commas, name) for name in ("data.txt", "data", "data.CSV", "data.csv.gz")),
    (lambda *names: commas(*names, delimiter=";"), "data.csv"),
    (lambda *names: commas(*names, delimiter="\t"), "data.csv"),
]


@pytest.mark.parametrize(("content", "name"), CONTENTS)
def test_rows_are_read_under_any_name(tmp_path, content, name):
    texts = read_texts(write(tmp_path / name, content("label", "text")))
    assert list(zip(texts.labels, texts.inputs, strict=True)) == ROWS
    pairs = read_pairs(write(tmp_path / name, content("source", "target")))
    assert list(zip(pairs.sources, pairs.targets, strict=True)) == ROWS


@pytest.mark.parametrize("name", [name for name in NAMES if "tsv" not in name])
def test_lines_of_a_label_and_a_text_stay_such_lines(tmp_path, name):
    lines = "pos a fine film\nneg dull,\tvery; dull\n\npos fine\u00e9\n"
    texts = read_texts(write(tmp_path / name, lines))
    assert list(texts.labels) == ["pos", "neg", "pos"]
    assert list(texts.inputs) == ["a fine film", "dull,\tvery; dull", "fine\u00e9"]


def test_tagged_texts_under_any_name(tmp_path):
    conllu = "# one\n1\tNew York\t_\tPROPN\t" + "_\t" * 5 + "_\n2\tis\t_\tAUX\t" + "_\t" * 5 + "_\n"
    for name in ("a.conllu", "a.conllu.gz", "a.txt", "a"):
        data = read_tagged(write(tmp_path / name, conllu))
        assert (data.tokens[0], data.tags[0]) == (["New York", "is"], ["PROPN", "AUX"])
    line = json.dumps({"tokens": ["New York", "is"], "tags": ["PROPN", "AUX"]}) + "\n"
    lines = "New York\tPROPN\nis AUX\n"
    for name, content in (("b", line), ("b.json", line), ("b.json", f"[{line}]"), ("c.txt", lines)):
        assert read_tagged(write(tmp_path / name, content)).tags[0] == ["PROPN", "AUX"]


def test_tags_may_be_in_any_column_of_lines(tmp_path):
    path = write(tmp_path / "eng.train", "EU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\n. . O O\n")
    assert list(read_tagged(path, "4").tags) == [["B-ORG", "O"], ["O"]]
    assert read_tagged(path, "2").tags[0] == ["NNP", "VBZ"]
    with pytest.raises(InputError, match=r"line 1: there must be 2 columns, but there are 4, .*--column"):
        read_tagged(path)
    with pytest.raises(InputError, match="line 1: there must be 5 columns, but there are 4"):
        read_tagged(path, "5")


@pytest.mark.parametrize(
    ("content", "read_as"),
    [
        ("a b\nc\td\n", "read as plain lines, as its first lines differ in their number of tabs, such as 'c\\td'"),
        ("a b\nc d\n", "read as plain lines, as its first lines have no tabs"),
        ("a\tb\n\nc\td\n", "read as tab-separated, as its first lines have the same number of tabs"),
        ('{"a": 1}\n{"a": 2}\n', "read as JSON lines, as its first lines are JSON objects"),
        ('{"a": 1}\n[2]\n', "read as plain lines, as its first lines have no tabs"),
        ("a,b\n1,2\n", "read as plain lines, as its first lines have no tabs"),
        ("B,a\n1,2\n", "read as plain lines, as its first lines have no tabs"),
        ("Label, x ,text\n1,2,3\n", "read as comma-separated, as its first line names the columns"),
        ("\n", "read as plain lines, as its first lines have no tabs"),
    ],
)
def test_what_is_decided_is_said(tmp_path, content, read_as):
    [file] = find_files(write(tmp_path / "data", content))
    assert str(format_of(file, ("label", "text"))) == read_as


def test_errors_say_how_the_file_is_read(tmp_path):
    lines = "".join(f"a\t{number}\n" for number in range(LOOKED_AT))
    with pytest.raises(
        InputError, match=rf"line {LOOKED_AT + 1}: .* 2, but it has 1 \(read as tab-separated, as its first lines"
    ):
        list(read_texts(write(tmp_path / "data.txt", lines + "no tab\n")).inputs)
    with pytest.raises(
        InputError, match=r"must have a tab in each line, .* read as plain lines, as its first lines have no tabs"
    ):
        read_pairs(write(tmp_path / "data.txt", "ein Hund\n"))
    with pytest.raises(InputError, match="must have columns where --label_column names one, but it is read as plain"):
        read_texts(write(tmp_path / "data.txt", "pos fine\n"), TextColumns(text_column="review"))
    with pytest.raises(InputError, match=r"'fine'.*\(read as plain lines"):
        read_texts(write(tmp_path / "data.txt", "fine\n"))
