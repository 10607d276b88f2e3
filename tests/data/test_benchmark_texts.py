"""The benchmarks of language models: found in `$SEQGEN_DATA`, and counted as they are published."""

import gzip
import os

import pytest

from seqgen.data.corpus import Corpus
from seqgen.data.text_splits import TextSplits
from seqgen.errors import InputError
from seqgen.symbols import SYMBOLS
from seqgen.text.tokenizer import fit_tokenizer

TEXTS = {"train": " a <unk> b \n c \n", "valid": " a c \n \n", "test": " b b d \n"}
# Tokens to train on, to validate on and to test on, and different ones, with a line end for each line and <unk>.
PUBLISHED = {"ptb": (929_589, 73_760, 82_430, 10_000), "wikitext2": (2_088_628, 217_646, 245_569, 33_278)}


@pytest.fixture
def benchmark(tmp_path, monkeypatch):
    """Write a set into a folder that is named by $SEQGEN_DATA: its training text gzipped, the others plain."""
    monkeypatch.setenv("SEQGEN_DATA", str(tmp_path))

    def write(name):
        (tmp_path / name).mkdir()
        prefix = "ptb." if name == "ptb" else ""
        for part, text in TEXTS.items():
            (tmp_path / name / f"{prefix}{part}.txt").write_text(text)
        plain = tmp_path / name / f"{prefix}train.txt"
        plain.with_name(f"{plain.name}.gz").write_bytes(gzip.compress(plain.read_bytes()))
        plain.unlink()
        return name

    return write


def read(splits):
    return ["".join(text.blocks()) for text in splits]


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_benchmark_has_texts_of_its_own_unless_others_are_given(benchmark, tmp_path, name):
    splits = TextSplits.find(benchmark(name), None, None)
    assert read(splits) == [*TEXTS.values()]
    assert splits.fingerprint == TextSplits.find(*splits.names).fingerprint
    (tmp_path / "own.txt").write_text("own\n")
    own = str(tmp_path / "own.txt")
    assert read(TextSplits.find(name, own, None)) == [TEXTS["train"], "own\n", TEXTS["test"]]
    assert read(TextSplits.find(own, name, name)) == ["own\n", TEXTS["valid"], TEXTS["test"]]
    assert TextSplits.find(own, None, None)[1:] == (None, None)


def test_what_is_missing_is_a_sentence_with_the_files_and_their_folder(benchmark, tmp_path, monkeypatch):
    name = benchmark("ptb")
    (tmp_path / name / "ptb.test.txt").unlink()
    sentence = r"^--test: ptb.test.txt of ptb must be in \$SEQGEN_DATA/ptb, but .* has none: copy ptb.train.txt, ptb.v"
    with pytest.raises(InputError, match=sentence):
        TextSplits.find(name, None, None)
    monkeypatch.delenv("SEQGEN_DATA")
    with pytest.raises(InputError, match=r"^train.txt of wikitext2 must be in .*, but SEQGEN_DATA is not set"):
        Corpus.find("wikitext2")


@pytest.mark.skipif("SEQGEN_DATA" not in os.environ, reason="needs the benchmarks in $SEQGEN_DATA")
@pytest.mark.parametrize("name", PUBLISHED)
def test_the_tokens_are_counted_as_they_are_published(name):
    try:
        splits = TextSplits.find(name, None, None)
    except InputError as error:
        pytest.skip(str(error))
    tokenizer = fit_tokenizer("whitespace", splits.train.blocks())
    counts = [sum(len(tokenizer.encode(block)) for block in text.blocks()) for text in splits]
    assert (*counts, tokenizer.vocab_size - len(SYMBOLS) + 1) == PUBLISHED[name]
    assert [word for text in splits for block in text.blocks() for word in tokenizer.unseen(block)] == []
