"""Properties of a text at each token: what is in quotes, brackets and comments, and where a token stands."""

import random

import numpy as np
import pytest

from seqgen.data.sets.highlighting import highlight
from seqgen.data.sets.python_library import python_source
from seqgen.metrics.text_properties import text_properties
from seqgen.text.words import WordTokenizer


def values_of(tokens):
    return {one.name: one.values for one in text_properties(tokens)}


def where(name, text):
    """The characters that have a property; the others are dots."""
    return "".join(one if value else "." for one, value in zip(text, values_of(list(text))[name], strict=True))


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ('x = "ab" + c', '...."ab.....'),
        ("x = 'ab' + c", "....'ab....."),
        (r'"a\"b" c', r'"a\"b...'),
        ('"a \\\n  b" c', '"a \\\n  b...'),
        ('say "one\ntwo" now', '...."one\ntwo.....'),
        ('a 5 " nail\n\nand "so"', '................"so.'),
        ("don't, dogs' can't", ".................."),
        ("# it's 'so'\nf(rb'x')", "................'x.."),
        ("“so” it is", "“so......."),
        ("x = f'{y}'", ".....'{y}."),
        ("it's 'don't' now", ".....'don't....."),
    ],
)
def test_quotes_begin_and_end_where_a_reader_sees_them(text, inside):
    assert where("in quotes", text) == inside


def test_triple_quotes_are_apart_from_others():
    text = 'def f():\n    """It\'s "so",\n\n    (this."""\n    return "x"\n'
    triple, quoted = where("in triple quotes", text), where("in quotes", text)
    assert triple.strip(".") == '"""It\'s "so",\n\n    (this.""'
    assert quoted.strip(".") == '"x'
    assert not values_of(list(text))["in brackets"][text.index("this") :].any()


def test_brackets_are_counted_outside_of_quotes_and_closed_by_a_blank_line():
    text = 'f(a[1], "(((", b) :) {x\n\ny)'
    depths = values_of(list(text))["depth of brackets"].astype(int)
    assert "".join(map(str, depths)) == "011221111111111100000110000"
    assert (values_of(list(text))["in brackets"] == (depths > 0)).all()


def test_a_comment_lasts_to_the_end_of_its_line():
    assert where("in a comment", 'x = "#" # so\ny') == "........# so.."


def test_positions_count_what_was_read():
    text = "    if so:\n        it is. Is it, or?\n"
    found = {name: values.astype(int).tolist() for name, values in values_of(list(text)).items()}
    assert found["depth of indentation"] == [1, 2, 3, 4, *[4] * 6, 0, *range(1, 9), *[8] * 17, 0]
    assert found["position in the line"] == [*range(1, 11), 0, *range(1, 26), 0]
    assert found["position in the word"][:10] == [0, 0, 0, 0, 1, 2, 0, 1, 2, 0]
    begin = text.index("Is")
    assert found["position in the sentence"][begin - 1 : begin + 3] == [0, 1, 2, 3]
    begin = text.index(" or")
    assert found["position in the clause"][begin : begin + 3] == [0, 1, 2]


def test_current_properties_are_those_of_the_token_alone():
    found = values_of(list("A b1.\n"))
    names = ("space", "line end", "letter", "capital letter", "digit", "punctuation")
    assert ["".join(str(int(value)) for value in found[name]) for name in names] == [
        "010001",
        "000001",
        "101000",
        "100000",
        "000100",
        "000010",
    ]


def test_words_have_the_properties_of_their_last_character():
    text = 'He said "it is so" (and, so on).\n'
    tokenizer = WordTokenizer.fit(text * 3)
    detokenizer = tokenizer.detokenizer()
    tokens = [detokenizer.push(int(token)) for token in tokenizer.encode(text)]
    assert "".join(tokens) == text
    found, of_characters = values_of(tokens), values_of(list(text))
    ends = np.cumsum([len(token) for token in tokens]).clip(1) - 1
    assert "position in the word" not in found
    for name in ("in quotes", "in brackets", "position in the sentence", "position in the clause"):
        assert (found[name] == of_characters[name][ends]).all()
    assert [bool(one) for one in found["capital letter"]] == [token == "He" for token in tokens]


def test_python_is_read_as_its_own_tokenizer_reads_it():
    paths = [path for _, path in python_source() if path.stat().st_size < 30_000]
    compared = 0
    for path in random.Random(1).sample(paths, 12):
        if (file := highlight(path)) is None:
            continue
        _, text, tags, _ = file
        found, tags = values_of(list(text)), np.array(tags)
        strings = found["in quotes"] + found["in triple quotes"] > 0
        inner = np.array([one not in "\"'rbfuRBFU" for one in text])  # prefixes and closing quotes are outside
        assert (strings == (tags == "string"))[inner].all(), path
        assert ((found["in a comment"] > 0) == (tags == "comment")).all(), path
        compared += int(strings.sum())
    assert compared > 1000


@pytest.mark.parametrize(
    "text", ["", "\n", '"', "“" * 5000, "'\"" * 4000, '"""' * 3001, "(" * 9000, "\\" * 5000, "\u0301"]
)
def test_strange_texts_have_properties_too(text):
    found = values_of(list(text)).values()
    assert len(found) == (16 if text else 0)
    for values in found:
        assert values.shape == (len(text),)
        assert (values >= 0).all()
        assert (values <= len(text)).all()
