"""The texts of a generator: each is read like the first, and what is wrong with one is said of its option."""

import io
import sys

import numpy as np
import pytest

from seqgen.data.corpus import Corpus
from seqgen.data.text_splits import TextSplits
from seqgen.errors import InputError
from seqgen.symbols import EOS, UNK
from seqgen.text.characters import CharacterTokenizer
from seqgen.text.tokenizer import fit_tokenizer


@pytest.fixture
def named(tmp_path):
    """Write texts, and return the path of each."""

    def write(**texts):
        for name, text in texts.items():
            (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return [str(tmp_path / name) for name in texts]

    return write


@pytest.mark.parametrize("documents", ["none", "lines"])
def test_each_text_is_encoded_with_the_vocabulary_of_the_first(named, documents):
    splits = TextSplits.find(*named(data="abc\ncab\n", valid="abba\ncaxa\n", test="bcb\nyzy\n"))
    tokenizer = CharacterTokenizer.fit(splits.train.blocks())
    encoded = splits.encoded(tokenizer, documents)
    assert encoded.valid_characters == len("".join(splits.valid.blocks()))
    rows = (encoded.valid, encoded.test) if documents == "none" else (encoded.valid.values, encoded.test.values)
    assert [(np.asarray(tokens) == UNK).sum() for tokens in rows] == [1, 3]
    assert [(np.asarray(tokens) == EOS).sum() for tokens in rows] == [0, 0] if documents == "none" else [2, 2]
    assert len(encoded.tokens) == 8
    assert encoded.unknown == [
        "1 of 10 tokens of --valid are unknown, in --data or as <unk> in the text itself",
        "3 of 8 tokens of --test are unknown, in --data or as <unk> in the text itself",
    ]


def test_a_text_alone_is_what_it_was(named):
    [path] = named(data="some text\n")
    splits = TextSplits.find(path, None, None)
    assert splits.names == (path, None, None)
    assert splits.fingerprint == Corpus.find(path).fingerprint
    encoded = splits.encoded(fit_tokenizer("byte", "ab"), "none")
    assert (encoded.valid, encoded.test, encoded.unknown) == (None, None, [])


def test_the_fingerprint_is_that_of_every_text_and_of_its_place(named):
    one, two, three = named(one="one\n", two="two\n", three="three\n")
    splits = [(one, two, three), (one, three, two), (one, two, None), (one, None, two), (one, None, None)]
    assert len({TextSplits.find(*paths).fingerprint for paths in splits}) == len(splits)


def test_standard_input_may_be_one_of_the_texts(named, monkeypatch):
    [path] = named(data="some text\n")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"other text\n")))
    splits = TextSplits.find(path, "-", None)
    assert "".join(TextSplits.find(*splits.names).valid.blocks()) == "other text\n"
    with pytest.raises(InputError, match="only one of --data, --valid and --test must be -"):
        TextSplits.find("-", None, "-")


@pytest.mark.parametrize("option", ["valid", "test"])
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, " must be a file, a folder, a glob, - or a named set, but '/nowhere' is not there"),
        (b"", ": .* must hold text, but it is empty"),
        (b"a", " must have at least 2, but it has 1 token"),
        (b"a\0b", ": .* must be text, but it holds NUL bytes"),
        (b"ab\n\xff", ": .*, line 2: text must be UTF-8"),
    ],
)
def test_what_is_wrong_with_a_text_is_said_of_its_option(named, option, content, sentence):
    data, other = named(data="abc\n", other=content or b"")
    given = {"valid": None, "test": None} | {option: "/nowhere" if content is None else other}
    with pytest.raises(InputError, match=f"^--{option}{sentence}"):
        TextSplits.find(data, **given).encoded(fit_tokenizer("byte", "ab"), "none")


def test_a_text_without_documents_is_said_of_its_option(named):
    splits = TextSplits.find(*named(data="abc\n", valid="\n\none\n", test="one\ntwo\n"))
    with pytest.raises(InputError, match="--valid must have at least 2, but it has 1 document"):
        splits.encoded(fit_tokenizer("byte", "ab"), "lines")
