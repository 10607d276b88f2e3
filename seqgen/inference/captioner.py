"""A captioner in use: images in, captions out, with the attention weights over each image."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, ClassVar, NamedTuple, Self, cast

import numpy as np
import torch
from torch import Tensor, nn

from seqgen import patterns
from seqgen.batches.examples import Batchable
from seqgen.batches.pairs import Pairs, pairs
from seqgen.data.captioned import Captioned
from seqgen.data.features import BATCH, Views
from seqgen.data.images import Image, Preprocessing, read_image, stacked
from seqgen.data.store import stored
from seqgen.errors import InputError
from seqgen.generation.config import GenerationConfig
from seqgen.hardware.precision import Precision, fastest_calculation
from seqgen.inference.encoder_decoder import EncoderDecoderBundle, Written, search_options
from seqgen.inference.known_tokens import require_known
from seqgen.inference.parts import GENERATION, PREPROCESSING, tokenizer_part
from seqgen.inference.score import Score
from seqgen.models import EncoderDecoder
from seqgen.nn.backbones import load_pretrained
from seqgen.nn.image_encoder import ImageEncoder
from seqgen.text.tokenizer import Tokenizer

NUM_BEAMS, LENGTH_PENALTY, LONGEST = 5, 0.7, 40  # of beam search, by default
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
class Captioner(EncoderDecoderBundle):
    """An encoder of images and a decoder with its tokenizer.

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

    @classmethod
    def of(
        cls,
        model: EncoderDecoder,
        *,
        target: Tokenizer,
        preprocessing: Preprocessing,
        generation: GenerationConfig | None = None,
        builder: Callable[..., EncoderDecoder] | None = None,
        arguments: dict[str, Any] | None = None,
    ) -> Self:
        """Return the captioner of a model.

        Args:
            model: an encoder of (batch, 3, size, size) images, and a decoder.
            target: the tokenizer of captions.
            preprocessing: what is done to an image before the model sees it.
            generation: the options that captioning starts from; by default those of beam search.
            builder: a function of one's own that makes this model of `arguments` alone, to save it: whoever loads the
                model gives that function, too.
            arguments: plain data: those of `builder`, or the options that `patterns.captioner` was given.

        Raises:
            InputError: `builder` makes another model of `arguments`.
        """
        generation = generation or search_options(target, NUM_BEAMS, LENGTH_PENALTY, LONGEST)
        parts: dict[str, Any] = {"target": target, "generation": generation, "preprocessing": preprocessing}
        return cls(model=model, arguments=arguments or {}, own_builder=builder, **parts)

    @classmethod
    def untrained(
        cls,
        *,
        target: Tokenizer,
        preprocessing: Preprocessing,
        generation: GenerationConfig | None = None,
        weights: str = "none",
        **arguments: Any,
    ) -> Self:
        """Return an untrained captioner.

        Args:
            target: as in `of`.
            preprocessing: as in `of`.
            generation: as in `of`.
            weights: pretrained weights as `load_pretrained` takes them, with which the backbone is frozen; or "none".
            **arguments: the options of `patterns.captioner`, but the size of images.

        Raises:
            InputError: the weights are not there, or belong to another network.
        """
        if weights != "none":
            arguments["frozen"] = True
        model = patterns.captioner(target.vocab_size, image_size=preprocessing.size, **arguments)
        if weights != "none":
            load_pretrained(cast("ImageEncoder", model.encoder).backbone, arguments["backbone"], weights)
        parts: dict[str, Any] = {"target": target, "generation": generation, "preprocessing": preprocessing}
        return cls.of(model, arguments=arguments, **parts)

    def rebuilt(self, **arguments: Any) -> Self:
        """Return an untrained captioner with the same other parts, those of a frozen backbone included."""
        captioner = super().rebuilt(**arguments)
        before, now = (cast("ImageEncoder", one.model.encoder) for one in (self, captioner))
        if before.frozen:
            now.backbone.load_state_dict(before.backbone.state_dict())
        return captioner

    def caption(
        self,
        images: Image | Sequence[Image | Tensor] | Views,
        *,
        prefix: str = "",
        return_attention: bool = False,
        **options: Any,
    ) -> list[Caption]:
        """Caption one image, or several; batches are made of them inside.

        Args:
            images: paths, bytes of files, PIL images, or (height, width, 3) arrays of bytes, of any size; or tensors as
                the encoder takes them, such as the features of a frozen backbone.
            prefix: beginning of every caption.
            return_attention: whether to return the attention weights of each piece.
            **options: those of `GenerationConfig`, and `minimum_bayes_risk`, a number of captions to sample of each
                image, of which those most like all the others by chrF are returned; the others are as the model's
                `generation_config.json` sets them.

        Returns:
            The captions of all images, `num_return_sequences` of each, the best first.

        Raises:
            InputError: an image cannot be read, an unknown option, or a value outside its range.
        """
        rows: Any = images if isinstance(images, list | tuple | Views) else [images]
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

    def collate(self, rows: Sequence[Image | Tensor]) -> tuple[Tensor, ...]:
        """Return the (batch, 3, size, size) pixels of images; tensors are only stacked."""
        images = [row for row in rows if not isinstance(row, Tensor)]
        if len(images) < len(rows):
            return (stacked(rows, self.preprocessing.size),)
        fitted = np.stack([self.preprocessing.fit(read_image(image)) for image in images])
        return (self.preprocessing.normalize(torch.from_numpy(fitted)),)

    def views(
        self,
        images: Captioned,
        *,
        pixels: bool = False,
        mirror: bool = False,
        skip_bad: bool = False,
        precision: Precision = "auto",
    ) -> Views:
        """Return images as the inputs of training: as pixels, or as the cached features of a frozen backbone.

        Args:
            images: with their captions.
            pixels: whether pixels are needed as well where there are features.
            mirror: whether half of the images may be mirrored.
            skip_bad: whether to leave out images that cannot be read, instead of raising an error.
            precision: of the backbone's products; "auto" takes the one that is faster on this machine.

        Raises:
            InputError: an image cannot be read.
        """
        encoder, device = cast("ImageEncoder", self.model.encoder), self.device
        flags: dict[str, Any] = {"pixels": pixels, "mirror": mirror, "skip_bad": skip_bad}
        if not encoder.frozen:
            return Views(images, self.preprocessing, device=device, **flags)
        backbone, name = encoder.backbone_alone(), f"{self.arguments.get('backbone')} {encoder.fingerprint()}"
        batch = torch.zeros(BATCH, 3, *2 * [self.preprocessing.size], device=device)
        with torch.inference_mode():
            size = self.preprocessing.size
            question = f"{self.arguments.get('backbone')} of {BATCH} images of {size} pixels a side"
            calculation, _ = fastest_calculation(question, lambda: backbone.grid(batch), device, precision)

        def network(pixels: Tensor) -> Tensor:
            with calculation.applied(device):
                return backbone.grid(pixels)

        return Views(images, self.preprocessing, network, f"{name} {calculation.precision}", device=device, **flags)

    def unfreeze_backbone(self) -> list[nn.Parameter]:
        """Unfreeze the backbone except its batch normalization, and return its weights."""
        encoder = cast("ImageEncoder", self.model.encoder)
        encoder.thaw()
        return list(encoder.backbone.parameters())

    def examples(
        self,
        captions: Sequence[Sequence[str]],
        captions_per_image: int | None = None,
        *,
        views: Views | None = None,
    ) -> Batchable[Pairs]:
        """Return captions for training: encoded once, into a cached file.

        The inputs of a batch are its images from `views`, or their (images,) numbers, which the caller replaces (see
        `Pairs.seen`), and for each caption the (captions,) place of its image in the batch.

        Args:
            captions: of each image.
            captions_per_image: maximum number of captions of an image in a batch, of similar length; by default all.
            views: the images, where they are the same in every epoch.
        """

        if not captions:
            raise InputError("captions must be those of at least one image, but there are none")

        def encoded() -> Iterator[tuple[np.ndarray]]:
            for texts in captions:
                yield from ((row,) for row in sorted(map(self.target.encode, texts), key=len))

        [rows] = stored([captions, self.parts()], encoded, [self.target.vocab_size])
        require_known("target", rows, chain.from_iterable(captions), self.target)
        longest, counts = self.generation.max_new_tokens, np.array([len(texts) for texts in captions])
        ends, together = np.cumsum(counts), captions_per_image or int(counts.max())
        groups = [
            (image, range(first, min(first + together, end)))
            for image, (end, count) in enumerate(zip(ends.tolist(), counts.tolist(), strict=True))
            for first in range(end - count, end, together)
        ]

        def collate(numbers: np.ndarray) -> Pairs:
            images, of_images = zip(*(groups[number] for number in numbers), strict=True)
            places = torch.arange(len(images)).repeat_interleave(torch.tensor([len(group) for group in of_images]))
            targets = [rows[row] for group in of_images for row in group]
            batch = pairs((torch.tensor(images), places), targets, longest)._replace(numbers=images)
            return batch if views is None else batch.seen(views.of(np.array(images)))

        # The last caption of a group is its longest, and the others are padded to its length.
        lengths = [min(int(rows.lengths[group[-1]]) + 1, longest) * len(group) for _, group in groups]
        return Batchable(np.array(lengths), collate)


def _heat(written: Written) -> Heat | None:
    """Return the attention weights over the image, without those of EOS: images are square, and so are their grids."""
    if written.weights is None:
        return None
    pieces = written.pieces[:-1] if written.ended else written.pieces
    positions = written.weights.shape[1]
    side = round(positions**0.5)
    return Heat(pieces, written.weights[: len(pieces)].reshape(len(pieces), side, positions // side))
