"""Features of images that are kept."""

import numpy as np
import PIL.Image
import pytest
import torch

from seqgen.data.captioned import Captioned
from seqgen.data.features import Views, kept_features
from seqgen.data.images import Preprocessing
from seqgen.errors import InputError
from seqgen.files import cache_directory


class Network:
    """Three places, each with what one colour is like in the left half and the right half."""

    def __init__(self):
        self.calls = 0

    def __call__(self, images):
        self.calls += 1
        return torch.stack([images[:, :, :, :4].mean(dim=(2, 3)), images[:, :, :, 4:].mean(dim=(2, 3))], dim=2)


@pytest.fixture
def files(tmp_path):
    generator = np.random.default_rng(0)
    for number in range(40):
        pixels = generator.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        PIL.Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    return [tmp_path / f"{number}.png" for number in range(40)]


def pixels(files):
    images = np.stack([np.asarray(PIL.Image.open(file)) for file in files])
    return torch.from_numpy(Preprocessing(8).normalize(images))


def test_what_is_kept_is_what_the_network_finds(files):
    kept = kept_features(Network(), "one", files, Preprocessing(8))
    numbers = np.array([5, 0, 39])
    expected = Network()(pixels(files))[numbers].to(torch.bfloat16)
    assert torch.equal(kept.of(numbers), expected)


def test_it_is_calculated_once_for_the_same(files):
    network = Network()
    for name, size, images in (("one", 8, files), ("one", 8, files), ("two", 8, files), ("one", 4, files)):
        kept_features(network, name, images, Preprocessing(size))
    calls = network.calls
    kept_features(network, "one", files[:-1], Preprocessing(8))
    assert calls == 3 * 2
    assert network.calls == calls + 2


def test_mirrored_images_have_features_of_their_own(files):
    kept = kept_features(Network(), "one", files, Preprocessing(8), mirror=True)
    numbers = np.arange(40)
    plain, mirrored = kept.of(numbers, 0 * numbers), kept.of(numbers, 0 * numbers + 1)
    assert torch.equal(mirrored, plain.flip(2))
    assert torch.equal(kept.of(np.array([3, 4]), np.array([1, 0])), torch.stack([mirrored[3], plain[4]]))


def test_a_bad_image_is_named_or_left_out(files, caplog):
    files[7].write_bytes(b"no image")
    captioned = Captioned(files, [[f"image {number}"] for number in range(40)], [file.name for file in files])
    for network in (Network(), None):
        with pytest.raises(InputError, match=r"7\.png: an image must be whole.*--skip_bad true"):
            Views(captioned, Preprocessing(8), network, "one")
        assert not list(cache_directory().glob(".*"))
        views = Views(captioned, Preprocessing(8), network, "one", skip_bad=True)
        assert len(views) == 39
        assert views.images.captions[7] == ["image 8"]
        assert "7.png" in caplog.text
        seen = views.of(np.array([7]))
        expected = pixels(files[8:9]) if network is None else Network()(pixels(files[8:9])).to(torch.bfloat16)
        assert torch.equal(seen, expected)
    with pytest.raises(InputError, match="cannot be read; --skip_bad true"):  # known from the cache
        Views(captioned, Preprocessing(8), Network(), "one")


def test_views_give_pixels_beside_features_and_mirror_half_by_the_seed(files):
    captioned = Captioned(files, [["x"]] * 40, [file.name for file in files])
    views = Views(captioned, Preprocessing(8), Network(), "one", pixels=True, mirror=True)
    numbers = np.arange(40)
    plain = pixels(files)
    assert torch.equal(views.of(numbers, pixels=True), plain)
    varied = views.of(numbers, pixels=True, seed=0)
    same = torch.tensor([torch.equal(one, other) for one, other in zip(varied, plain, strict=True)])
    assert 8 < same.sum() < 32
    assert torch.equal(varied[~same], plain[~same].flip(3))
    assert torch.equal(views.of(numbers, seed=0), Network()(varied).to(torch.bfloat16))
    assert torch.equal(views.of(numbers, pixels=True, seed=0), varied)
    assert not torch.equal(views.of(numbers, pixels=True, seed=1), varied)
    unmirrored = Views(captioned, Preprocessing(8), Network(), "one", pixels=True)
    assert torch.equal(unmirrored.of(numbers, pixels=True, seed=0), plain)


@pytest.mark.parametrize("network", [None, Network()])
def test_views_are_a_sequence(files, network):
    captioned = Captioned(files, [["x"]] * 40, [file.name for file in files])
    views = Views(captioned, Preprocessing(8), network, "one")
    assert len(views) == len(list(views)) == 40
    assert torch.equal(torch.stack(list(views)), views.of(np.arange(40)))
    with pytest.raises(IndexError):
        views[40]
