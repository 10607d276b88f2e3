import gzip
import json
import re

import pytest

from seqgen.data.labelled import Labelled, TextColumns, read_texts
from seqgen.data.tagged import read_tagged
from seqgen.errors import InputError

ROWS = [("pos", "a fine film"), ("neg", 'dull, "very" dull'), ("pos", "fine\u00e9")]


def contents(kind):
    if kind == "jsonl":
        return "\n".join(json.dumps({"label": label, "text": text, "id": 7}) for label, text in ROWS) + "\n\n"
    if kind == "csv":
        return 'text,label\na fine film,pos\n"dull, ""very"" dull",neg\nfine\u00e9,pos\n'
    joint = {"tsv": "\t", "txt": " "}[kind]
    return "".join(f"{label}{joint}{text}\n" for label, text in ROWS)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize("kind", ["tsv", "csv", "jsonl", "txt"])
def test_every_kind_of_file_is_read_alike(tmp_path, kind, packed):
    path = tmp_path / f"data.{kind}{'.gz' if packed else ''}"
    content = contents(kind).encode()
    path.write_bytes(gzip.compress(content) if packed else content)
    texts = read_texts(str(path))
    assert list(zip(texts.labels, texts.inputs, strict=True)) == ROWS


@pytest.mark.parametrize("columns", [("stars", "review"), ("1", "3"), ("STARS", "3")])
def test_columns_have_names_or_numbers(tmp_path, columns):
    (tmp_path / "data.tsv").write_text("stars\tid\treview\n5\t1\tgood\n1\t2\tbad\n")
    if columns == ("1", "3"):
        (tmp_path / "data.tsv").write_text("5\t1\tgood\n1\t2\tbad\n")
    texts = read_texts(str(tmp_path / "data.tsv"), TextColumns(label_column=columns[0], text_column=columns[1]))
    assert (list(texts.labels), list(texts.inputs)) == (["5", "1"], ["good", "bad"])


def test_a_text_in_quotes_may_have_several_lines(tmp_path):
    (tmp_path / "data.csv").write_text('label,text\na,"one\ntwo"\nb,three\n')
    texts = read_texts(str(tmp_path / "data.csv"))
    assert list(texts.inputs) == ["one\ntwo", "three"]
    assert texts.where[1].endswith("line 4")


def test_a_folder_of_files_for_each_class(tmp_path):
    for name, text in (("pos/1.txt", "good"), ("pos/2.txt", "fine"), ("neg/deep/1.txt", "bad")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    texts = read_texts(str(tmp_path))
    assert sorted(zip(texts.labels, texts.inputs, strict=True)) == [("neg", "bad"), ("pos", "fine"), ("pos", "good")]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.tsv", "x\ta b\ny\tc\td\n", "a.tsv, line 2: a row must have as many columns as the first, 2, but it has 3"),
        (
            "a.tsv",
            "x\ty\tz\n",
            "a.tsv, line 1: it must name the columns label and text, or there must be just these 2, but it has 3",
        ),
        ("a.tsv", "label\tsentence\nx\ty\n", "a.tsv, line 1: --text_column must be one of label, sentence, not 'text'"),
        ("a.tsv", "x\ta\ny\t \n", "a.tsv, line 2: a text must not be empty"),
        ("a.csv", "label,text\n,a\n", "a.csv, line 2: a label must not be empty"),
        ("a.csv", "", "a.csv must hold text, but it is empty"),
        ("a.txt", "x a\nlonely\n", "a.txt, line 2: a line must be a label, white space and a text, not 'lonely'"),
        (
            "a.jsonl",
            '{"label": 1, "text": "a"}\n{"label"',
            "a.jsonl, line 2: a line must be a JSON object, but it is not",
        ),
        ("a.jsonl", '{"label": 1, "text": null}', "a.jsonl, line 1: 'text' must be a text or a number, not null"),
        ("a.jsonl", "[1]\n", "a.jsonl, line 1: a line must be a JSON object, not list"),
        ("a.jsonl", '{"text": "a"}\n', "a.jsonl, line 1: there must be a key 'label', but there are text"),
    ],
)
def test_a_broken_file_is_a_sentence_with_the_line(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=re.escape(message)):
        read_texts(str(tmp_path / name))


def test_what_is_not_there_is_a_sentence(tmp_path):
    with pytest.raises(InputError, match="is not there"):
        read_texts(str(tmp_path / "nothing.tsv"))
    with pytest.raises(InputError, match="must hold text files, but it holds none"):
        read_texts(str(tmp_path))


AG_NEWS = [("3", "Wall St.", "Bears claw back, again"), ("1", 'The "Talks"', "They began"), ("3", "Oil", "Up; up")]
QUOTED = "".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n" for row in AG_NEWS)
JOINED = ["Wall St. Bears claw back, again", 'The "Talks" They began', "Oil Up; up"]


