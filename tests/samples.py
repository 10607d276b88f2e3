"""Small files of every kind, models, and what reads them, for fuzzing."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from making import MADE, TEXT
from PIL import Image

from seqgen.data.captioned import read_captioned
from seqgen.data.corpus import Corpus
from seqgen.data.labelled import read_texts, require_numbers
from seqgen.data.parallel import read_pairs
from seqgen.data.tagged import read_tagged
from seqgen.text.tokenizer import KINDS, fit_tokenizer

ROWS = [["pos", "a good film"], ["neg", 'a "bad", dull one'], ["pos", "fine & ünïcode"], ["neg", ""]] * 4
IMAGES = [{"id": number, "file_name": f"{number}.png"} for number in (1, 2)]
CAPTIONS = [{"id": number, "image_id": 1 + number % 2, "caption": f"a picture {number}"} for number in range(4)]
CONLL = "The\tDET\ncat\tNOUN\n\nA\tDET\ndog\tNOUN\n\n" * 4
FILES: dict[str, bytes] = {
    "text.txt": TEXT.encode()[:2_000],
    "rows.tsv": "".join("\t".join(row) + "\n" for row in ROWS).encode(),
    "rows.csv": b"label,text\n" + b'pos,a good film\nneg,"a ""bad"", dull one"\npos,"two\nlines"\n' * 4,
    "rows.jsonl": "".join(json.dumps({"label": label, "text": text}) + "\n" for label, text in ROWS).encode(),
    "rows.json": json.dumps([{"label": label, "text": text} for label, text in ROWS]).encode(),
    "pairs.tsv": b"ein\tone\nzwei\ttwo\ndrei vier\tthree four\n" * 4,
    "pairs.jsonl": b'{"source": "ein", "target": "one"}\n{"source": "zwei", "target": "two"}\n' * 4,
    "tags.conll": CONLL.encode(),
    "tags.jsonl": b'{"tokens": ["The", "cat"], "tags": ["DET", "NOUN"]}\n' * 4,
    "numbers.tsv": b"1.5, 2e3, -7\tone\n0, 0, 0\tnothing\n" * 4,
    "captions.json": json.dumps({"images": IMAGES, "annotations": CAPTIONS}).encode(),
    "captions.csv": b"image,caption\n1.png,a picture\n2.png,another picture\n" * 3,
}


def consume(data) -> None:
    """Read all columns of data."""
    for column in vars(data).values():
        if hasattr(column, "__len__") and not isinstance(column, str):
            list(column)


READERS: dict[str, Callable[[Path], object]] = {
    "text": lambda path: [fit_tokenizer(kind, Corpus.find(str(path)).blocks(), 400) for kind in KINDS],
    "rows": lambda path: consume(read_texts(str(path))),
    "pairs": lambda path: consume(read_pairs(str(path))),
    "tags": lambda path: consume(read_tagged(str(path))),
    "numbers": lambda path: require_numbers(read_texts(str(path))),
    "captions": lambda path: consume(read_captioned(str(path.parent / "images"), {"train": str(path)})["train"]),
}


def picture(form: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8)).save(file, form)
    return file.getvalue()


PICTURES = {form: picture(form) for form in ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "PPM")}
MODELS = {
    "generator": (MADE["generator"], lambda model: model.generate("the", max_new_tokens=4, seed=1)),
    "text_classifier": (MADE["text_classifier"], lambda model: model.classify(["a fine film"])),
    "image_classifier": (MADE["image_classifier"], lambda model: model.classify([PICTURES["PNG"]])),
    "tagger": (MADE["tagger"], lambda model: model.tag([["the", "cat"]])),
    "translator": (MADE["translator"], lambda model: model.translate("the cat", max_new_tokens=4)),
    "captioner": (MADE["captioner"], lambda model: model.caption([PICTURES["PNG"]], max_new_tokens=4)),
    "conditional_generator": (MADE["conditional_generator"], lambda model: model.generate("cat", max_new_tokens=4)),
}
COMMANDS = {
    "generate": ("generator", ["the"]),
    "score": ("generator", []),
    "classify": ("text_classifier", []),
    "tag": ("tagger", []),
    "translate": ("translator", []),
    "info": ("translator", []),
}
