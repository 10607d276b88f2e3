"""`seqgen embed`: the vectors of texts or images, and the inputs with the most similar ones."""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from seqgen.cli.inputs import Line, blocks, lines, open_model, texts_or_images
from seqgen.cli.trained import encodings
from seqgen.data.images import image_files
from seqgen.errors import InputError
from seqgen.files import writing
from seqgen.inference.nearest import nearest_vectors
from seqgen.tasks.captioner import CaptionerTask
from seqgen.tasks.classifiers import ImageClassifierTask

LINES = 256  # inputs that are read at once


def embed(options: dict[str, Any]) -> None:
    """Print or write the vector of each text or image, or print the inputs with the most similar vectors."""
    nearest, among, output = options["nearest"], options["among"], options["output"]
    if nearest is not None and nearest < 1:
        raise InputError(f"--nearest must be at least 1, not {nearest}")
    if among is not None and nearest is None:
        raise InputError("--among must be with --nearest, which looks there, but --nearest is missing")
    if output == "":
        raise InputError("--output must be the name of a file, but it is empty")
    if output is not None and os.path.exists(output) and not output.endswith(".npy"):
        raise InputError(f"--output must not replace a file of another kind, but {output} exists and is no .npy file")
    if among is not None and not os.path.exists(among):
        raise InputError(f"--among must be a text file, or a folder of images, but {among!r} is not there")
    model = open_model(options, "embed")
    found = _embedded(model, texts_or_images(options, model.builder, images=_reads_images(model)))
    looked_among = None if among is None else _embedded(model, _among(model, among, options))
    if nearest is None and output is None:
        for texts, vectors in found:
            _show_vectors(texts, vectors, options["json"])
        return
    texts, vectors = _whole(found)
    if output is not None:
        with writing(Path(output)) as file:
            np.save(file, vectors)
        print(f"wrote {len(vectors):,} vectors of size {vectors.shape[1]} to {output}", file=sys.stderr)
    if nearest is not None:
        if among is None and len(texts) < 2:
            raise InputError("--nearest must have other inputs to look among, but there is one: give --among, or more")
        names, others = (texts, None) if looked_among is None else _whole(looked_among)
        similar = nearest_vectors(vectors, others, count=nearest)
        for text, rows, cosines in zip(texts, similar.rows, similar.similarities, strict=True):
            _show_nearest(text, [names[row] for row in rows], cosines.tolist(), options["json"])


def _reads_images(model: Any) -> bool:
    return isinstance(model, CaptionerTask | ImageClassifierTask)


def _among(model: Any, place: str, options: dict[str, Any]) -> Iterator[Line]:
    """Yield the lines of a text file that are not blank, or the paths of the images in a folder."""
    if not _reads_images(model):
        if not Path(place).is_file():
            raise InputError(f"--among must be a text file, but {place!r} is not a file")
        read = lines([place], encoding=encodings(options)["encoding"])
        found = [line for line in read if line.text.strip()]
    else:
        found = [Line(str(file)) for file in image_files(place)]
    if not found:
        kind = "a folder of images" if _reads_images(model) else "a file of texts"
        raise InputError(f"--among must be {kind}, but {place!r} holds none")
    return iter(found)


def _embedded(model: Any, given: Iterator[Line]) -> Iterator[tuple[list[str], np.ndarray]]:
    """Yield the inputs with their vectors, block by block."""
    for block in blocks(given, LINES):
        texts = [line.text for line in block]
        yield texts, model.embed(texts)


def _whole(found: Iterator[tuple[list[str], np.ndarray]]) -> tuple[list[str], np.ndarray]:
    texts, vectors = [], []
    for some, of_some in found:
        texts += some
        vectors.append(of_some)
    if not texts:
        raise InputError("there must be at least one text or image, but there is none")
    return texts, np.concatenate(vectors)


def _show_vectors(texts: Sequence[str], vectors: np.ndarray, json_lines: bool) -> None:
    for text, vector in zip(texts, vectors, strict=True):
        if json_lines:
            print(json.dumps({"input": text, "vector": vector.tolist()}, ensure_ascii=False))
        else:
            print(" ".join(f"{number:.6g}" for number in vector), " ".join(text.split()), sep="\t")
    sys.stdout.flush()


def _show_nearest(text: str, names: list[str], cosines: list[float], json_lines: bool) -> None:
    if json_lines:
        nearest = [{"input": name, "similarity": cosine} for name, cosine in zip(names, cosines, strict=True)]
        print(json.dumps({"input": text, "nearest": nearest}, ensure_ascii=False))
        return
    for name, cosine in zip(names, cosines, strict=True):
        print(f"{cosine:.4f}", " ".join(name.split()), " ".join(text.split()), sep="\t")
