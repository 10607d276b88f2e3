"""`seqgen embed`: vectors of texts and images, printed, written and compared."""

import io
import json
import sys

import numpy as np
import PIL.Image
import pytest
from making import MADE, make_generator, make_image_classifier, make_text_classifier

import seqgen
from seqgen.cli import main as cli

TEXTS = ["the cat sat", "a dog", "the cat", "a log"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_text_classifier().save_pretrained(tmp_path / "model")
    (tmp_path / "texts.txt").write_text("\n".join(TEXTS) + "\n")
    return tmp_path


def test_the_vectors_are_those_of_the_model(command, folder):
    expected = seqgen.load("model").embed(TEXTS)
    code, out, err = command(cli.main, "embed", "model", "texts.txt", "--json", "--output", "x.npy")
    assert (code, out) == (0, "")
    assert "wrote 4 vectors of size" in err
    np.testing.assert_array_equal(np.load("x.npy"), expected)
    _, out, _ = command(cli.main, "embed", "model", "texts.txt", "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["input"] for row in rows] == TEXTS
    np.testing.assert_allclose([row["vector"] for row in rows], expected, atol=1e-6)
    _, out, _ = command(cli.main, "embed", "model", *TEXTS)
    rows = [line.split("\t") for line in out.splitlines()]
    assert [row[1] for row in rows] == TEXTS
    np.testing.assert_allclose([list(map(float, row[0].split())) for row in rows], expected, atol=1e-4)


def test_the_nearest_are_named(command, folder):
    vectors = seqgen.load("model").embed([*TEXTS, "the log"])
    found = seqgen.nearest_vectors(vectors[-1:], vectors[:-1], count=2)
    code, out, _ = command(cli.main, "embed", "model", "the log", "--nearest", "2", "--among", "texts.txt")
    rows = [line.split("\t") for line in out.splitlines()]
    assert code == 0
    assert [row[1:] for row in rows] == [[TEXTS[number], "the log"] for number in found.rows[0]]
    _, out, _ = command(cli.main, "embed", "model", "the log", "--nearest", "2", "--among", "texts.txt", "--json")
    assert [one["input"] for one in json.loads(out)["nearest"]] == [row[1] for row in rows]


def test_each_input_is_compared_with_the_others(command, folder, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("the cat\na dog\nthe cat\n"))
    _, out, _ = command(cli.main, "embed", "model", "--nearest", "1")
    rows = [line.split("\t") for line in out.splitlines()]
    assert [row[1:] for row in rows[::2]] == [["the cat", "the cat"]] * 2
    assert rows[0][0] == "1.0000"


def test_images_are_looked_for_in_a_folder(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_image_classifier().save_pretrained(tmp_path / "model")
    for number, name in enumerate(("blue", "red")):
        (tmp_path / "images" / name).mkdir(parents=True)
        PIL.Image.new("RGB", (40, 30), (200 * number, 9, 99)).save(tmp_path / "images" / name / "it.png")
    code, out, _ = command(
        cli.main, "embed", "model", "images/red/it.png", "--nearest", "5", "--among", "images", "--json"
    )
    [found] = map(json.loads, out.splitlines())
    assert code == 0
    assert found["nearest"][0] == {"input": "images/red/it.png", "similarity": pytest.approx(1, abs=1e-5)}
    assert len(found["nearest"]) == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("the", "--nearest", "0"), "--nearest must be at least 1, not 0"),
        (("the", "--among", "texts.txt"), "--among must be with --nearest"),
        (("the", "--nearest", "1", "--among", "no.txt"), "--among must be a text file, or a folder of images, but"),
        (("the", "--output", "texts.txt"), "--output must not replace a file of another kind"),
        (("the", "--output", "texts.txt/x.npy"), "texts.txt"),
        (("the", "--nearest", "1"), "--nearest must have other inputs to look among"),
        (("empty.txt", "--nearest", "1"), "there must be at least one text or image"),
    ],
)
def test_a_mistake_is_one_sentence(command, folder, words, sentence):
    (folder / "empty.txt").write_text("")
    code, out, err = command(cli.main, "embed", "model", *words)
    assert (code, out) == (2, "")
    assert "Traceback" not in err
    assert sentence in err.splitlines()[-1]


def test_a_block_without_tokens_has_zeros(command, folder):
    MADE["tagger"]().save_pretrained(folder / "tagger")
    (folder / "blank.txt").write_text("\n" * 256 + "the cat\n")
    code, _, err = command(cli.main, "embed", "tagger", "blank.txt", "--output", "x.npy")
    assert code == 0, err
    vectors = np.load("x.npy")
    assert vectors.shape[0] == 257
    assert not vectors[:256].any()
    assert vectors[256].any()


def test_a_generator_has_no_encoder(command, tmp_path):
    make_generator().save_pretrained(tmp_path / "model")
    code, _, err = command(cli.main, "embed", tmp_path / "model", "the")
    assert code == 2
    assert "must hold a model that can embed, but it holds a generator" in err


@pytest.mark.parametrize("kind", ["translator", "tagger", "conditional_generator"])
def test_every_kind_with_an_encoder_embeds(command, tmp_path, kind):
    MADE[kind]().save_pretrained(tmp_path / "model")
    code, out, _ = command(cli.main, "embed", tmp_path / "model", "cat", "dog", "--json")
    assert code == 0
    assert [json.loads(line)["input"] for line in out.splitlines()] == ["cat", "dog"]
