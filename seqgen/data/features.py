"""Features of images by a frozen network, computed once and cached in a memory-mapped file."""

import hashlib
import json
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from seqgen.arguments import checked
from seqgen.data.captioned import Captioned
from seqgen.data.images import Preprocessing, read_image
from seqgen.data.labelled import Labelled
from seqgen.data.pictures import fitted, image_fingerprint
from seqgen.errors import InputError
from seqgen.files import cache_directory

logger = logging.getLogger(__name__)

BATCH = 32  # images


class Features:
    """The (positions, features) of images in bf16, by the images' numbers, and optionally of the mirrored images.

    Args:
        kept: (images, 1 or 2, positions, features) of the file, bf16 as 16-bit integers.
        good: numbers of the images that could be read, which are numbered again in this order.
    """

    def __init__(self, kept: np.ndarray, good: np.ndarray):
        self.kept, self.good = kept, good

    def of(self, numbers: np.ndarray, mirrored: np.ndarray | int = 0) -> Tensor:
        """Return the (images, positions, features) of these images, in bf16."""
        return torch.from_numpy(self.kept[self.good[numbers], mirrored]).view(torch.bfloat16)


def kept_features(
    network: Callable[[Tensor], Tensor],
    name: str,
    images: list[Any],
    preprocessing: Preprocessing,
    *,
    mirror: bool = False,
    skip_bad: bool = False,
    device: torch.device | str = "cpu",
) -> Features:
    """Return the features of images by a network, from the cache where it has them.

    Args:
        network: from (batch, 3, size, size) images to (batch, positions, features).
        name: identifies the network: its name and a fingerprint of its weights.
        images: paths, or what else `read_image` takes.
        preprocessing: of the images.
        mirror: whether to compute the features of the mirrored images as well.
        skip_bad: whether to leave out images that cannot be read, instead of raising an error.
        device: of the network.

    Raises:
        InputError: an image cannot be read.
    """
    sides = 2 if mirror else 1
    key = hashlib.sha256(f"{name} {preprocessing} {sides} {image_fingerprint(images)}".encode()).hexdigest()[:32]
    path = cache_directory() / f"features-{key}.npy"
    if not path.exists():
        aside = path.with_suffix(f".{os.getpid()}")
        try:
            bad = _calculate(aside, network, images, preprocessing, sides=sides, skip_bad=skip_bad, device=device)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise
        path.with_suffix(".json").write_text(json.dumps(bad), encoding="utf-8")
        aside.replace(path)
    bad = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    if bad and not skip_bad:
        raise InputError(f"{images[bad[0]]} cannot be read; --skip_bad true leaves such images out")
    return Features(np.load(path, mmap_mode="r"), np.setdiff1d(np.arange(len(images)), bad))


@torch.inference_mode()
def _calculate(
    path: Path,
    network: Callable[[Tensor], Tensor],
    images: list[Any],
    preprocessing: Preprocessing,
    *,
    sides: int,
    skip_bad: bool,
    device: torch.device | str,
) -> list[int]:
    bad: list[int] = []
    array: np.memmap[Any, Any] | None = None
    blank = np.zeros((preprocessing.size, preprocessing.size, 3), np.uint8)
    with tqdm(total=len(images), desc="features of images", disable=not sys.stderr.isatty(), leave=False) as progress:
        for begin in range(0, len(images), BATCH):
            pixels = []
            for number, source in enumerate(images[begin : begin + BATCH], start=begin):
                try:
                    pixels.append(preprocessing.fit(read_image(source)))
                except InputError as error:
                    if not skip_bad:
                        raise InputError(f"{error}; --skip_bad true leaves such images out") from None
                    logger.warning(f"left out: {error}")
                    bad.append(number)
                    pixels.append(blank)
            batch = preprocessing.normalize(torch.from_numpy(np.stack(pixels))).to(device)
            for side in range(sides):
                features = network(batch.flip(3) if side else batch).to("cpu", torch.bfloat16)
                if array is None:
                    shape = (len(images), sides, *features.shape[1:])
                    array = np.lib.format.open_memmap(path, "w+", np.int16, shape)
                array[begin : begin + len(features), side] = features.view(torch.int16).numpy()
            progress.update(len(pixels))
    if array is not None:
        array.flush()
    return bad


@checked
class Views:
    """Images that could be read, with their captions, as the inputs of training: pixels, features or both.

    Args:
        images: with their captions.
        preprocessing: of the images.
        network: a frozen network, from (batch, 3, size, size) images to (batch, positions, features); none by default.
        name: identifies the network.
        pixels: whether pixels are needed as well where there is a network.
        mirror: whether half of the images may be mirrored.
        skip_bad: whether to leave out images that cannot be read, instead of raising an error.
        device: of the network.

    Raises:
        InputError: an image cannot be read.
    """

    def __init__(
        self,
        images: Captioned,
        preprocessing: Preprocessing,
        network: Callable[[Tensor], Tensor] | None = None,
        name: str = "",
        *,
        pixels: bool = False,
        mirror: bool = False,
        skip_bad: bool = False,
        device: torch.device | str = "cpu",
    ):
        self.preprocessing, self.mirror = preprocessing, mirror
        self.features: Features | None = None
        if network is not None:
            self.features = kept_features(
                network, name, images.images, preprocessing, mirror=mirror, skip_bad=skip_bad, device=device
            )
            if len(self.features.good) < len(images):
                images = images.chosen(self.features.good)
        if network is None or pixels:
            whole = Labelled(images.images, images.names, images.names)
            read = fitted(whole, preprocessing, skip_bad=skip_bad)
            if len(read) < len(images):
                images = images.chosen([images.names.index(name) for name in read.where])
            self._pixels = read.inputs
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, number: int) -> Tensor:
        """Return the pixels or features of an image."""
        if not 0 <= number < len(self):
            raise IndexError(number)
        return self.of([number])[0]

    def of(self, numbers: Sequence[int] | np.ndarray, *, pixels: bool = False, seed: int | None = None) -> Tensor:
        """Return the (images, 3, size, size) pixels, or (images, positions, features), of these images.

        Args:
            numbers: of the images.
            pixels: whether to return pixels even where there are features.
            seed: random seed for mirroring half of the images, where they may be; by default none is mirrored.
        """
        numbers = np.asarray(numbers)
        flipped = np.zeros(len(numbers), dtype=bool)
        if self.mirror and seed is not None:
            flipped = np.random.default_rng([seed, *numbers]).random(len(numbers)) < 0.5
        if self.features is not None and not pixels:
            return self.features.of(numbers, flipped.astype(int))
        images = torch.from_numpy(np.stack([self._pixels[number] for number in numbers]))
        images = torch.where(torch.from_numpy(flipped)[:, None, None, None], images.flip(2), images)
        return self.preprocessing.normalize(images)
