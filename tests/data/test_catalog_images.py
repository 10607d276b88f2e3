"""What `--data` names where it names images."""

import numpy as np
import PIL.Image
import pytest
import torchvision

from seqgen.data import catalog
from seqgen.data.catalog import captioned_images, find_pictures
from seqgen.data.sets import scenes
from seqgen.data.sets.shapes import shape_pictures
from seqgen.errors import InputError
from seqgen.files import cache_directory


def test_scenes_have_their_own_parts(monkeypatch):
    monkeypatch.setattr(scenes, "COUNTS", {"train": 6, "valid": 3, "test": 4})
    one, same, other = (captioned_images("scenes", None, None, None, strays="skip", seed=seed) for seed in (1, 1, 2))
    assert [len(part) for part in (one.train, one.valid, one.test)] == [6, 3, 4]
    assert one.train.captions == same.train.captions != other.train.captions


def test_captioned_images_of_ones_own(tmp_path):
    for number in range(20):
        PIL.Image.new("RGB", (4, 4)).save(tmp_path / f"{number}.png")
    for name, numbers in (("all.tsv", range(20)), ("train.tsv", range(15)), ("test.tsv", range(15, 20))):
        lines = ["image\tcaption", *(f"{number}.png\tcaption {number}" for number in numbers)]
        (tmp_path / name).write_text("\n".join(lines))
    folder, files = str(tmp_path), {name: str(tmp_path / f"{name}.tsv") for name in ("all", "train", "test")}
    splits = captioned_images(folder, files["all"], None, None, strays="error", seed=1)
    assert [len(part) for part in (splits.train, splits.valid, splits.test)] == [16, 2, 2]
    splits = captioned_images(folder, files["train"], None, files["test"], strays="error", seed=1)
    assert [len(part) for part in (splits.train, splits.valid, splits.test)] == [14, 1, 5]
    with pytest.raises(InputError, match=r"5 images have no caption.*--strays skip"):
        captioned_images(folder, files["train"], None, None, strays="error", seed=1)


@pytest.mark.parametrize(("data", "captions"), [("scenes", "captions.csv"), ("folder", None)])
def test_a_folder_needs_captions_and_scenes_have_their_own(data, captions):
    with pytest.raises(InputError, match="--captions must come with --data, a folder of images"):
        captioned_images(data, captions, None, None, strays="skip", seed=1)


def test_shapes_are_drawn(monkeypatch):
    monkeypatch.setattr(catalog, "shape_pictures", lambda: shape_pictures(5))
    pictures = find_pictures("shapes")
    assert pictures.labels == shape_pictures(5).labels
    assert [np.asarray(image).shape for image in pictures.inputs] == [(64, 64, 3)] * 5


def idx(values):
    """The bytes of a file of MNIST's format."""
    head = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">i4").tobytes()
    return head + values.astype(np.uint8).tobytes()


def test_a_public_set_is_read_from_where_it_was_put(tmp_path, monkeypatch):
    monkeypatch.setenv("SEQGEN_DATA", str(tmp_path))
    folder = tmp_path / "FashionMNIST" / "raw"
    folder.mkdir(parents=True)
    images = np.random.default_rng(0).integers(0, 256, (5, 28, 28))
    for prefix, count in (("train", 5), ("t10k", 2)):
        (folder / f"{prefix}-images-idx3-ubyte").write_bytes(idx(images[:count]))
        (folder / f"{prefix}-labels-idx1-ubyte").write_bytes(idx(np.array([9, 0, 1, 9, 2])[:count]))
    train, test = find_pictures("FashionMNIST"), find_pictures("FashionMNIST", train=False)
    assert train.labels == ["Ankle boot", "T-shirt/top", "Trouser", "Ankle boot", "Pullover"]
    assert test.labels == train.labels[:2]
    assert all(np.array_equal(np.asarray(one), image) for one, image in zip(train.inputs, images, strict=True))
    assert (train.where[4], test.where[1]) == ("FashionMNIST, train image 4", "FashionMNIST, test image 1")


def test_a_public_set_that_cannot_be_had_is_a_sentence(tmp_path, monkeypatch):
    def download(self):
        raise OSError("no\nnetwork")

    monkeypatch.setattr(torchvision.datasets.KMNIST, "download", download)
    raw = cache_directory() / "KMNIST" / "raw"
    raw.mkdir(parents=True)
    for kind in ("images-idx3", "labels-idx1"):
        (raw / f"train-{kind}-ubyte").write_bytes(b"damaged")
    for folder in (tmp_path, cache_directory()):
        monkeypatch.setenv("SEQGEN_DATA", str(folder))
        with pytest.raises(InputError, match=r"KMNIST is neither in .* nor can it be downloaded \(no network\)"):
            find_pictures("KMNIST")
    assert not list(raw.iterdir())


def test_folders_without_images_are_refused(tmp_path):
    with pytest.raises(InputError, match="must hold a folder of files for each class, but it holds none"):
        find_pictures(str(tmp_path))
    (tmp_path / "red").mkdir()
    (tmp_path / "red" / "notes.txt").write_text("no image")
    with pytest.raises(InputError, match="must hold a folder of images for each class, but it holds no image"):
        find_pictures(str(tmp_path))
    with pytest.raises(InputError, match=r"'shaeps' is neither \(did you mean shapes\?\)"):
        find_pictures("shaeps")
