import os

import numpy as np
import pytest

from seqgen.data import corpus as corpus_module
from seqgen.data.corpus import Corpus
from seqgen.data.encoded import encode_corpus, read_documents
from seqgen.files import cache_directory
from seqgen.symbols import EOS
from seqgen.text.bytes import ByteTokenizer
from seqgen.text.tokenizer import KINDS, tokenizer_class

TEXT = "one, two\nthree  three\n\n\nfour\nfive, two\n   \nsix\n"


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    monkeypatch.setattr(corpus_module, "BLOCK", 7)
    (tmp_path / "text.txt").write_text(TEXT, encoding="utf-8")
    return Corpus.find(str(tmp_path / "text.txt"))


@pytest.mark.parametrize("kind", KINDS)
def test_the_memory_map_equals_encoding_in_memory(kind, corpus):
    tokenizer = tokenizer_class(kind).fit(corpus.blocks())
    tokens = encode_corpus(corpus, tokenizer)
    assert isinstance(tokens, np.memmap)
    in_memory = np.concatenate([tokenizer.encode(block) for block in corpus.blocks()])
    assert np.array_equal(tokens, in_memory)
    if kind not in ("word", "lowercase-word"):  # of which those seen once are unknown
        assert tokenizer.decode(tokens) == TEXT
    if kind in ("char", "byte"):  # of which none reaches over the end of a block
        assert np.array_equal(tokens, tokenizer.encode(TEXT))


@pytest.mark.parametrize(("size", "dtype"), [(200, np.uint8), (256, np.uint8), (257, np.uint16), (70_000, np.uint32)])
def test_the_type_is_the_smallest_that_holds_the_vocabulary(corpus, size, dtype, monkeypatch):
    tokenizer = ByteTokenizer()
    monkeypatch.setattr(ByteTokenizer, "vocab_size", size)
    assert encode_corpus(corpus, tokenizer).dtype == dtype


def test_the_second_time_it_comes_from_the_cache(corpus, monkeypatch):
    tokenizer = ByteTokenizer()
    first = np.array(encode_corpus(corpus, tokenizer))
    monkeypatch.setattr(ByteTokenizer, "encode", None)
    assert np.array_equal(encode_corpus(corpus, tokenizer), first)


def test_other_text_another_tokenizer_and_other_documents_are_encoded_anew(corpus, tmp_path):
    encode_corpus(corpus, ByteTokenizer())
    encode_corpus(corpus, tokenizer_class("char").fit(corpus.blocks()))
    encode_corpus(corpus, ByteTokenizer(), "lines")
    (tmp_path / "text.txt").write_text(TEXT + "!", encoding="utf-8")
    encode_corpus(Corpus.find(str(tmp_path / "text.txt")), ByteTokenizer())
    assert len(list(cache_directory().iterdir())) == 4


def test_an_encoding_that_fails_leaves_nothing_behind(corpus, monkeypatch):
    monkeypatch.setattr(ByteTokenizer, "encode", lambda self, text: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        encode_corpus(corpus, ByteTokenizer())
    assert os.listdir(cache_directory()) == []


@pytest.mark.parametrize(
    ("kind", "documents"),
    [
        ("lines", ["one, two", "three  three", "four", "five, two", "six"]),
        ("blank-lines", ["one, two\nthree  three", "four\nfive, two", "six"]),
        ("files", [TEXT.strip("\n")]),
    ],
)
def test_documents_are_cut_where_they_should_be(corpus, kind, documents):
    assert list(read_documents(corpus, kind)) == documents
    tokens = encode_corpus(corpus, ByteTokenizer(), kind)
    assert (tokens == EOS).sum() == len(documents)
    assert tokens[-1] == EOS
