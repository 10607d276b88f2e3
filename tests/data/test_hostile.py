"""Whatever a file holds, every reader either reads it or says in one sentence what is wrong, in bounded memory."""

import contextlib
import gzip
import io
import json
import os
import random
import re
import sys
import time
import tracemalloc

import numpy as np
import PIL.Image
import pytest

from seqgen.data import pipe, unpacked
from seqgen.data.captioned import read_captioned
from seqgen.data.images import read_image
from seqgen.data.labelled import TextColumns, read_numbers, read_texts, require_numbers
from seqgen.data.parallel import read_pairs
from seqgen.data.paths import find_files
from seqgen.data.tagged import read_tagged
from seqgen.data.text_file import LONGEST, TextFile
from seqgen.errors import InputError

DEEP = "[" * 100_000
CSV = 'label,text\na,"one\ntwo"\n'
COCO = {"images": [{"id": 1, "file_name": "a.png"}], "annotations": [{"image_id": 1, "caption": "one"}]}


@pytest.fixture
def images(tmp_path):
    (tmp_path / "images").mkdir()
    PIL.Image.new("RGB", (4, 4)).save(tmp_path / "images" / "a.png")
    return str(tmp_path / "images")


@pytest.fixture
def readers(images):
    return {
        "lines": lambda path: [list(file.lines()) for file in find_files(path)],
        "blocks": lambda path: [list(file.blocks()) for file in find_files(path)],
        "labelled": read_texts,
        "pairs": read_pairs,
        "tagged": read_tagged,
        "captions": lambda path: read_captioned(images, {"train": path}),
    }


def coco(**changed):
    return json.dumps(COCO | changed)


def packed(content):
    return gzip.compress(content if isinstance(content, bytes) else content.encode())