@pytest.mark.parametrize(
    ("name", "content", "columns"),
    [
        ("train.csv", QUOTED, ("1", "2,3")),
        ("train.csv", "label,title,description\n" + QUOTED, ("label", "title,description")),
        ("train.csv", "class,title,description\n" + QUOTED, ("class", "Title, description")),
        (
            "train.jsonl",
            "\n".join(json.dumps(dict(zip(("class", "title", "text"), row, strict=True))) for row in AG_NEWS),
            ("class", "title,text"),
        ),
    ],
)
def test_several_columns_are_one_text(tmp_path, name, content, columns):
    (tmp_path / name).write_text(content)
    texts = read_texts(str(tmp_path / name), TextColumns(label_column=columns[0], text_column=columns[1]))
    assert list(texts.labels) == ["3", "1", "3"]
    assert list(texts.inputs) == JOINED


def test_a_name_with_a_comma_is_one_column(tmp_path):
    (tmp_path / "a.tsv").write_text("label\ttext, more\ttext\nx\tthis\tnot this\n")
    assert list(read_texts(str(tmp_path / "a.tsv"), TextColumns(text_column="text, more")).inputs) == ["this"]


@pytest.mark.parametrize(
    ("name", "content", "columns", "message"),
    [
        ("a.csv", "label,title\nx,y\n", {}, "--text_column must be one of label, title, not 'text'"),
        (
            "a.csv",
            "label,title,body\nx,y,z\n",
            {"text_column": "title,bodi"},
            "--text_column must be one of label, title, body, not 'bodi' (did you mean body?)",
        ),
        (
            "a.csv",
            "stars,title,body\nx,y,z\n",
            {},
            "but it has 3: stars, title, body; --label_column and --text_column name others",
        ),
        ("a.csv", "x,y,z\n", {"label_column": "1", "text_column": "2,4"}, "a number from 1 to 3, not '4'"),
        ("a.jsonl", '{"label": 1, "body": 2}\n', {}, "but there are label, body (--text_column names another)"),
    ],
)
def test_an_unknown_column_names_the_option_and_the_columns(tmp_path, name, content, columns, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=re.escape(message)):
        read_texts(str(tmp_path / name), TextColumns(**columns))


@pytest.fixture
def names(tmp_path):
    folder = tmp_path / "names"
    folder.mkdir()
    (folder / "Arabic.txt").write_text("Khoury\nNahas\n\n")
    (folder / "Old Czech.txt.gz").write_bytes(gzip.compress(b"Abl\nAdsit z Hory\n"))
    (folder / ".hidden").write_text("no name\n")
    return folder


@pytest.mark.parametrize("form", ["{}", "{}/*", "{}/Arabic.txt,{}/Old Czech.txt.gz"])
def test_files_named_after_the_label_of_their_lines(names, form, caplog):
    texts = read_texts(form.format(names, names))
    found = list(zip(texts.labels, texts.inputs, strict=True))
    assert found == [("Arabic", "Khoury"), ("Arabic", "Nahas"), ("Old Czech", "Abl"), ("Old Czech", "Adsit z Hory")]
    assert texts.where[1] == f"{names}/Arabic.txt, line 2"
    assert "the name of its file its label, such as 'Arabic'" in caplog.text


def test_another_name_is_another_label(names):
    before = read_texts(str(names))
    (names / "Arabic.txt").rename(names / "Arab.txt")
    after = read_texts(str(names))
    assert (after.labels[0], after.inputs[0]) == ("Arab", before.inputs[0])
    assert after.fingerprint != before.fingerprint


def test_endings_are_labels_where_names_are_the_same(tmp_path):
    for ending in ("pos", "neg"):
        (tmp_path / f"polarity.{ending}").write_text(f"a {ending} film\n")
    assert set(read_texts(str(tmp_path)).labels) == {"polarity.pos", "polarity.neg"}


def test_a_folder_of_tables_is_their_rows_and_a_mixed_one_an_error(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.tsv").write_text(f"label\ttext\npos\tfrom {name}\n")
    assert list(read_texts(str(tmp_path)).inputs) == ["from a", "from b"]
    (tmp_path / "c.txt").write_text("just a line\n")
    with pytest.raises(InputError, match=r"either all have columns .*c\.txt is read as plain.*a\.tsv is read"):
        read_texts(str(tmp_path))


def test_the_identity_of_images_is_that_of_their_names_and_labels():
    whole, part = (Labelled([None], ["cat"], [f"{folder}/cat/1.png"]) for folder in ("/data/images", "images"))
    assert whole.fingerprint == part.fingerprint != Labelled([None], ["dog"], ["images/cat/1.png"]).fingerprint


@pytest.mark.parametrize("column", ["²", "٣²", "9" * 5_000, "0"])
def test_what_only_looks_like_a_number_is_no_column(tmp_path, column):
    (tmp_path / "a.tsv").write_text("x\tthis\n" * 3)
    with pytest.raises(InputError, match="--label_column must be"):
        read_texts(str(tmp_path / "a.tsv"), TextColumns(label_column=column, text_column="2"))
    (tmp_path / "b.conllu").write_text("1\tThe\tthe\tDET\t_\t_\t0\t_\t_\t_\n\n" * 3)
    with pytest.raises(InputError, match="--column must be"):
        read_tagged(str(tmp_path / "b.conllu"), column=column)
