"""A captioner in use: images in, captions out, with the attention weights over each image."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Self, cast

import numpy as np
import torch
from torch import Tensor, nn

from seqgen import patterns
from seqgen.batches.examples import Batchable
from seqgen.batches.pairs import Pairs, pairs
from seqgen.data.captioned import Captioned
from seqgen.data.features import BATCH, Views, stacked
from seqgen.data.images import Image, Preprocessing
from seqgen.data.store import stored
from seqgen.errors import InputError
from seqgen.generation.config import GenerationConfig
from seqgen.hardware.precision import Precision, fastest_calculation
from seqgen.inference.encoder_decoder import EncoderDecoderBundle
from seqgen.inference.known_tokens import require_known
from seqgen.models import EncoderDecoder
from seqgen.nn.backbones import load_pretrained
from seqgen.nn.image_encoder import ImageEncoder
from seqgen.tasks.captioner import Caption, CaptionerTask
from seqgen.tasks.encoder_decoder import search_options
from seqgen.text.tokenizer import Tokenizer

NUM_BEAMS, LENGTH_PENALTY, LONGEST = 5, 0.7, 40  # of beam search, by default


@dataclass(kw_only=True)
class Captioner(CaptionerTask, EncoderDecoderBundle):
    """An encoder of images and a decoder with its tokenizer.

    Args:
        target: the tokenizer of captions.
        generation: the options that captioning starts from.
        preprocessing: what is done to an image before the model sees it.
    """

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
                `generation_config.json` sets them. And `logits_processor` and `streamer`, as `write` takes them.

        Returns:
            The captions of all images, `num_return_sequences` of each, the best first.

        Raises:
            InputError: an image cannot be read, an unknown option, or a value outside its range.
        """
        rows: Any = [images] if isinstance(images, Tensor) else images
        return super().caption(rows, prefix=prefix, return_attention=return_attention, **options)

    def collate(self, rows: Sequence[Image | Tensor]) -> tuple[Tensor, ...]:
        """Return the (batch, 3, size, size) pixels of images; tensors are only stacked."""
        if any(isinstance(row, Tensor) for row in rows):
            return (stacked(rows, self.preprocessing.size),)
        return super().collate(rows)

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
        self.require_single("views")
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
        self.require_single("a backbone that is trained")
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
