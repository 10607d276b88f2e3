import io

import numpy as np
import PIL.Image
import pytest
from making import make_image_classifier, make_text_classifier

import seqgen
from seqgen.data.examples import COUNT, LONGEST, SIDE, read_examples, write_images, write_texts


def test_texts_come_back_as_they_were_but_for_their_length(tmp_path):
    write_texts(tmp_path, ["one\nline, and <b>another</b>", "é" * 2 * LONGEST, "", "a fourth one"])
    assert read_examples(tmp_path) == ["one\nline, and <b>another</b>", "é" * LONGEST, ""]


@pytest.mark.parametrize("size", [(40, 30), (3 * SIDE, SIDE)])
def test_images_are_small_and_of_the_same_shape(tmp_path, size):
    path = write_images(tmp_path, [np.full((size[1], size[0], 3), 200, np.uint8)] * (COUNT + 2))
    images = [PIL.Image.open(io.BytesIO(found)) for found in read_examples(tmp_path)]
    assert len(images) == COUNT
    assert {max(image.size) for image in images} == {min(max(size), SIDE)}
    assert images[0].width / images[0].height == pytest.approx(size[0] / size[1], rel=0.02)
    assert PIL.Image.open(path).size == images[0].size


def test_a_folder_without_examples_has_none(tmp_path):
    assert read_examples(tmp_path) == []


def test_the_models_of_runs_are_described_with_the_examples_of_their_runs(tmp_path):
    served = pytest.importorskip("seqgen.serving.served")
    for name, make in (("texts", make_text_classifier), ("images", make_image_classifier)):
        make().save_pretrained(tmp_path / name / "model")
    write_texts(tmp_path / "texts", ["a text"])
    write_images(tmp_path / "images", [np.zeros((4, 4, 3), np.uint8)])
    texts, images = served.named(["texts", "images"], [seqgen.load(tmp_path / name) for name in ("texts", "images")])
    assert texts.description()["examples"] == ["a text"]
    assert images.description()["examples"][0].startswith("data:image/jpeg;base64,")
