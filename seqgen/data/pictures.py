"""Labelled images, resized to one size and cached, and their random variations in training."""

import hashlib
import logging
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from seqgen.data.images import Image, Preprocessing, read_image
from seqgen.data.labelled import Labelled
from seqgen.errors import InputError
from seqgen.files import cache_directory
from seqgen.hardware.memory import FLOAT, require_memory

logger = logging.getLogger(__name__)


def usual_size(inputs: Sequence[Image], largest: int = 64) -> int:
    """Return the median of the images' shorter sides in pixels, but at most `largest`."""
    sides = []
    for one in inputs[:: max(len(inputs) // 50, 1)]:
        with suppress(InputError):  # reported when all images are read
            sides.append(min(read_image(one).size))
    return min(int(np.median(sides)), largest) if sides else largest


def suitable_preprocessing(inputs: Sequence[Image], expected: dict[str, Any] | None, size: int | None) -> Preprocessing:
    """Return the preprocessing that pretrained weights expect, or else one for the usual size of the images.

    Args:
        inputs: the images.
        expected: the preprocessing of pretrained weights, if there are any.
        size: pixels a side, in place of the expected or usual ones.

    Raises:
        InputError: an image of this size does not fit the memory.
    """
    require_memory(FLOAT * 3 * (size or 0) ** 2, f"an image of {size} pixels a side")
    preprocessing = Preprocessing(**expected) if expected else Preprocessing(usual_size(inputs))
    return preprocessing._replace(size=size or preprocessing.size)


def fitted(pictures: Labelled, preprocessing: Preprocessing, *, skip_bad: bool = False) -> Labelled:
    """Return the images as (size, size, 3) bytes, from the cache where it has them.

    Args:
        pictures: of any size.
        preprocessing: with the size.
        skip_bad: whether to leave out images that cannot be read, instead of raising an error.

    Raises:
        InputError: an image cannot be read.
    """
    fitting = (preprocessing.size, preprocessing.interpolation, preprocessing.border)
    key = hashlib.sha256(f"{fitting} {image_fingerprint(pictures.inputs)}".encode()).hexdigest()[:32]
    path = cache_directory() / f"images-{key}.npy"
    size = preprocessing.size
    if not path.exists():
        aside = path.with_suffix(f".{os.getpid()}")
        array = np.lib.format.open_memmap(aside, "w+", np.uint8, (len(pictures), size, size, 3))
        try:
            bad = _fill(array, pictures, preprocessing, skip_bad)
        except BaseException:
            aside.unlink()
            raise
        array.flush()
        if not bad:
            aside.replace(path)
            return _rows(pictures, path)
        aside.unlink()  # the cache holds whole sets only; the map stays readable
        good = np.setdiff1d(np.arange(len(pictures)), bad)
        kept = pictures.chosen(good)
        return Labelled([array[number] for number in good], kept.labels, kept.where)
    return _rows(pictures, path)


def _rows(pictures: Labelled, path: Path) -> Labelled:
    return Labelled(list(np.load(path, mmap_mode="r")), pictures.labels, pictures.where)


def _fill(array: np.ndarray, pictures: Labelled, preprocessing: Preprocessing, skip_bad: bool) -> list[int]:
    bad = []
    for number, source in enumerate(tqdm(pictures.inputs, "images", disable=not sys.stderr.isatty(), leave=False)):
        try:
            array[number] = preprocessing.fit(read_image(source))
        except InputError as error:
            if not skip_bad:
                raise InputError(f"{error}; --skip_bad true leaves such images out") from None
            bad.append(number)
            logger.warning(f"left out: {error}")
    if len(bad) == len(pictures):
        raise InputError(f"there must be images that can be read, but all {len(bad)} are bad")
    return bad


def image_fingerprint(images: Sequence[Any]) -> str:
    """Return a hash of images: of files by their names, sizes and times, of others by their pixels."""
    digest = hashlib.sha256()
    for source in images:
        if isinstance(source, Path):
            status = source.stat()
            digest.update(f"{source.resolve()} {status.st_size} {status.st_mtime_ns}\n".encode())
        else:
            digest.update(source.tobytes())
    return digest.hexdigest()[:32]


def varied(images: Tensor, random: np.random.Generator, *, mirror: bool, shift: int) -> Tensor:
    """Return (batch, size, size, 3) bytes, shifted at random by up to `shift` pixels and, half of them, mirrored.

    Pixels shifted in from outside repeat the edge.
    """
    count, size = images.shape[0], images.shape[1]
    moves = torch.from_numpy(random.integers(-shift, shift + 1, (2, count, 1)))
    down, across = (moves + torch.arange(size)).clamp(0, size - 1)
    if mirror:
        mirrored = torch.from_numpy(random.random((count, 1)) < 0.5)
        across = torch.where(mirrored, across.flip(1), across)
    return images[torch.arange(count)[:, None, None], down[:, :, None], across[:, None, :]]
