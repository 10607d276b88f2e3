"""A captioner in use: images of any kind, batches, attention, and the command."""

import json
import math
import sys

import numpy as np
import PIL.Image
import pytest
import torch
from making import make_captioner, make_image_classifier

import seqgen
from seqgen.cli import main as cli
from seqgen.data.captioned import Captioned
from seqgen.errors import InputError
from seqgen.figures.attention import heated
from seqgen.figures.captions import write_page


@pytest.fixture
def captioner():
    return make_captioner()


@pytest.fixture
def images():
    generator = np.random.default_rng(0)
    return [generator.integers(0, 256, (40, 50, 3), dtype=np.uint8) for _ in range(7)]


def test_a_caption_does_not_depend_on_its_neighbours(captioner, images):
    together = captioner.caption(images)
    alone = [captioner.caption(image)[0] for image in images]
    assert [one.text for one in together] == [one.text for one in alone]
    assert [one.score for one in together] == pytest.approx([one.score for one in alone], abs=1e-4)
    assert len({round(one.score, 3) for one in together}) > 1


def test_it_is_the_same_after_saving_and_loading(captioner, images, tmp_path):
    captioner.save_pretrained(tmp_path)
    assert seqgen.load(tmp_path).caption(images) == captioner.caption(images)


def test_one_image_of_every_form(captioner, images, tmp_path):
    image = PIL.Image.fromarray(images[0])
    image.save(tmp_path / "a.png")
    forms = [images[0], image, tmp_path / "a.png", str(tmp_path / "a.png"), (tmp_path / "a.png").read_bytes()]
    assert len(set(map(tuple, ([one.text for one in captioner.caption(form)] for form in forms)))) == 1
    assert captioner.caption([]) == []


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "CMYK", "P", "1", "I;16"])
def test_images_of_every_mode_are_captioned(captioner, tmp_path, mode):
    suffix = "tif" if mode in ("CMYK", "I;16") else "png"
    PIL.Image.new("L", (9, 30), 77).convert("RGB" if mode == "LA" else "L").convert(mode).save(tmp_path / f"a.{suffix}")
    assert captioner.caption(tmp_path / f"a.{suffix}")[0].text


def test_attention_is_a_share_of_the_image_for_each_piece(captioner, images):
    for one in captioner.caption(images, return_attention=True, num_return_sequences=2):
        assert one.attention.weights.shape == (len(one.attention.pieces), 2, 2)
        assert np.allclose(one.attention.weights.sum(axis=(1, 2)), 1, atol=1e-5)
        assert "".join(one.attention.pieces) == one.text.replace(" ", "")


def test_features_that_were_kept_give_the_same_captions(images):
    captioner = make_captioner(frozen=True)
    [pixels] = captioner.collate(images)
    features = captioner.model.encoder.grid(pixels)
    assert captioner.caption(list(features)) == captioner.caption(list(pixels)) == captioner.caption(images)


def test_more_of_each_and_options_are_checked(captioner, images):
    found = captioner.caption(images, num_return_sequences=3)
    assert len(found) == 21
    assert all(found[place].score >= found[place + 1].score for place in range(0, 21, 3))
    drawn = captioner.caption(images[:2], do_sample=True, seed=1, num_return_sequences=2)
    assert drawn == captioner.caption(images[:2], do_sample=True, seed=1, num_return_sequences=2)
    assert all(one.text.startswith("w1") for one in captioner.caption(images, prefix="w1"))
    with pytest.raises(InputError, match="no generation option 'beams'"):
        captioner.caption(images, beams=2)
    with pytest.raises(InputError, match=r"none\.png: an image must be a file, but it does not exist"):
        captioner.caption("none.png")


def test_a_picture_is_brightest_where_the_weight_is():
    picture = heated(PIL.Image.new("L", (40, 40), 200), np.array([[0.0, 0.0], [0.0, 1.0]]))
    pixels = np.asarray(picture)
    assert pixels[35, 35] == pytest.approx(200, abs=2)
    assert pixels[5, 5] == pytest.approx(50, abs=2)


