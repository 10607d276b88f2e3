"""Captions of images, read from files of all kinds."""

import json
import re

import PIL.Image
import pytest

from seqgen.data.captioned import read_captioned
from seqgen.data.splits import split_captioned
from seqgen.errors import InputError


@pytest.fixture
def folder(tmp_path):
    images = tmp_path / "images"
    (images / "more").mkdir(parents=True)
    for name in ("a.jpg", "b.jpg", "c.png", "more/d.jpg"):
        PIL.Image.new("RGB", (4, 4)).save(images / name)
    return images


CSV = 'image,caption\na.jpg,"one, two"\na.jpg,three\nb.jpg,four\nc.png,five\nd.jpg,six\n'
TSV = "image\tcaption\na.jpg\tone, two\na.jpg\tthree\nb.jpg\tfour\nc.png\tfive\nmore/d.jpg\tsix\n"
TOKEN = "a.jpg#0\tone, two\na.jpg#1\tthree\nb.jpg#0\tfour\nc.png#0\tfive\nd.jpg#0\tsix\n"
NAMES = ["a.jpg", "b.jpg", "c.png", "d.jpg"]
COCO = json.dumps(
    {
        "images": [{"id": number, "file_name": name} for number, name in enumerate(NAMES)],
        "annotations": [
            {"image_id": number, "caption": caption}
            for number, caption in ((0, "one, two"), (0, "three"), (1, "four"), (2, "five"), (3, "six"))
        ],
    }
)


@pytest.mark.parametrize(
    ("name", "content"), [("x.csv", CSV), ("x.tsv", TSV), ("Flickr8k.token.txt", TOKEN), ("x.json", COCO)]
)
def test_every_kind_of_file_says_the_same(folder, tmp_path, name, content):
    (tmp_path / name).write_text(content)
    found = read_captioned(str(folder), {"train": str(tmp_path / name)})["train"]
    assert found.captions == [["one, two", "three"], ["four"], ["five"], ["six"]]
    assert [path.name for path in found.images] == NAMES


def test_a_column_says_the_part(folder, tmp_path):
    rows = "image,split,caption\na.jpg,train,one\nb.jpg,dev,two\nc.png,TEST,three\n"
    (tmp_path / "x.csv").write_text(rows)
    parts = read_captioned(str(folder), {"train": str(tmp_path / "x.csv")})
    assert {part: images.names for part, images in parts.items()} == {
        "train": ["a.jpg"],
        "valid": ["b.jpg"],
        "test": ["c.png"],
    }
    assert split_captioned(parts, 1).valid.captions == [["two"]]


def test_parts_of_their_own(folder, tmp_path):
    (tmp_path / "x.csv").write_text("image,caption\na.jpg,one\nb.jpg,two\n")
    (tmp_path / "y.csv").write_text("image,caption\nc.png,three\n")
    files = {"train": str(tmp_path / "x.csv"), "test": str(tmp_path / "y.csv"), "valid": None}
    parts = read_captioned(str(folder), files)
    assert (parts["train"].names, parts["test"].names) == (["a.jpg", "b.jpg"], ["c.png"])


def test_missing_parts_are_held_back_by_image(folder, tmp_path):
    names = [f"{number}.png" for number in range(40)]
    for name in names:
        PIL.Image.new("RGB", (4, 4)).save(folder / name)
    (tmp_path / "x.tsv").write_text(
        "image\tcaption\n" + "".join(f"{name}\tsaid {name} {n}\n" for name in names for n in "ab")
    )
    parts = read_captioned(str(folder), {"train": str(tmp_path / "x.tsv")})
    splits = split_captioned(parts, 1)
    whole = (splits.train, splits.valid, splits.test)
    assert sorted(name for part in whole for name in part.names) == sorted(names)
    assert [len(part) for part in whole] == [32, 4, 4]
    assert all(len(texts) == 2 for part in whole for texts in part.captions)
    assert split_captioned(parts, 2).test.names != splits.test.names


def test_strays_are_counted_and_named_or_stop_it_all(folder, tmp_path, caplog):
    (tmp_path / "x.csv").write_text("image,caption\na.jpg,one\nnone.jpg,two\nnone.jpg,three\nb.jpg,four\n")
    parts = read_captioned(str(folder), {"train": str(tmp_path / "x.csv")})
    assert parts["train"].names == ["a.jpg", "b.jpg"]
    assert "x.csv, line 3: 2 captions have no image (none.jpg)" in caplog.text
    assert "2 images have no caption" in caplog.text
    with pytest.raises(InputError, match=r"2 captions have no image.*2 images have no caption.*--strays skip"):
        read_captioned(str(folder), {"train": str(tmp_path / "x.csv")}, strays="error")


BAD = {
    "empty": ("x.csv", "image,caption\na.jpg, \n", "x.csv, line 2: a caption must not be empty"),
    "columns": ("x.csv", "picture,words,more\na.jpg,one,1\n", "line 1: it must name the columns image and caption"),
    "split": ("x.csv", "image,caption,split\na.jpg,one,trian\n", "a split must be one of train"),
    "two parts": (
        "x.csv",
        "image,caption,split\na.jpg,one,train\na.jpg,two,test\n",
        "x.csv, line 3: a.jpg must be in one part, but it is in train, too",
    ),
    "token": ("x.txt", "a.jpg one\n", "x.txt, line 1: a line must be an image, #0, a tab and a caption"),
    "no json": ("x.json", "{", "x.json must be JSON with images and annotations as COCO has them"),
    "other json": ("x.json", '{"images": []}', "'annotations' is missing"),
    "listed twice": (
        "x.json",
        COCO.replace("b.jpg", "a.jpg"),
        "an image must be listed once, but a.jpg is listed again",
    ),
    "unlisted": (
        "x.json",
        COCO.replace('"image_id": 3', '"image_id": 9'),
        "its image must be listed, but there is no 9",
    ),
    "encoding": ("x.csv", "image,caption\na.jpg,caf\xe9\n".encode("latin-1"), "UTF-8"),
    "nothing fits": ("x.csv", "image,caption\nz.jpg,one\n", "there must be captions of images in"),
}


@pytest.mark.parametrize(("name", "content", "message"), BAD.values(), ids=BAD)
def test_a_broken_file_is_a_sentence(folder, tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=re.escape(message)):
        read_captioned(str(folder), {"train": str(tmp_path / name)})


def test_a_name_in_two_folders_is_a_sentence(folder, tmp_path):
    (folder / "others").mkdir()
    PIL.Image.new("RGB", (4, 4)).save(folder / "others" / "d.jpg")
    (tmp_path / "x.csv").write_text("image,caption\nd.jpg,one\n")
    with pytest.raises(InputError, match=r"d\.jpg is both .*more/d\.jpg and .*others/d\.jpg"):
        read_captioned(str(folder), {"train": str(tmp_path / "x.csv")})


def test_what_is_not_there_is_a_sentence(folder, tmp_path):
    with pytest.raises(InputError, match=r"a file, a folder, a glob, .* but 'none\.csv' is not there"):
        read_captioned(str(folder), {"train": "none.csv"})
    with pytest.raises(InputError, match="--data must be a folder of images, but 'none' is not a folder"):
        read_captioned("none", {"train": "none.csv"})
