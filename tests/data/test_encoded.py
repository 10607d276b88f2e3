import os

import numpy as np
import pytest

from seqgen.data import text_file
from seqgen.data.corpus import Corpus
from seqgen.data.encoded import encode_documents, encode_stream, read_documents, token_counts
from seqgen.data.numbers import Numbers
from seqgen.files import cache_directory
from seqgen.symbols import EOS
from seqgen.text.backward import BackwardTokenizer
from seqgen.text.bytes import ByteTokenizer
from seqgen.text.tokenizer import KINDS, tokenizer_class

TEXT = "one, two\nthree  three\n\n\nfour\nfive, two\n   \nsix\n"


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    monkeypatch.setattr(text_file, "BLOCK", 7)
    (tmp_path / "text.txt").write_text(TEXT, encoding="utf-8")
    return Corpus.find(str(tmp_path / "text.txt"))


@pytest.mark.parametrize("kind", KINDS)
def test_the_file_equals_encoding_in_memory(kind, corpus):
    tokenizer = tokenizer_class(kind).fit(corpus.blocks())
    tokens = encode_stream(corpus, tokenizer)
    assert isinstance(tokens, Numbers)
    in_memory = np.concatenate([tokenizer.encode(block) for block in corpus.blocks()])
    assert np.array_equal(tokens, in_memory)
    if kind not in ("word", "lowercase-word", "whitespace"):  # of which those seen once are unknown, or spaces are lost
        assert tokenizer.decode(tokens) == TEXT
    if kind in ("char", "byte"):  # of which none reaches over the end of a block
        assert np.array_equal(tokens, tokenizer.encode(TEXT))


@pytest.mark.parametrize("kind", ["char", "word"])
def test_a_stream_from_its_end_is_the_whole_stream_turned_around(kind, corpus):
    tokenizer = tokenizer_class(kind).fit(corpus.blocks())
    turned = encode_stream(corpus, BackwardTokenizer(tokenizer))
    assert np.array_equal(turned, np.asarray(encode_stream(corpus, tokenizer))[::-1])
    documents = encode_documents(corpus, BackwardTokenizer(tokenizer), "lines")
    forward = encode_documents(corpus, tokenizer, "lines")
    assert [row.tolist() for row in documents] == [[*row.tolist()[-2::-1], EOS] for row in forward]


@pytest.mark.parametrize(("size", "dtype"), [(200, np.uint8), (256, np.uint8), (257, np.uint16), (70_000, np.uint32)])
def test_the_type_is_the_smallest_that_holds_the_vocabulary(corpus, size, dtype, monkeypatch):
    tokenizer = ByteTokenizer()
    monkeypatch.setattr(ByteTokenizer, "vocab_size", size)
    assert encode_stream(corpus, tokenizer).dtype == dtype
    assert encode_documents(corpus, tokenizer, "lines").values.dtype == dtype


def test_the_second_time_it_comes_from_the_cache(corpus, monkeypatch):
    tokenizer = ByteTokenizer()
    first = np.array(encode_stream(corpus, tokenizer))
    documents = list(encode_documents(corpus, tokenizer, "lines"))
    monkeypatch.setattr(ByteTokenizer, "encode", None)
    assert np.array_equal(encode_stream(corpus, tokenizer), first)
    pairs = zip(encode_documents(corpus, tokenizer, "lines"), documents, strict=True)
    assert all(np.array_equal(*pair) for pair in pairs)


def test_other_text_another_tokenizer_and_other_documents_are_encoded_anew(corpus, tmp_path):
    encode_stream(corpus, ByteTokenizer())
    encode_stream(corpus, tokenizer_class("char").fit(corpus.blocks()))
    encode_documents(corpus, ByteTokenizer(), "lines")
    encode_documents(corpus, ByteTokenizer(), "blank-lines")
    (tmp_path / "text.txt").write_text(TEXT + "!", encoding="utf-8")
    encode_stream(Corpus.find(str(tmp_path / "text.txt")), ByteTokenizer())
    values = [path for path in cache_directory().iterdir() if path.suffix != ".offsets"]
    assert len(values) == 5
    assert {path.with_suffix(".offsets") for path in values} == set(cache_directory().glob("*.offsets"))


def test_an_encoding_that_fails_leaves_nothing_behind(corpus, monkeypatch):
    monkeypatch.setattr(ByteTokenizer, "encode", lambda self, text: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        encode_stream(corpus, ByteTokenizer())
    with pytest.raises(ZeroDivisionError):
        encode_documents(corpus, ByteTokenizer(), "lines")
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
    tokenizer = ByteTokenizer()
    encoded = encode_documents(corpus, tokenizer, kind)
    assert (np.asarray(encoded.values) == EOS).sum() == len(documents) == len(encoded)
    assert all(tokens[-1] == EOS for tokens in encoded)
    assert [tokenizer.decode(tokens[:-1]) for tokens in encoded] == documents


def test_every_token_is_counted(corpus):
    tokenizer = ByteTokenizer()
    tokens = encode_stream(corpus, tokenizer)
    counts = token_counts(tokens, tokenizer.vocab_size)
    assert counts.shape == (tokenizer.vocab_size,)
    assert np.array_equal(np.repeat(np.arange(tokenizer.vocab_size), counts), np.sort(tokens))
