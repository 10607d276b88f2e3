"""Files of other columns and encodings are read as options say, and by default as the model's run read them."""

import json

import PIL.Image
import pytest
import yaml
from making import (
    make_conditional_generator,
    make_generator,
    make_tagger,
    make_text_classifier,
    make_translator,
)

from seqgen.cli import main as cli

# Of each kind: the usual file, the same with other columns, and the options that read it.
FILES = {
    make_text_classifier: (
        "label,text\nfine,the cat\nbad,a dog\n",
        "class,body\nfine,the cat\nbad,a dog\n",
        {"label_column": "class", "text_column": "body"},
    ),
    make_conditional_generator: (
        "label,text\ncat,the mat\ndog,the log\n",
        "kind,name\ncat,the mat\ndog,the log\n",
        {"label_column": "kind", "text_column": "name"},
    ),
    make_translator: (
        "source,target\nthe cat,the mat\na dog,the log\n",
        "to,from\nthe mat,the cat\nthe log,a dog\n",
        {"source_column": "from", "target_column": "to"},
    ),
    lambda: make_tagger(words=True): ("the A\ncat B\n\nsat C\n", "the x A\ncat y B\n\nsat z C\n", {"column": "3"}),
}


@pytest.fixture(params=FILES)
def kind(request, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    request.param().save_pretrained(tmp_path / "run" / "model")
    usual, other, options = FILES[request.param]
    (tmp_path / "usual.csv").write_text(usual)
    (tmp_path / "other.csv").write_text(other)
    return options


@pytest.mark.parametrize("name", ["evaluate", "score"])
def test_columns_are_options_and_by_default_those_of_the_run(command, kind, tmp_path, name):
    code, expected, err = command(cli.main, name, "run", "usual.csv", "--json")
    assert code == 0, err
    given = [word for option, column in kind.items() for word in (f"--{option}", column)]
    assert command(cli.main, name, "run", "other.csv", "--json", *given)[1] == expected
    (tmp_path / "other16.csv").write_text((tmp_path / "other.csv").read_text(), encoding="utf-16")
    (tmp_path / "run" / "resolved.yaml").write_text(yaml.safe_dump({**kind, "encoding": "utf-16"}))
    for directory in ("run", "run/model"):
        assert command(cli.main, name, directory, "other16.csv", "--json")[1] == expected
    assert command(cli.main, name, "run", "other.csv", "--json", "--encoding", "utf-8")[1] == expected


def test_several_columns_of_a_text_are_joined(command, tmp_path):
    make_text_classifier().save_pretrained(tmp_path / "model")
    (tmp_path / "news.csv").write_text("label,title,description\nfine,the cat,sat\nbad,a dog,sat\n")
    columns = ("--text_column", "title,description")
    code, out, err = command(cli.main, "evaluate", tmp_path / "model", tmp_path / "news.csv", "--json", *columns)
    assert code == 0, err
    assert json.loads(out)["examples"] == 2


TEXTS = {
    "score": make_generator,
    "generate": make_generator,
    "classify": make_text_classifier,
    "translate": make_translator,
    "tag": make_tagger,
}


@pytest.mark.parametrize("name", TEXTS)
def test_texts_have_an_encoding(command, tmp_path, name):
    TEXTS[name]().save_pretrained(tmp_path / "run" / "model")
    words = ("--seed", 1, "--max_new_tokens", 5) if name == "generate" else ()
    (tmp_path / "utf8.txt").write_text("the cat\n")
    (tmp_path / "utf16.txt").write_text("the cat\n", encoding="utf-16")
    _, expected, _ = command(cli.main, name, tmp_path / "run", tmp_path / "utf8.txt", *words)
    assert expected
    code, _, err = command(cli.main, name, tmp_path / "run", tmp_path / "utf16.txt", *words)
    assert code == 2
    assert "--encoding names another encoding, such as utf-16" in err
    asked = (*words, "--encoding", "utf-16")
    assert command(cli.main, name, tmp_path / "run", tmp_path / "utf16.txt", *asked)[1] == expected
    (tmp_path / "run" / "resolved.yaml").write_text("encoding: utf-16\n")
    assert command(cli.main, name, tmp_path / "run", tmp_path / "utf16.txt", *words)[1] == expected
    assert "--encoding must be one" in command(cli.main, name, tmp_path / "run", "the", "--encoding", "utf-99")[2]


def test_a_picture_is_no_text(command, tmp_path):
    make_text_classifier().save_pretrained(tmp_path / "model")
    PIL.Image.new("RGB", (40, 30)).save(tmp_path / "picture.jpg")
    code, out, err = command(cli.main, "classify", tmp_path / "model", tmp_path / "picture.jpg")
    assert (code, out) == (2, "")
    assert "picture.jpg must be text" in err
