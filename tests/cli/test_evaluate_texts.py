"""`seqgen evaluate` of generators: static figures beside adaptive ones, and several models side by side."""

import json
import math
import re

import numpy as np
import pytest
from making import TEXT, make_generator, make_tagger

from seqgen.cli import main as cli
from seqgen.inference.generator import Generator
from seqgen.ngram import NGram
from seqgen.text.words import WordTokenizer

OTHER = "the dog sat on the cat. the log sat on the mat.\n" * 3
FIGURES = {"loss", "perplexity", "word_perplexity", "bits_per_character", "unknown_tokens", "tokens"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a run, whose model is untrained, and texts."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.txt").write_text(TEXT)
    (tmp_path / "text.txt").write_text(OTHER)
    make_generator().save_pretrained(tmp_path / "run" / "model")
    (tmp_path / "run" / "resolved.yaml").write_text("data: train.txt\ndocuments: none\n")
    return tmp_path


def evaluated(command, *arguments):
    code, out, err = command(cli.main, "evaluate", *arguments, "--json")
    assert code == 0, err
    return [json.loads(line) for line in out.splitlines()]


def test_adaptive_figures_stand_beside_static_ones(command, folder):
    [static] = evaluated(command, "run", "text.txt")
    assert set(static) == FIGURES
    for adapt in ("temperature", "cache", "ngram", "temperature,cache,dynamic,ngram"):
        [both] = evaluated(command, "run", "--data", "text.txt", "--adapt", adapt)
        assert set(both) == FIGURES | {f"adaptive_{name}" for name in FIGURES} | {"adaptation"}
        assert {name: both[name] for name in FIGURES} == static
        assert both["adaptive_loss"] < both["loss"]
        assert both["adaptive_tokens"] == both["tokens"]
    code, out, _ = command(cli.main, "evaluate", "run", "--data", "text.txt", "--adapt", "temperature")
    assert (code, out.splitlines()[0]) == (0, "\tstatic\tadaptive")


def test_figures_are_of_the_words_and_characters_of_the_text(command, folder):
    [figures] = evaluated(command, "run", "text.txt")
    nats = figures["loss"] * len(OTHER)
    assert figures["bits_per_character"] == pytest.approx(nats / len(OTHER) / math.log(2))
    words = len(OTHER.split()) + OTHER.count("\n")
    assert math.log(figures["word_perplexity"]) == pytest.approx(nats / words)


def test_several_models_are_compared_on_the_same_text(command, folder):
    chain = Generator.of(make_words_chain(), tokenizer=words())
    chain.save_pretrained(folder / "chain")
    run, counted, ngram = evaluated(command, "run", "chain", "ngram", "--data", "text.txt", "--adapt", "dynamic,ngram")
    assert [run["model"], counted["model"], ngram["model"]] == ["run", "chain", "ngram"]
    tokenizer = make_generator().tokenizer
    train, valid = np.split(tokenizer.encode(TEXT), [len(TEXT) - len(TEXT) // 10])
    fitted = NGram.fit(train, vocab_size=tokenizer.vocab_size, order=12, valid=valid)
    assert ngram["loss"] == pytest.approx(-fitted.score(tokenizer.encode(OTHER)).mean(), abs=1e-5)
    assert ngram["bits_per_character"] < run["bits_per_character"]
    for figures in (run, counted, ngram):
        nats = figures["loss"] * figures["tokens"]
        assert figures["bits_per_character"] == pytest.approx(nats / len(OTHER) / math.log(2))
        assert "adaptive_loss" in figures
    _, out, _ = command(cli.main, "evaluate", "run", "ngram", "--data", "text.txt")
    assert [line.split()[0] for line in out.splitlines()] == ["model", "run", "ngram"]


def test_a_run_of_a_benchmark_chooses_by_its_validation_part(command, folder, monkeypatch):
    monkeypatch.setenv("SEQGEN_DATA", str(folder))
    (folder / "ptb").mkdir()
    for part, text in {"train": TEXT, "valid": OTHER[5:], "test": OTHER}.items():
        (folder / "ptb" / f"ptb.{part}.txt").write_text(text)
    (folder / "run" / "resolved.yaml").write_text("data: ptb\nvalid: ptb\ndocuments: none\n")
    adapt = ("--adapt", "temperature,ngram")
    files = ("--valid", "ptb/ptb.valid.txt", "--train", "ptb/ptb.train.txt")
    assert evaluated(command, "run", "ptb", *adapt) == evaluated(command, "run", "ptb", *adapt, *files)


def words():
    return WordTokenizer.fit(TEXT)


def make_words_chain():
    return NGram.fit(words().encode(TEXT), vocab_size=words().vocab_size, order=2)


def test_what_a_model_has_not_is_left_out_and_said(command, folder):
    code, out, err = command(cli.main, "evaluate", "run", "ngram", "--data", "text.txt", "--adapt", "cache", "--json")
    assert code == 0
    assert "ngram cannot adapt by cache" in err
    run, ngram = map(json.loads, out.splitlines())
    assert "adaptive_loss" in run
    assert set(ngram) == FIGURES | {"model"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("run", "--data", "text.txt", "--adapt", "dynamik"), "did you mean dynamic"),
        (("run", "ngram"), "ngram"),
        (("run", "run", "text.txt"), "several models must come with --data"),
        (("run", "--data", "text.txt", "--valid", "train.txt"), "--valid must come with --adapt"),
        (("run", "--data", "text.txt", "--train", "train.txt"), "--train must come with --adapt ngram"),
        (("run", "--data", "text.txt", "--adapt", "cache", "--valid", "text.txt"), "another text"),
        (("run", "--data", "text.txt", "--adapt", "ngram", "--train", "text.txt"), "another text"),
        (("run", "ngram", "--data", "text.txt", "--train", "text.txt"), "another text"),
        (("run", "--data", "text.txt", "--adapt", "ngram", "--valid", "a.txt", "--train", "a.txt"), "another"),
        (("run", "--data", "text.txt", "--adapt", ""), "adapt must be one or several of"),
        (("run", "--data", "text.txt", "--adapt", "cache", "--valid", "none.txt"), "none.txt"),
        (("ngram", "--data", "text.txt"), "ngram must come with the run of a generator"),
        (("alone", "--data", "text.txt", "--adapt", "cache"), "--valid must name a text"),
        (("alone", "--data", "text.txt", "--adapt", "ngram", "--valid", "train.txt"), "--train must name a text"),
        (("ends", "--data", "text.txt", "--adapt", "cache", "--valid", "train.txt"), "separate documents"),
        (("run", "tagger", "--data", "text.txt"), "each must be a generator"),
        (("tagger", "--data", "text.txt", "--adapt", "cache"), "--adapt must be with a model of another kind"),
    ],
)
def test_a_mistake_is_a_sentence(command, folder, arguments, sentence):
    make_generator().save_pretrained(folder / "alone")
    make_generator(ends=True).save_pretrained(folder / "ends")
    make_tagger().save_pretrained(folder / "tagger")
    (folder / "a.txt").write_text(TEXT)
    code, out, err = command(cli.main, "evaluate", *arguments)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert re.search(sentence, err)
