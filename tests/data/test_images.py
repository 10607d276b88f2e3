import io

import numpy as np
import PIL.Image
import pytest
import torch

from seqgen.data.catalog import find_pictures
from seqgen.data.images import Preprocessing, read_image
from seqgen.data.labelled import Labelled
from seqgen.data.pictures import fitted, suitable_preprocessing, varied
from seqgen.data.sets.shapes import COLOURS, shape_pictures
from seqgen.errors import InputError

RED = (200, 30, 40)


def saved(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def plain(mode="RGB", colour=RED, size=(20, 10)):
    return PIL.Image.new("RGB", size, colour).convert(mode)


def test_paths_bytes_arrays_and_images_are_the_same(tmp_path):
    image = plain()
    image.save(tmp_path / "a.png")
    for source in (image, str(tmp_path / "a.png"), tmp_path / "a.png", saved(image), np.asarray(image)):
        assert np.array_equal(np.asarray(read_image(source)), np.asarray(image))


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "RGBA", "LA", "1", "YCbCr"])
def test_every_mode_becomes_colour(mode):
    image = read_image(saved(plain(mode, (255, 255, 255)), "TIFF" if mode in ("CMYK", "YCbCr", "LA") else "PNG"))
    assert image.mode == "RGB"
    assert np.asarray(image).min() > 250


def test_sixteen_bits_keep_their_brightness():
    values = np.full((4, 4), 128 * 257, dtype=np.uint16)
    assert np.asarray(read_image(saved(PIL.Image.fromarray(values)))).tolist() == [[[128] * 3] * 4] * 4


def test_what_is_transparent_is_white():
    clear = PIL.Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    assert np.asarray(read_image(saved(clear))).min() == 255


def test_an_animation_is_its_first_picture():
    frames = [plain(), plain(colour=(0, 0, 255))]
    animated = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert abs(np.asarray(read_image(animated))[0, 0].astype(int) - RED).max() < 4


def test_a_turned_photograph_is_set_upright():
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    assert read_image(saved(plain(size=(20, 10)), "JPEG", exif=exif)).size == (10, 20)


