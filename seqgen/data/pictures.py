"""Labelled images, resized to one size and cached, and their random variations in training."""

import hashlib
import logging
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from seqgen.data.columns import Column
from seqgen.data.images import Image, Preprocessing, read_image
from seqgen.data.labelled import Labelled
from seqgen.data.store import Ragged, stored
from seqgen.errors import InputError
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
    size, inputs = preprocessing.size, pictures.inputs

    def rows() -> Iterator[tuple[np.ndarray]]:
        progress = tqdm(inputs, "images", disable=not sys.stderr.isatty(), leave=False)
        yield from ((pixels.ravel(),) for pixels in fitted_or_empty(progress, preprocessing, skip_bad=skip_bad))

    fitting = [size, preprocessing.interpolation, preprocessing.border]
    [kept] = stored(["images", fitting, image_fingerprint(inputs)], rows, [256])
    read = Labelled(Column(kept, lambda row: row.reshape(size, size, 3)), pictures.labels, pictures.where)
    good = good_images(kept, inputs, skip_bad=skip_bad)
    return read if len(good) == len(read) else read.chosen(good)


def fitted_or_empty(
    images: Iterable[Image], preprocessing: Preprocessing, *, skip_bad: bool = False
) -> Iterator[np.ndarray]:
    """Yield the (size, size, 3) bytes of each image, and nothing but an empty array for one that cannot be read.

    Args:
        images: of any size.
        preprocessing: with the size.
        skip_bad: whether to go on where an image cannot be read, instead of raising an error.

    Raises:
        InputError: an image cannot be read.
    """
    for source in images:
        try:
            yield preprocessing.fit(read_image(source))
        except InputError as error:
            if not skip_bad:
                raise InputError(f"{error}; --skip_bad true leaves such images out") from None
            logger.warning(f"left out: {error}")
            yield np.zeros(0, np.uint8)


def good_images(kept: Ragged, images: Sequence[Any], *, skip_bad: bool) -> np.ndarray:
    """Return the numbers of the images that could be read: those whose kept row is not empty.

    Raises:
        InputError: one could not be read and is not to be left out, or none could.
    """
    bad = np.flatnonzero(kept.lengths == 0)
    if len(bad) and not skip_bad:
        raise InputError(f"{images[bad[0]]} cannot be read; --skip_bad true leaves such images out")
    if len(bad) == len(images):
        raise InputError(f"there must be images that can be read, but all {len(bad)} are bad")
    return np.flatnonzero(kept.lengths)


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