WHOLE = packed("a line of text\n" * 1000)
BAD = {
    "cut.gz": (WHOLE[:-9], "must be a whole gzip file"),
    "damaged.gz": (WHOLE[:15] + b"\xff\xff\xff" + WHOLE[18:], "must be a whole gzip file"),
    "rows.tsv.gz": (packed(b"a\tb\n" * 100_000), "unpack it first"),
    "bomb.gz": (packed(b"a line of text\n" * 100_000), "unpack it first"),
    "deep.json": (DEEP, "JSON.*nested too deeply"),
    "deep.jsonl": (DEEP + "\n", "JSON.*nested too deeply"),
    "half.jsonl": ('{"label": "a", "text": "\\ud800"}\n', r"JSON.*half of a surrogate pair, .ud800"),
    "bom": (b"\xef\xbb\xbf", "must hold tagged texts, but it holds none"),
    "utf16": ("a text".encode("utf-16"), "--encoding names another"),
    "unclosed.csv": (CSV + 'b,"never\nclosed\n', "unclosed.csv, line 4: a quote must be closed"),
    "endless.csv": (CSV + 'b,"never' + "\nclosed" * 2000, "endless.csv, line 4: a quote must be closed within 1,000"),
    "label.tsv": ("label\ttext\n" + "a" * 100_000 + "\tone\n", "must have at most 10,000 characters, but it has 100,0"),
    "ragged.conllu": ("1\ta\n", "ragged.conllu, line 1: there must be 10 columns"),
    "twice.json": (
        coco(images=COCO["images"] + [{"id": 1, "file_name": "b.png"}]),
        "listed once, but 1 is listed again",
    ),
    "list.json": (coco(images=[{"id": [1], "file_name": "a.png"}]), "as COCO has them, but a number"),
    "true.json": (coco(annotations=[{"image_id": True, "caption": "one"}]), "as COCO has them, but a number"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_reader_reads_a_file_or_says_in_a_sentence_what_is_wrong(tmp_path, readers, monkeypatch, name):
    monkeypatch.setattr(unpacked, "LITTLE", 1 << 18)
    content, sentence = BAD[name]
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    said = []
    for read in readers.values():
        try:
            read(str(tmp_path / name))
        except InputError as error:
            said.append(str(error))
    assert not any("\n" in one for one in said)
    assert re.search(sentence, " ".join(said))


def test_damaged_files_of_all_kinds_are_sentences(tmp_path, readers):
    whole = {
        "a.json.gz": packed(coco()),
        "a.json": coco().encode(),
        "a.csv": CSV.encode(),
        "a.tsv": b"a\tone\nb\ttwo\n",
    }
    chance = random.Random(1)
    for number in range(60):
        name = chance.choice(list(whole))
        content = bytearray(whole[name])
        for _ in range(chance.randrange(1, 5)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        path = tmp_path / f"{number}{name}"
        path.write_bytes(content[: chance.randrange(1, len(content) + 1)])
        for read in readers.values():
            with contextlib.suppress(InputError):
                read(str(path))


def test_damaged_images_are_sentences():
    chance, pixels = random.Random(1), np.random.default_rng(1).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    for form in ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"):
        file = io.BytesIO()
        PIL.Image.fromarray(pixels).save(file, form)
        for _ in range(20):
            content = bytearray(file.getvalue())
            for _ in range(chance.randrange(1, 5)):
                content[chance.randrange(min(len(content), 200))] = chance.randrange(256)
            with contextlib.suppress(InputError):
                assert read_image(bytes(content[: chance.randrange(len(content))])).mode == "RGB"


def test_a_text_without_white_space_takes_little_memory(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"a" * (2 * LONGEST))
    file = TextFile(tmp_path / "a.txt", "a.txt")
    tracemalloc.start()
    assert sum(map(len, file.blocks())) == 2 * LONGEST
    assert tracemalloc.get_traced_memory()[1] < LONGEST
    tracemalloc.stop()
    with pytest.raises(InputError, match=r"a\.txt, line 1: a line must have less than"):
        list(file.lines())


@pytest.mark.parametrize("name", ["/dev/null", "/dev/zero", "pipe"])
def test_what_has_no_end_or_no_beginning_is_a_sentence(tmp_path, monkeypatch, name):
    monkeypatch.setattr(pipe, "SECONDS", 0.1)
    path = name if name[0] == "/" else str(tmp_path / name)
    if name == "pipe":
        os.mkfifo(path)
    with pytest.raises(InputError, match=r"but /dev/.* is a device|after 0 seconds nobody does"):
        find_files(path)
    with pytest.raises(InputError, match="must be a file, not a pipe"):
        list(TextFile(tmp_path / path, path).lines())
    with pytest.raises(InputError, match="it is no file"):
        read_image(path)
    if name == "pipe":  # which frees the thread that waits for a writer
        os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))


def test_standard_input_without_an_end_is_a_sentence(monkeypatch):
    with open("/dev/zero") as endless:
        monkeypatch.setattr(sys, "stdin", endless)
        with pytest.raises(InputError, match="stdin must hold text, but it holds NUL bytes"):
            find_files("-")


def test_links_in_a_circle_end(tmp_path):
    for name in "abc":
        (tmp_path / name).symlink_to(".")
    (tmp_path / "text.txt").write_text("text")
    began = time.process_time()
    assert len(find_files(str(tmp_path / "**" / "*.txt"))) == len(find_files(str(tmp_path))) == 1
    assert time.process_time() - began < 5  # and not the age of the universe


@pytest.mark.parametrize("number", ["nan", "inf", "1e39", "-1e39", "1_000", "1" * 400, "one"])
def test_numbers_that_no_float_holds_are_named_by_their_line(tmp_path, number):
    (tmp_path / "a.tsv").write_text(f"label\ttext\n1 2\tone\n1 {number}\ttwo\n")
    with pytest.raises(InputError, match=r"a\.tsv, line 3: with --conditions numbers a label must be numbers, not '1 "):
        require_numbers(read_texts(str(tmp_path / "a.tsv"), TextColumns()))
    assert read_numbers("1,-2.5 3e38") == [1, -2.5, 3e38]
