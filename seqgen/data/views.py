"""What a model in training is given of captioned images: their pixels, or what a frozen network found in them."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from seqgen.data.captioned import Captioned
from seqgen.data.features import Features, kept_features
from seqgen.data.images import Preprocessing
from seqgen.data.labelled import Labelled
from seqgen.data.pictures import fitted


class Views:
    """Images that could be read, with their captions, as pixels, as features, or both.

    Args:
        images: with their captions; those that cannot be read are left out or an error.
        preprocessing: of the images.
        network: a frozen one, of (batch, 3, size, size) images to (batch, places, features); none by default.
        name: what tells this network from others.
        pixels: whether pixels are needed as well where there is a network.
        mirror: whether images may be asked for mirrored.
        skip_bad: whether to leave images out that cannot be read.
        device: where the network is.

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

    def of(self, numbers: np.ndarray, *, pixels: bool = False, vary: bool = False) -> Tensor:
        """Return what the model is given of these images.

        Args:
            numbers: of the images.
            pixels: whether pixels are wanted also where there are features.
            vary: whether half of them are mirrored, at random, where that was asked for.
        """
        mirrored = (torch.rand(len(numbers)) < 0.5) & (vary and self.mirror)
        if self.features is not None and not pixels:
            return self.features.of(numbers, mirrored.numpy().astype(int))
        images = torch.from_numpy(np.stack([self._pixels[number] for number in numbers]))
        images = torch.where(mirrored[:, None, None, None], images.flip(2), images)
        return self.preprocessing.normalize(images)
