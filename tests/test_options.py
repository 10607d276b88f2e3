"""Options among other arguments, lists without brackets, and mistakes as one sentence."""

from typing import Literal

import pytest

from seqgen.errors import InputError, counted
from seqgen.options import new_parser, parse

TYPES = {"count": int | None, "sure": bool, "stops": str, "cells": list[Literal["lstm", "gru"]], "sizes": list[int]}


def parsed(*arguments, words=True):
    parser = new_parser("")
    if words:
        parser.add_argument("directory")
        parser.add_argument("texts", nargs="*")
    parser.add_argument("--count", type=TYPES["count"])
    parser.add_argument("--sure", action="store_true")
    parser.add_argument("--stops", nargs="+", default=[])
    for name, default in (("cells", ["gru"]), ("sizes", [1])):
        parser.add_argument(f"--{name}", type=TYPES[name], default=default)
    return parse(parser, list(arguments), TYPES)


def test_options_may_stand_among_other_arguments():
    expected = parsed("--count", "2", "--sure", "here", "a b", "c")
    assert expected["texts"] == ["a b", "c"]
    for words in (
        ["here", "a b", "c", "--sure", "--count", "2"],
        ["here", "--count", "2", "a b", "--sure", "c"],
        ["--sure", "here", "--count=2", "a b", "c"],
    ):
        assert parsed(*words) == expected


def test_values_and_texts_may_begin_with_a_dash():
    assert parsed("here", "-1", "- a", "", "--count", "-3") | {"count": 0} == parsed(
        "here", "-1", "- a", "", "--count", "0"
    )
    assert parsed("here", "--count", "1", "--", "--sure")["texts"] == ["--sure"]
    assert parsed("here", "a", "--stops", "x", "y", "--sure")["stops"] == ["x", "y"]


@pytest.mark.parametrize(
    "words", [["--cells", "lstm", "gru"], ["--cells", "lstm,gru"], ["--cells=lstm,gru"], ["--cells", "[lstm, gru]"]]
)
def test_lists_need_no_brackets(words):
    assert parsed(*words, words=False)["cells"] == ["lstm", "gru"]
    assert parsed("--sizes", "3", words=False)["sizes"] == [3]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--cells", "lst"], "--cells must be a list of lstm, gru, not 'lst' (did you mean lstm?)"),
        (["--sizes", "x"], "--sizes must be a list, each a whole number, not 'x'"),
        (["--count"], "--count must have a value after it, but it has none"),
        (["--coun", "1"], "there is no option --coun (did you mean --count?)"),
        (["count", "1"], "options must begin with --, but there is 'count'"),
    ],
)
def test_a_mistake_is_a_sentence(words, sentence):
    with pytest.raises(InputError) as raised:
        parsed(*words, words=False)
    assert str(raised.value) == sentence


def test_one_has_no_s():
    assert [counted(number, "thread") for number in (0, 1, 2, 1234)] == [
        "0 threads",
        "1 thread",
        "2 threads",
        "1,234 threads",
    ]
