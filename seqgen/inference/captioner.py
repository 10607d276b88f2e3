"""A captioner in use: images in, captions out, with where it looked."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from seqgen import patterns
from seqgen.data.images import Image, Preprocessing, read_image
from seqgen.generation.config import GenerationConfig
from seqgen.inference.encoder_decoder import EncoderDecoderBundle, Written
from seqgen.text.tokenizer import tokenizer_data, tokenizer_from_data

IMAGES = 64  # of a batch, with few hypotheses each
HYPOTHESES = 320  # of a batch


class Heat(NamedTuple):
    """Where each piece of a caption looked: (pieces, rows, columns) weights over the image, each piece's sum being one.

    The places are those of the middle square of the image.
    """

    pieces: list[str]
    weights: np.ndarray


class Caption(NamedTuple):
    """A caption, its log-probability in nats after the length penalty, and where it looked where that was asked."""

    text: str
    score: float
    attention: Heat | None = None


@dataclass
class Captioner(EncoderDecoderBundle):
    """An encoder of images and a decoder with its tokenizer.

    Args:
        target: the tokenizer of captions.
        generation: the options that captioning starts from.
        preprocessing: what is done to an image before the model sees it.
    """

    builder = "captioner"
    files = ("tokenizer.json", "generation_config.json", "preprocessing.json")

    preprocessing: Preprocessing

    def parts(self) -> dict[str, dict[str, Any]]:
        """Return tokenizer, options and preprocessing as plain data."""
        return {
            "tokenizer.json": tokenizer_data(self.target),
            "generation_config.json": self.generation.to_data(),
            "preprocessing.json": self.preprocessing._asdict(),
        }

    @classmethod
    def built(cls, arguments: dict[str, Any], parts: dict[str, dict[str, Any]]) -> Self:
        """Return an untrained captioner with the parts that `parts` described."""
        target = tokenizer_from_data(parts["tokenizer.json"])
        model = patterns.captioner(target.vocab_size, **arguments)
        generation = GenerationConfig().with_options(**parts["generation_config.json"])
        return cls(model, arguments, target, generation, Preprocessing(**parts["preprocessing.json"]))

    def caption(
        self,
        images: Image | list[Image],
        *,
        prefix: str = "",
        return_attention: bool = False,
        minimum_bayes_risk: int = 0,
        **options: Any,
    ) -> list[Caption]:
        """Caption one image, or several; batches are made of them inside.

        Args:
            images: paths, bytes of files, PIL images, or (height, width, 3) arrays of bytes, of any size.
            prefix: what every caption begins with.
            return_attention: whether to say where each piece looked.
            minimum_bayes_risk: draw so many captions of each, and choose those most like all the others by chrF;
                0 searches or draws as the options say.
            **options: those of `GenerationConfig`; what is not given is as the model's `generation_config.json` has it.

        Returns:
            The captions, `num_return_sequences` of each image after another, the best first.

        Raises:
            InputError: an image cannot be read, an option does not exist, or a value is outside its range.
        """
        images = images if isinstance(images, list) else [images]
        return self._captions(
            len(images),
            lambda numbers: self.pixels([images[number] for number in numbers]),
            watched=return_attention,
            prefix=prefix,
            minimum_bayes_risk=minimum_bayes_risk,
            **options,
        )

    def caption_seen(self, seen: Tensor, **options: Any) -> list[Caption]:
        """Caption images as the model is given them: `pixels`, or the features that a frozen backbone found in them."""
        return self._captions(len(seen), seen.__getitem__, **options)

    def pixels(self, images: list[Image]) -> Tensor:
        """Return (images, 3, size, size) numbers, as the model sees images."""
        fitted = np.stack([self.preprocessing.fit(read_image(image)) for image in images])
        return self.preprocessing.normalize(torch.from_numpy(fitted))

    def _captions(self, count: int, read: Any, **options: Any) -> list[Caption]:
        def batches(each: int) -> Iterator[tuple[list[int], tuple[Tensor, ...]]]:
            size = max(min(IMAGES, HYPOTHESES // each), 1)
            for begin in range(0, count, size):
                numbers = list(range(begin, min(begin + size, count)))
                yield numbers, (read(numbers),)

        written = self.write(count, batches, **options)
        return [Caption(one.text, one.score, _heat(one)) for found in written for one in found]


def _heat(written: Written) -> Heat | None:
    """Return where the pieces looked, their end left out: images are square, and so are their grids."""
    if written.weights is None:
        return None
    pieces = written.pieces[:-1] if written.ended else written.pieces
    places = written.weights.shape[1]
    side = round(places**0.5)
    return Heat(pieces, written.weights[: len(pieces)].reshape(len(pieces), side, places // side))