def test_the_page_needs_no_other_file_and_escapes_what_people_say(captioner, images, tmp_path):
    write_page(tmp_path / "x.html", captioner, Captioned(images[:2], [["<b>one</b>"], ["two"]], ["a", "b"]))
    page = (tmp_path / "x.html").read_text()
    assert "&lt;b&gt;one" in page
    assert "<b>" not in page
    assert "default-src 'none'" in page
    assert "://" not in page
    assert page.count("<article>") == 2
    assert page.count("<figure>") == sum(
        len(one.attention.pieces) for one in captioner.caption(images[:2], return_attention=True)
    )


@pytest.fixture
def run(command, tmp_path, captioner, images):
    captioner.save_pretrained(tmp_path / "model")
    for number in range(3):
        PIL.Image.fromarray(images[number]).save(tmp_path / f"{number}.png")
    (tmp_path / "bad.png").write_bytes(b"no image")

    def caption(*arguments):
        return command(cli.main, "caption", tmp_path / "model", *arguments)

    return caption


def test_the_command_writes_a_line_for_each_image(run, tmp_path, captioner, images):
    paths = [tmp_path / f"{number}.png" for number in (2, 0, 2)]
    code, out, _ = run(*paths)
    texts = [captioner.caption(images[number])[0].text for number in (2, 0, 2)]
    assert code == 0
    assert [line.split("\t") for line in out.splitlines()] == [
        [text, str(path)] for text, path in zip(texts, paths, strict=True)
    ]
    code, out, _ = run(paths[0], "--nbest", 2, "--scores")
    scores = [float(line.split("\t")[0]) for line in out.splitlines()]
    assert (len(scores), scores) == (2, sorted(scores, reverse=True))


def test_a_bad_image_keeps_its_line(run, tmp_path):
    paths = [tmp_path / name for name in ("0.png", "bad.png", "1.png")]
    code, out, err = run(*paths, "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert code == 2
    assert [row["image"] for row in rows] == list(map(str, paths))
    assert "must be whole" in rows[1]["error"]
    assert math.isfinite(rows[2]["captions"][0]["score"])
    assert err.splitlines()[-1] == "error: 1 of the images could not be read"
    code, out, _ = run(*paths)
    assert out.splitlines()[1] == ""


def test_paths_come_from_standard_input(run, tmp_path, monkeypatch, captioner, images):
    import io

    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{tmp_path / '1.png'}\n"))
    assert run()[1].split("\t")[0] == captioner.caption(images[1])[0].text


@pytest.mark.figures
def test_attention_is_drawn_for_each_image(run, tmp_path):
    code, _, err = run(tmp_path / "0.png", "--attention", tmp_path / "out.png")
    assert code == 0, err
    assert PIL.Image.open(tmp_path / "out.png").width > 200
    code, _, err = run(tmp_path / "0.png", tmp_path / "1.png", "--attention", tmp_path / "out.png")
    assert code == 0, err
    assert PIL.Image.open(tmp_path / "out-2.png").width > 200


def test_a_model_of_another_kind_is_a_sentence(command, tmp_path):
    make_image_classifier().save_pretrained(tmp_path / "other")
    code, _, err = command(cli.main, "caption", tmp_path / "other", "x.png")
    assert (code, err.count("\n")) == (2, 1)
    assert "must hold a model that can caption, but it holds an image classifier" in err


def test_search_looks_at_the_image():
    captioner = make_captioner(gated=True, heads=2)
    with torch.no_grad():
        dark = captioner.caption(np.zeros((32, 32, 3), np.uint8))[0]
        light = captioner.caption(np.full((32, 32, 3), 255, np.uint8))[0]
    assert dark.score != light.score


@pytest.mark.parametrize(
    "shapes", [[(32, 32, 3)], [(1, 3, 32, 32)], [(3, 7, 7)], [(3, 32, 32), None], [(3, 32, 32), (4, 8)]]
)
def test_tensors_of_other_shapes_and_among_other_images_are_refused(shapes):
    captioner = make_captioner()
    picture = np.zeros((20, 20, 3), np.uint8)
    with pytest.raises(InputError, match="images given as tensors must all be"):
        captioner.caption([picture if shape is None else torch.zeros(shape) for shape in shapes])
