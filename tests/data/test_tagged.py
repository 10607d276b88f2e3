import json
import re

import pytest

from seqgen.data.sets.highlighting import highlight
from seqgen.data.sets.python_library import python_source
from seqgen.data.tagged import read_tagged
from seqgen.errors import InputError

CONLLU = """# text = I don't
1\tI\tI\tPRON\tP1\t_\t2\tnsubj\t_\t_
2-3\tdon't\t_\t_\t_\t_\t_\t_\t_\t_
2\tdo\tdo\tAUX\tX\t_\t0\troot\t_\t_
3\tn't\tnot\tPART\tN\t_\t2\tadvmod\t_\t_
3.1\tgo\tgo\tVERB\tV\t_\t_\t_\t_\t_

1\tGo\tgo\tVERB\tV\t_\t0\troot\t_\t_
"""


def write(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    return str(tmp_path / name)


UPOS = ["PRON", "AUX", "PART"]


@pytest.mark.parametrize(("column", "tags"), [("UPOS", UPOS), ("4", UPOS), ("xpos", ["P1", "X", "N"])])
def test_conllu_gives_the_words_as_they_are_tagged(tmp_path, column, tags):
    data = read_tagged(write(tmp_path, "a.conllu", CONLLU), column)
    assert list(data.tokens) == [["I", "do", "n't"], ["Go"]]
    assert data.tags[0] == tags
    assert data.where[1].endswith("line 8")


def test_two_columns_and_json_lines_are_read_alike(tmp_path):
    columns = read_tagged(write(tmp_path, "a.txt", "I PRON\ndo\tAUX\n\n\nGo VERB"))
    rows = [{"tokens": ["I", "do"], "tags": ["PRON", "AUX"]}, {"tokens": ["Go"], "tags": ["VERB"]}]
    lines = read_tagged(write(tmp_path, "a.jsonl", "\n".join(map(json.dumps, rows))))
    assert list(columns.tokens) == list(lines.tokens) == [["I", "do"], ["Go"]]
    assert list(columns.tags) == list(lines.tags) == [["PRON", "AUX"], ["VERB"]]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.conllu", "1\tI\tI\tPRON\n", "a.conllu, line 1: there must be 10 columns, but there are 4"),
        ("a.txt", "I PRON\ndo\n", "a.txt, line 2: there must be 2 columns, but there are 1"),
        ("a.txt", "\n\n", "a.txt must hold tagged texts, but it holds none"),
        (
            "a.jsonl",
            '{"tokens": ["a", "b"], "tags": ["X"]}',
            "line 1: there must be a tag for each token, but 2 have 1",
        ),
        (
            "a.jsonl",
            r'{"tokens": ["a\u0000b"], "tags": ["X"]}',
            "line 1: tokens and tags must be text, but one holds a NUL",
        ),
        ("a.jsonl", '{"tokens": ["a"]}', 'a.jsonl, line 1: there must be lists "tokens" and "tags"'),
    ],
)
def test_a_broken_file_is_a_sentence_with_the_line(tmp_path, name, content, message):
    with pytest.raises(InputError, match=re.escape(message)):
        read_tagged(write(tmp_path, name, content))


def test_a_column_that_is_not_there_names_the_nearest(tmp_path):
    with pytest.raises(InputError, match=r"--column must be one of .*, not 'UPSO' \(did you mean UPOS\?\)"):
        read_tagged(write(tmp_path, "a.conllu", CONLLU), "UPSO")


def test_highlighting_is_what_tokenize_says(tmp_path):
    source = "def f(x):  # why\n    return [1.5, \"a\\\"b\"] + x\n\n\nprint('''two\nlines''')\n"
    path = tmp_path / "a.py"
    path.write_text(source)
    _, text, tags, ends = highlight(path)
    assert text == source
    kinds = {}
    for character, tag in zip(text, tags, strict=True):
        kinds[tag] = kinds.get(tag, "") + character
    assert kinds["keyword"] == "defreturn"
    assert kinds["builtin"] == "print"
    assert kinds["name"] == "fxx"
    assert kinds["number"] == "1.5"
    assert kinds["comment"] == "# why"
    assert kinds["string"] == "\"a\\\"b\"'''two\nlines'''"
    assert kinds["operator"] == "():[,]+()"
    assert kinds["space"].strip() == ""
    assert source.index("lines") not in ends
    assert all(source[end - 1] == "\n" for end in ends)


@pytest.mark.parametrize("end", ["\n\f\n", "  # a \x1c b \u2028 c\n"])
def test_only_what_ends_a_line_of_python_ends_one(tmp_path, end):
    path = tmp_path / "a.py"
    path.write_text(f"x = 1{end}def f():\n    return 'y'\n", encoding="utf-8")
    _, text, tags, _ = highlight(path)
    assert tags[-4:] == ["string"] * 3 + ["space"]
    assert [one for one, tag in zip(text, tags, strict=True) if tag == "keyword"] == [*"defreturn"]


def test_a_broken_source_is_passed_over(tmp_path):
    (tmp_path / "a.py").write_text("x = '''never ended\n")
    assert highlight(tmp_path / "a.py") is None


def test_every_character_of_the_library_has_a_tag():
    for _, path in python_source()[:5]:
        _, text, tags, _ = highlight(path)
        assert len(text) == len(tags)
        assert all(
            character.isspace() or character == "\\"
            for character, tag in zip(text, tags, strict=True)
            if tag == "space"
        )
