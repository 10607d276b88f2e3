"""Texts without labels are a line each, or a column of rows."""

import pytest

from seqgen.data.labelled import TextColumns
from seqgen.data.unlabelled import read_unlabelled
from seqgen.errors import InputError

TEXTS = ["a good film", "a bad, dull one", "what?"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("lines.txt", "\n".join(["a good film", "", "  a bad, dull one ", "what?"])),
        ("rows.csv", 'label,text\npos,a good film\nneg,"a bad, dull one"\n,what?\n'),
        ("rows.jsonl", "\n".join(f'{{"text": "{text}", "stars": 3}}' for text in TEXTS)),
    ],
)
def test_each_format_gives_the_texts(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    found = read_unlabelled(str(tmp_path / name))
    assert list(found.inputs) == TEXTS
    assert f"{name}, line" in found.where[1]


def test_a_column_is_named_and_other_texts_have_another_fingerprint(tmp_path):
    (tmp_path / "rows.tsv").write_text("title\tbody\none\ttwo\nthree\tfour\n")
    file = str(tmp_path / "rows.tsv")
    read = {name: read_unlabelled(file, TextColumns(text_column=name)) for name in ("title", "body")}
    assert [list(one.inputs) for one in read.values()] == [["one", "three"], ["two", "four"]]
    assert read["title"].fingerprint != read["body"].fingerprint


def test_what_has_no_texts_is_a_sentence(tmp_path):
    (tmp_path / "rows.tsv").write_text("title\tbody\none\ttwo\n")
    with pytest.raises(InputError, match="text"):
        read_unlabelled(str(tmp_path / "rows.tsv"), TextColumns(text_column="text,3"))
    (tmp_path / "blank.txt").write_text("\n \n")
    with pytest.raises(InputError, match=r"blank\.txt must have texts, but it has none"):
        read_unlabelled(str(tmp_path / "blank.txt"))
