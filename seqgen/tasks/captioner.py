"""The task of a captioner: images in, captions out, with the attention weights over each image."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from seqgen.arguments import checked
from seqgen.data.images import Image, Preprocessing, read_image
from seqgen.tasks.encoder_decoder import EncoderDecoderTask, Written
from seqgen.tasks.parts import GENERATION, PREPROCESSING, tokenizer_part
from seqgen.tasks.score import Score

IMAGES = 64  # maximum number of images of a batch
HYPOTHESES = 320  # maximum number of hypotheses of a batch


class Heat(NamedTuple):
    """Attention weights of a caption: (pieces, rows, columns) over the image, those of each piece summing to one.

    Rows and columns are those of the middle square of the image.
    """

    pieces: list[str]
    weights: np.ndarray


class Caption(NamedTuple):
    """A caption, its log-probability in nats after the length penalty, and attention weights where asked for."""

    text: str
    score: float
    attention: Heat | None = None


@dataclass(kw_only=True)
@checked
class CaptionerTask(EncoderDecoderTask):
    """The preprocessing of images and the tokenizer of captions around an encoder and a decoder.

    Args:
        target: the tokenizer of captions.
        generation: the options that captioning starts from.
        preprocessing: what is done to an image before the model sees it.
    """

    builder = "captioner"
    files: ClassVar = {
        "tokenizer.json": tokenizer_part("target"),
        "generation_config.json": GENERATION,
        "preprocessing.json": PREPROCESSING,
    }

    preprocessing: Preprocessing

    def caption(
        self,
        images: Image | Sequence[Any],
        *,
        prefix: str = "",
        return_attention: bool = False,
        **options: Any,
    ) -> list[Caption]:
        """Caption one image, or several; batches are made of them inside.

        Args:
            images: paths, bytes of files, PIL images, or (height, width, 3) arrays of bytes, of any size.
            prefix: beginning of every caption.
            return_attention: whether to return the attention weights of each piece.
            **options: those of `GenerationConfig`, and `minimum_bayes_risk`, a number of captions to sample of each
                image, of which those most like all the others by chrF are returned; the others are as the model's
                `generation_config.json` sets them. And `logits_processor` and `streamer`, as `write` takes them.

        Returns:
            The captions of all images, `num_return_sequences` of each, the best first.

        Raises:
            InputError: an image cannot be read, an unknown option, or a value outside its range.
        """
        rows: Any = [images] if isinstance(images, Image) else images
        written = self.write(rows, prefix=prefix, return_attention=return_attention, **options)
        return [Caption(one.text, one.score, _heat(one)) for found in written for one in found]

    def score(self, images: Image | Sequence[Image], captions: str | Sequence[str]) -> list[Score]:
        """Return the log-probability of a caption of each image, or of one of one, in nats.

        Raises:
            InputError: an image cannot be read, or there are more images than captions, or fewer.
        """
        rows: Any = images if isinstance(images, list | tuple) else [images]
        return self.scored(rows, [captions] if isinstance(captions, str) else captions)

    def budget(self, hypotheses: int) -> int:
        """Return the maximum number of images of a batch."""
        return max(min(IMAGES, HYPOTHESES // hypotheses), 1)

    def encode(self, given: Image) -> Image:
        """Return an image unchanged: it is read when it is collated."""
        return given

    def lengths(self, rows: Sequence[Any]) -> np.ndarray:
        """Return ones: all images are of the same size to the model."""
        return np.ones(len(rows), dtype=np.int64)

    def arrays(self, rows: Sequence[Image]) -> tuple[np.ndarray, ...]:
        """Return the (batch, 3, size, size) pixels of images."""
        return (self.preprocessing.pixels([read_image(image) for image in rows]),)


def _heat(written: Written) -> Heat | None:
    """Return the attention weights over the image, without those of EOS: images are square, and so are their grids."""
    if written.weights is None:
        return None
    pieces = written.pieces[:-1] if written.ended else written.pieces
    positions = written.weights.shape[1]
    side = round(positions**0.5)
    return Heat(pieces, written.weights[: len(pieces)].reshape(len(pieces), side, positions // side))
