"""Examples that a run leaves of its test part, in files: to try its model with, in the shell and in the browser."""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from seqgen.data.images import Image, read_image
from seqgen.files import read_bytes, write_text, writing

FOLDER, COUNT = "examples", 3
LONGEST, SIDE = 1000, 512  # characters of a text, and pixels of an image


def write_texts(run: Path, texts: Iterable[str]) -> None:
    """Write the first texts to files in the directory of a run."""
    for number, text in enumerate(islice(texts, COUNT), start=1):
        write_text(run / FOLDER / f"{number}.txt", text[:LONGEST])


def write_images(run: Path, images: Iterable[Image]) -> str:
    """Write the first images to files in the directory of a run, and return the path of the first."""
    for number, given in enumerate(islice(images, COUNT), start=1):
        image = read_image(given)
        image.thumbnail((SIDE, SIDE))
        with writing(run / FOLDER / f"{number}.jpg") as file:
            image.save(file, "JPEG", quality=90)
    return str(run / FOLDER / "1.jpg")


def read_examples(run: Path) -> list[str | bytes]:
    """Return the texts, and the images as bytes of JPEG, that a run has left."""
    paths = sorted((run / FOLDER).glob("[0-9].*"))[:COUNT]
    return [read_bytes(path).decode(errors="replace") if path.suffix == ".txt" else read_bytes(path) for path in paths]
