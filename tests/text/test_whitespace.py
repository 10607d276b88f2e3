"""Words as a file has them: what benchmarks count is counted, and what is written is read as it was meant."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqgen.errors import InputError
from seqgen.symbols import SYMBOLS, UNK
from seqgen.tasks.schemas import TokenizerData, require
from seqgen.text.tokenizer import tokenizer_data
from seqgen.text.whitespace import WhitespaceTokenizer

LINES = " the <unk> sat , N @-@ <unk>\n\n = the = \n"


def test_a_token_is_what_stands_between_white_space_or_a_line_end():
    tokenizer = WhitespaceTokenizer.fit(LINES)
    assert len(tokenizer.encode(LINES)) == len(LINES.split()) + LINES.count("\n")
    assert tokenizer.vocab_size == len(SYMBOLS) + len({*LINES.split()} - {"<unk>"}) + 1
    assert tokenizer.decode(tokenizer.encode(LINES)) == "the <unk> sat , N @-@ <unk>\n\n= the =\n"


def test_unk_of_a_file_is_a_token_to_predict_and_known():
    tokenizer = WhitespaceTokenizer.fit(LINES)
    assert (tokenizer.encode("the <unk> , dog") == UNK).tolist() == [False, True, False, True]
    assert tokenizer.unseen("the <unk> \n dog , dog") == ["dog"]
    assert tokenizer.decode(tokenizer.encode("the dog")) == "the <unk>"


@given(st.lists(st.integers(UNK, len(SYMBOLS) + 3)))
def test_what_is_written_is_read_as_the_same_tokens(tokens):
    tokenizer = WhitespaceTokenizer.fit("a b c")
    assert tokenizer.encode(tokenizer.decode(tokens)).tolist() == tokens


def test_rare_words_are_unknown_only_where_that_is_asked_for():
    text = "a b b c c c\n"
    assert WhitespaceTokenizer.fit(text).unseen(text) == []
    assert WhitespaceTokenizer.fit(text, least=2).unseen(text) == ["a"]
    assert WhitespaceTokenizer.fit(text, largest=1).unseen(text) == ["a", "b"]


def test_line_ends_are_known_where_the_text_has_none():
    tokenizer = WhitespaceTokenizer.fit("a b")
    assert UNK not in tokenizer.encode("a\nb\n\n")


def test_the_mark_of_unknown_words_alone_teaches_nothing():
    with pytest.raises(InputError, match="at least two different words, but it holds only 'a'"):
        WhitespaceTokenizer.fit("<unk> a <unk> a\n")


def test_white_space_of_every_kind_separates():
    tokenizer = WhitespaceTokenizer.fit("a b")
    white = " \t\r\f\v\x1c\x85\u00a0\u2028\u3000"
    assert np.array_equal(tokenizer.encode(f"{white}a{white}b{white}"), tokenizer.encode("a b"))


@pytest.mark.parametrize("wrong", ["a b", "", "<unk>", "a\n", "\u3000"])
def test_a_damaged_vocabulary_is_a_sentence(wrong):
    data = tokenizer_data(WhitespaceTokenizer.fit("cat dog"))
    require(TokenizerData, data, "tokenizer.json")
    with pytest.raises(InputError, match=r"^tokenizer.json: symbols must be words without white space, and not <unk>"):
        require(TokenizerData, data | {"symbols": [*data["symbols"], wrong]}, "tokenizer.json")
    with pytest.raises(InputError, match="symbols must have the line end"):
        require(TokenizerData, data | {"symbols": ["cat", "dog"]}, "tokenizer.json")