def test_what_is_no_image_is_named(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no image")
    with pytest.raises(
        InputError,
        match=r"a\.png: an image must be whole, but it does not decode \(its format is none of PNG, JPEG",
    ):
        read_image(tmp_path / "a.png")
    whole = saved(PIL.Image.effect_noise((64, 64), 50).convert("RGB"), "JPEG")
    with pytest.raises(InputError, match="truncated"):
        read_image(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"nothing\.png"):
        read_image("nothing.png")


def test_an_image_made_to_fill_the_memory_is_refused():
    file = io.BytesIO()
    PIL.Image.new("1", (5_000, 5_001)).save(file, "PNG")
    with pytest.raises(InputError, match="at most 25,000,000 pixels"):
        read_image(file.getvalue())


def test_a_jpeg_of_thousands_of_scans_is_refused():
    file = saved(plain(), "JPEG", progressive=True)
    last = file[file.rindex(b"\xff\xda") : -2]
    assert read_image(file[:-2] + last * 20 + file[-2:]).size == (20, 10)
    with pytest.raises(InputError, match="at most 100 scans"):
        read_image(file[:-2] + last * 1000 + file[-2:])


def test_the_larger_a_jpeg_the_fewer_scans_it_may_have_whatever_is_between_them(monkeypatch):
    monkeypatch.setattr("seqgen.data.images.MOST_PIXELS", 400)
    file = saved(plain(), "JPEG", progressive=True)
    last, between = file[file.rindex(b"\xff\xda") : -2], b"\xff\xfe\xff\xff" + b"x" * 65533
    assert read_image(file).size == (20, 10)
    with pytest.raises(InputError, match="at most 32 scans"):
        read_image(file[:-2] + (between + last) * 40 + file[-2:])


def test_a_ppm_of_thousands_of_comments_is_refused():
    assert read_image(b"P3 1 1 255\n# red\n255 0 0\n").getpixel((0, 0)) == (255, 0, 0)
    assert read_image(b"P6 10 10 255\n" + b"#" * 300).size == (10, 10)
    with pytest.raises(InputError, match="more than 50 comments"):
        read_image(b"P3 1 1 255\n" + b"#\n" * 1000 + b"255 0 0\n")


def test_only_the_formats_asked_for_are_read():
    assert read_image(saved(plain(), "WEBP"), formats=("JPEG", "PNG", "WEBP")).size == (20, 10)
    for kind in ("GIF", "BMP", "TIFF"):
        with pytest.raises(InputError, match="its format is none of JPEG, PNG, WEBP"):
            read_image(saved(plain(), kind), formats=("JPEG", "PNG", "WEBP"))


def test_the_middle_is_kept_and_brought_to_size():
    image = PIL.Image.new("RGB", (30, 10), (0, 0, 0))
    image.paste(RED, (10, 0, 20, 10))
    fitted_image = Preprocessing(5).fit(image)
    assert fitted_image.shape == (5, 5, 3)
    assert np.array_equal(fitted_image[:, 1:4], np.broadcast_to(RED, (5, 3, 3)))


def test_normalized_numbers_are_about_zero():
    bytes_ = np.array([[[[0, 128, 255]]]], dtype=np.uint8)
    numbers = Preprocessing(1).normalize(bytes_)
    assert numbers.shape == (1, 3, 1, 1)
    np.testing.assert_allclose(numbers.ravel(), (bytes_.ravel() / 255 - 0.5) / 0.25, atol=1e-5)


@pytest.fixture
def folder(tmp_path):
    for label, colour in (("red", RED), ("blue", (0, 0, 255))):
        (tmp_path / label).mkdir()
        for number in range(3):
            plain(colour=colour).save(tmp_path / label / f"{number}.png")
    return tmp_path


def test_a_folder_for_each_class(folder):
    (folder / "red" / "notes.txt").write_text("no image")
    pictures = find_pictures(str(folder))
    assert sorted(set(pictures.labels)) == ["blue", "red"]
    assert len(pictures) == 6


def test_fitted_images_come_from_the_cache_the_second_time(folder, monkeypatch):
    pictures = find_pictures(str(folder))
    before = fitted(pictures, Preprocessing(8))
    monkeypatch.setattr("seqgen.data.pictures.read_image", None)
    after = fitted(pictures, Preprocessing(8))
    assert all(np.array_equal(one, other) for one, other in zip(before.inputs, after.inputs, strict=True))


def test_bad_images_stop_or_are_left_out_and_counted(folder, caplog):
    (folder / "red" / "1.png").write_bytes(b"no image")
    pictures = find_pictures(str(folder))
    with pytest.raises(InputError, match=r"red/1\.png.*--skip_bad true"):
        fitted(pictures, Preprocessing(8))
    for _ in range(2):
        kept = fitted(pictures, Preprocessing(8), skip_bad=True)
        assert len(kept) == 5
        assert not any("1.png" in where and "red" in where for where in kept.where)
        assert np.array_equal(kept.inputs[-1], np.broadcast_to(RED, (8, 8, 3)))
    assert "red/1.png" in caplog.text


def test_what_is_not_there_names_the_nearest():
    with pytest.raises(InputError, match=r"'FashionMINST' is neither \(did you mean FashionMNIST\?\)"):
        find_pictures("FashionMINST")


def test_drawn_shapes_have_the_colour_of_their_label():
    pictures = shape_pictures(60)
    for image, label in zip(pictures.inputs, pictures.labels, strict=True):
        pixels = np.asarray(image).astype(int).reshape(-1, 3)
        near = np.abs(pixels - COLOURS[label.split()[0]]).max(axis=1) < 60
        assert 0.01 < near.mean() < 0.6
    again = shape_pictures(60)
    assert all(np.array_equal(one, other) for one, other in zip(pictures.inputs, again.inputs, strict=True))


def test_varied_images_are_moved_or_mirrored_copies():
    images = torch.randint(256, (5, 9, 9, 3), dtype=torch.uint8)
    random = np.random.default_rng(0)
    assert torch.equal(varied(images, random, mirror=False, shift=0), images)
    many = images.repeat(20, 1, 1, 1)
    pairs = zip(varied(many, random, mirror=True, shift=0), many, strict=True)
    kinds = [[torch.equal(one, image), torch.equal(one, image.flip(1))] for one, image in pairs]
    assert all(map(any, kinds))
    assert 20 < sum(same for same, _ in kinds) < 80
    for one, image in zip(varied(many, random, mirror=False, shift=2), many, strict=True):
        middle = one[4, 4]
        assert (image[2:7, 2:7] == middle).all(dim=2).any()


def test_the_seed_says_how_images_vary():
    images = torch.randint(256, (50, 9, 9, 3), dtype=torch.uint8)
    one, same, other = (varied(images, np.random.default_rng(seed), mirror=True, shift=2) for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


@pytest.mark.parametrize(
    ("expected", "size", "suitable"),
    [
        (None, None, Preprocessing(10)),  # the shorter side of most
        (None, 7, Preprocessing(7)),
        ({"size": 224, "interpolation": "bicubic"}, None, Preprocessing(224, interpolation="bicubic")),
        ({"size": 224, "interpolation": "bicubic"}, 96, Preprocessing(96, interpolation="bicubic")),
    ],
)
def test_pretrained_weights_and_the_size_asked_for_come_before_the_usual_size(expected, size, suitable):
    images = [plain(size=(20, 10)), plain(size=(10, 30)), plain(size=(50, 50)), b"no image"]
    assert suitable_preprocessing(images, expected, size) == suitable


def test_labelled_images_keep_their_labels(folder):
    kept = fitted(find_pictures(str(folder)), Preprocessing(8))
    assert isinstance(kept, Labelled)
    assert Preprocessing(8).fit(read_image(kept.inputs[0])).tolist() == np.asarray(kept.inputs[0]).tolist()
