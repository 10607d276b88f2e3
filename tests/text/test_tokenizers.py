import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqgen.errors import InputError
from seqgen.symbols import BOS, EOS, PAD, UNK
from seqgen.text.bytes import ByteTokenizer
from seqgen.text.characters import CharacterTokenizer
from seqgen.text.tokenizer import KINDS, tokenizer_class
from seqgen.text.whitespace import WhitespaceTokenizer
from seqgen.text.words import WordTokenizer

PROSE = "'Oh, dear!' (said the cat),  don't -- do\nnot.\n\n\tYou're 3.5 \u2018late\u2019? 'Oh,' it said.\n"


def fit(kind, text):
    blocks = [text, "two words"]
    tokenizer = tokenizer_class(kind)
    return tokenizer.fit(blocks, least=1) if issubclass(tokenizer, WordTokenizer) else tokenizer.fit(blocks)


def read_as(kind, text):
    if kind == "subword":
        return text.replace("\u2581", " ")  # the mark that stands for a space inside
    if kind == "whitespace":
        return "\n".join(" ".join(line.split()) for line in text.split("\n"))
    return text.lower() if kind == "lowercase-word" else text


@pytest.mark.parametrize("kind", KINDS)
@given(text=st.text())
def test_any_unicode_text_comes_back(kind, text):
    tokenizer = fit(kind, text)
    tokens = tokenizer.encode(text)
    assert tokenizer.decode(tokens) == read_as(kind, text)
    assert tokenizer.unseen(text) == []
    assert all(UNK < token < tokenizer.vocab_size for token in tokens.tolist())


@pytest.mark.parametrize("kind", KINDS)
@given(text=st.text(alphabet="ab ,.('\n\u00e9\u4e16\U0001f600"))
def test_pieces_of_text_add_up_to_the_whole(kind, text):
    tokenizer = fit(kind, text)
    detokenizer = tokenizer.detokenizer()
    pieces = [detokenizer.push(token) for token in tokenizer.encode(text).tolist()]
    assert "".join(pieces) + detokenizer.flush() == read_as(kind, text)


@pytest.mark.parametrize("kind", KINDS)
def test_a_tokenizer_survives_json(kind):
    tokenizer = fit(kind, PROSE)
    again = tokenizer_class(kind).from_data(json.loads(json.dumps(tokenizer.to_data())))
    assert again.vocab_size == tokenizer.vocab_size
    assert np.array_equal(again.encode(PROSE), tokenizer.encode(PROSE))
    assert again.decode(again.encode(PROSE)) == read_as(kind, PROSE)


@pytest.mark.parametrize("kind", KINDS)
def test_special_tokens_write_nothing(kind):
    tokenizer = fit(kind, f"{PROSE}dear cat")
    tokens = tokenizer.encode("dear cat").tolist()
    assert tokenizer.decode([BOS, *tokens, EOS, PAD]) == "dear cat"


@pytest.mark.parametrize("kind", ["char", "word", "lowercase-word", "whitespace"])
def test_what_was_not_in_the_text_is_unknown_and_named(kind):
    tokenizer = fit(kind, f"{PROSE}dear cat")
    assert tokenizer.unseen("cat \u0167 \u0167") == ["\u0167"]
    tokens = tokenizer.encode("cat \u0167")
    assert tokens[-1] == UNK
    assert tokenizer.decode(tokens) == ("cat <unk>" if kind == "whitespace" else "cat \ufffd")


def test_word_sequences_hold_no_implied_white_space():
    text = "the cat, the dog, (the mat) and the log." * 3
    tokenizer = WordTokenizer.fit([text])
    tokens = tokenizer.encode("the cat, (the dog) and the mat.")
    assert len(tokens) == len(["the", "cat", ",", "(", "the", "dog", ")", "and", "the", "mat", "."])
    assert tokenizer.decode(tokens) == "the cat, (the dog) and the mat."


def test_two_words_are_never_written_without_a_space():
    tokenizer = WordTokenizer.fit(["a cat, a 'cat' 'a' cat\n"] * 2)
    nothing, line_end = (tokenizer.vocabulary.numbers[gap] for gap in ("", "\n"))
    cat, comma = tokenizer.encode("cat,").tolist()
    assert tokenizer.decode([cat, nothing, cat, comma, nothing, cat, line_end, cat]) == "cat cat,cat\ncat"


def test_words_seen_once_teach_the_unknown_word():
    tokenizer = WordTokenizer.fit(["cat dog cat dog bird"])
    assert tokenizer.unseen("cat bird dog") == ["bird"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_text_may_be_given_in_place_of_blocks(kind):
    tokenizers = [tokenizer_class(kind).fit(text) for text in (PROSE * 2, [PROSE * 2])]
    assert tokenizers[0].to_data() == tokenizers[1].to_data()


def test_words_of_blocks_are_the_words_of_the_whole():
    blocks = ["the cat \n", "the dog, ", "the cat.\n"]
    tokenizer = WordTokenizer.fit(blocks, least=1)
    tokens = np.concatenate([tokenizer.encode(block) for block in blocks])
    assert tokenizer.decode(tokens) == "".join(blocks)


@pytest.mark.parametrize("tokenizer", [CharacterTokenizer, WordTokenizer, WhitespaceTokenizer])
def test_a_huge_vocabulary_is_capped_and_said(tokenizer, caplog):
    text = "a b c d e f g " * 3 + "a b a b"
    capped = tokenizer.fit([text], largest=3)
    assert capped.unseen("a b") == []
    assert capped.unseen("g")
    assert "different" in caplog.text
    assert "3 most frequent" in caplog.text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", ["", "aaaa"])
def test_a_text_of_one_letter_teaches_nothing(kind, text):
    with pytest.raises(InputError, match="at least two different"):
        tokenizer_class(kind).fit([text])


def test_an_unknown_kind_names_the_nearest():
    with pytest.raises(InputError, match=r"not 'words' \(did you mean word\?\)"):
        tokenizer_class("words")


def test_bytes_that_are_no_text_become_a_replacement_character():
    tokenizer = ByteTokenizer()
    tokens = tokenizer.encode("\u00e9").tolist()
    assert tokenizer.decode(tokens[:1]) == "\ufffd"
    assert tokenizer.decode([*tokens[:1], *tokenizer.encode("a").tolist()]) == "\ufffda"


def test_words_of_any_length_are_not_cut():
    tokenizer = WordTokenizer.fit(["don't cut words " * 2])
    assert len(tokenizer.encode("x" * 200_000 + " cut")) == 2
