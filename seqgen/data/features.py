"""Features of images by a frozen network, computed once and cached."""

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from seqgen.arguments import checked
from seqgen.data.captioned import Captioned
from seqgen.data.images import Preprocessing
from seqgen.data.labelled import Labelled
from seqgen.data.pictures import fitted, fitted_or_empty, good_images, image_fingerprint
from seqgen.data.store import Ragged, blocks, stored
from seqgen.errors import InputError

BATCH = 32  # images


class Features:
    """The (positions, features) of images in bf16, by the images' numbers, and optionally of the mirrored images.

    Args:
        sides: of all images, and of all mirrored images: a row with the features of each, bf16 as 16-bit integers.
        shape: (positions, features).
        good: numbers of the images that could be read, which are numbered again in this order; of others the row is
            empty.
    """

    def __init__(self, sides: Sequence[Ragged], shape: Sequence[int], good: np.ndarray):
        self.sides, self.shape, self.good = sides, shape, good

    def of(self, numbers: np.ndarray, mirrored: np.ndarray | int = 0) -> Tensor:
        """Return the (images, positions, features) of these images, in bf16."""
        numbers, mirrored = np.broadcast_arrays(self.good[numbers], mirrored)
        rows = [self.sides[side][number] for number, side in zip(numbers.tolist(), mirrored.tolist(), strict=True)]
        return torch.from_numpy(np.stack(rows).reshape(-1, *self.shape)).view(torch.bfloat16)


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

    def rows() -> Iterator[tuple[np.ndarray, ...]]:
        with tqdm(images, "features of images", disable=not sys.stderr.isatty(), leave=False) as progress:
            for pictures in blocks(fitted_or_empty(progress, preprocessing, skip_bad=skip_bad), BATCH):
                yield from _calculate(network, pictures, preprocessing, sides, device)

    identity = ["features", name, str(preprocessing), sides, image_fingerprint(images)]
    *kept, shapes = stored(identity, rows, [*[1 << 16] * sides, 1 << 32])
    good = good_images(shapes, images, skip_bad=skip_bad)
    return Features(kept, shapes[int(good[0])].tolist(), good)


@torch.inference_mode()
def _calculate(
    network: Callable[[Tensor], Tensor],
    pictures: list[np.ndarray],
    preprocessing: Preprocessing,
    sides: int,
    device: torch.device | str,
) -> Iterator[tuple[np.ndarray, ...]]:
    """Yield for each image the features of its sides and their shape, all empty for an empty image."""
    nothing = np.zeros(0, np.int64)
    good = [pixels for pixels in pictures if pixels.size]
    found: Iterator[tuple[np.ndarray, ...]] = iter(())
    if good:
        batch = torch.from_numpy(preprocessing.normalize(np.stack(good))).to(device)
        features = [network(batch.flip(3) if side else batch).to("cpu", torch.bfloat16) for side in range(sides)]
        numbers = [one.contiguous().view(torch.uint16).numpy() for one in features]
        shape = np.array(features[0].shape[1:])
        found = ((*map(np.ravel, each), shape) for each in zip(*numbers, strict=True))
    for pixels in pictures:
        yield next(found) if pixels.size else (*[nothing] * sides, nothing)


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
        images = np.stack([self._pixels[number] for number in numbers])
        images[flipped] = images[flipped, :, ::-1]
        return torch.from_numpy(self.preprocessing.normalize(images))


def stacked(images: Sequence[Any], size: int) -> Tensor:
    """Return tensors of images as a batch: (3, size, size) normalized pixels, or a backbone's (positions, features).

    Raises:
        InputError: some are no tensors, or their shapes differ or are others.
    """
    shapes = {tuple(image.shape) if isinstance(image, Tensor) else type(image).__name__ for image in images}
    of_pixels = {(3, size, size)}
    if len(shapes) > 1 or not (shapes == of_pixels or all(len(shape) == 2 for shape in shapes)):
        raise InputError(
            f"images given as tensors must all be (3, {size}, {size}) pixels, or (positions, features) of the "
            f"backbone, not {', '.join(map(str, shapes))}"
        )
    return torch.stack(list(images))
