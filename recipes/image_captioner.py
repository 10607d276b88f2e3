"""Train a recurrent network to describe images, for 180 seconds (images of your own for 900) unless a limit is given.

With no argument it learns from drawn scenes of shapes; give it your own images with --data, a folder, and --captions.
"""

from seqgen.exits import run_main

import math
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, Literal

from torch import nn

from seqgen import patterns
from seqgen.batches.pairs import Pairs
from seqgen.data.captioned import Captioned
from seqgen.data.catalog import captioned_images
from seqgen.data.examples import write_images
from seqgen.data.pictures import suitable_preprocessing
from seqgen.data.text_file import TextOptions
from seqgen.errors import InputError
from seqgen.figures.captions import write_page
from seqgen.figures.section import Section
from seqgen.inference.captioner import Captioner
from seqgen.metrics.captions import caption_scores, plain
from seqgen.nn.backbones import LITE0, SMALL, expected_input
from seqgen.runs.config import PictureConfig, SearchConfig, parse_options
from seqgen.runs.evaluation import best_model, mean_loss, shared_out
from seqgen.runs.initial_model import initial_model
from seqgen.runs.run import Run
from seqgen.runs.sizes import CAPTIONER
from seqgen.runs.training import Training
from seqgen.text.tokenizer import fit_tokenizer
from seqgen.training.losses import Loss, LossFunction, target_tokens
from seqgen.training.optimizers import Group
from seqgen.training.self_critical import cider_loss

SCENES: dict[str, Any] = {"memory_size": 128, "hidden_size": 128, "layers": 2, "embedding_size": 64, "dropout": 0.0}
SCENES |= {"captions_per_image": 4, "batch_tokens": 1000, "backbone": SMALL, "self_critical": 0.0}


@dataclass(kw_only=True)
class Config(SearchConfig, PictureConfig, TextOptions):
    """Options of the captioner."""

    recipe = "image_captioner"
    builder = patterns.captioner
    sizes = CAPTIONER
    presets: ClassVar = {"scenes": SCENES}

    data: str = "scenes"
    """a folder of images, or scenes"""
    captions: str | None = None
    """their captions: columns image, caption and optionally split, Flickr8k's token file, or COCO's JSON"""
    valid_captions: str | None = None
    """captions of images in --data to validate on; by default held back"""
    test_captions: str | None = None
    """captions of images in --data to test on; by default held back"""
    strays: Literal["skip", "error"] = "skip"
    """skip captions without an image, and images without captions, or raise an error"""
    backbone: str = LITE0
    """small, efficientnet_lite0 to efficientnet_lite2, or a torchvision model; for scenes small"""
    weights: str | None = None
    """pretrained weights of the backbone: default or another torchvision name, a file, or none, as for small"""
    fine_tune: float = 0.0
    """fraction of training, at its end, in which a pretrained backbone is unfrozen"""
    fine_tune_rate: float = 0.0001
    """maximum learning rate of the backbone"""
    plain_captions: bool = True
    """train on captions in lower case without punctuation"""
    tokenizer: Literal["word", "lowercase-word", "subword", "bpe", "char"] = "lowercase-word"
    """kind of tokens"""
    vocab_size: int = 3000
    """maximum size of the vocabulary"""
    max_length: int = 40
    """maximum number of tokens of a caption; longer ones are cut"""
    length_penalty: float = 0.7
    """exponent of the length by which scores are divided: above 0 favours long captions"""
    doubly_stochastic: float = 0.0
    """weight of the penalty drawing each position's total attention to one"""
    self_critical: float = 0.3
    """fraction of training, at its end, on the CIDEr-D of sampled captions, too; for scenes 0"""
    self_critical_rate: float = 0.1
    """factor of the learning rate with which that part begins, from which it decays"""
    captions_per_image: int = 1
    """maximum number of captions of an image in a batch; for scenes 4"""
    batch_tokens: int = 2000
    """tokens of a batch, padding included; for scenes 1,000"""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_above_zero("fine_tune_rate")
        self.require_fraction("fine_tune", "self_critical", "self_critical_rate")
        self.weights = self.weights or ("none" if self.backbone == SMALL else "default")
        if self.weights == "none" and self.fine_tune:
            raise InputError("--fine_tune must be 0 without pretrained --weights, where the backbone is never frozen")

    def learned(self, images: Captioned) -> list[list[str]]:
        """Return the captions of each image for training."""
        normal = plain if self.plain_captions else lambda text: " ".join(text.split())
        return [[normal(text) for text in texts] for texts in images.captions]


def untrained(config: Config, train: Captioned) -> Captioner:
    """Return an untrained captioner, with a pretrained backbone where there are weights."""
    expected = expected_input(config.backbone, str(config.weights))
    learned = (text + "\n" for texts in config.learned(train) for text in texts)
    target = fit_tokenizer(config.tokenizer, learned, config.vocab_size)
    parts: dict[str, Any] = {"target": target, "generation": config.search(target, config.max_length)}
    parts["preprocessing"] = suitable_preprocessing(train.images, expected, config.image_size)
    return Captioner.untrained(**parts, backbone=config.backbone, weights=str(config.weights), **config.model)


def metrics(texts: list[str], images: Captioned) -> dict[str, float]:
    """Return the metrics of generated captions, for scenes also the fraction of captions that are true."""
    further = {"distinct_captions": len(set(texts))} | images.known_truth(list(map(plain, texts)))
    return caption_scores(texts, images.captions) | further


def main() -> None:
    """Train a captioner, keep the one with the best CIDEr-D, and test it."""
    config = parse_options(Config)
    run = Run(config, default_seconds=180 if config.data == "scenes" else 900)
    run.alone("fine_tune", "doubly_stochastic")
    run.schedule = replace(run.schedule, last_part=config.self_critical, last_rate=config.self_critical_rate)
    files = config.captions, config.valid_captions, config.test_captions
    splits = captioned_images(config.data, *files, strays=config.strays, encoding=config.encoding, seed=run.split_seed)
    known = initial_model(run, map("\n".join, config.learned(splits.train)))
    captioner = (known or untrained(config, splits.train)).to(run.device)
    flags: dict[str, Any] = {"mirror": config.mirror, "skip_bad": config.skip_bad, "pixels": config.fine_tune > 0}
    views, valid = (captioner.views(part, precision=config.precision, **flags) for part in (splits.train, splits.valid))
    learned = config.learned(views.images)
    words: LossFunction = partial(target_tokens, doubly_stochastic=config.doubly_stochastic, **config.teaching)
    examples = captioner.examples(learned, config.captions_per_image)
    whole_captions = cider_loss(captioner.generation, captioner.target, learned, words)

    def loss(model: nn.Module, batch: Pairs, carry: Any) -> Loss:
        inputs = views.of(batch.numbers, pixels=run.done > 1 - config.fine_tune, seed=config.seed)
        function = whole_captions if run.done > 1 - config.self_critical else words
        return function(model, batch.seen(inputs), carry)

    config, captioner = run.resized(config, captioner, examples, loss)
    unseen = run.batches(captioner.examples(config.learned(valid.images), views=valid), config.batch_tokens)
    run.describe(f"images of {captioner.preprocessing.size} pixels a side: {splits.sizes}", captioner)
    late = captioner.unfreeze_backbone() if config.fine_tune else []
    groups = [Group(late, 1.0, 1 - config.fine_tune, config.fine_tune_rate)]
    with Training(run, captioner, splits.fingerprint, groups=groups) as training:
        for step in training.steps(run.batches(examples, config.batch_tokens), loss):
            if training.due(step):
                val_loss = mean_loss(run, training.averaged.model, unseen.once(), run.in_precision(target_tokens))
                texts = [one.text for one in shared_out(run, training.averaged.caption, valid, num_beams=1)]
                seen = {f"val_{name}": figure for name, figure in metrics(texts, valid.images).items()}
                training.evaluated(step, val_loss, error=-seen["val_cider"], val_perplexity=math.exp(val_loss), **seen)
                run.say("\n".join(map("  {}: {}".format, valid.images.names[:3], texts)))
                if seen["val_distinct_captions"] == 1:
                    run.say("  all captions are the same: the model does not use the images yet")
    best = best_model(training)
    test(training, best, splits.test, mean_loss(run, best.model, unseen.once(), target_tokens))


def test(training: Training[Captioner], best: Captioner, tested: Captioned, val_loss: float) -> None:
    """Test the best captioner, show captions and attention weights, and print the command to use it."""
    run, began = training.run, time.perf_counter()
    texts = [one.text for one in shared_out(run, best.caption, tested.images)]
    speed = len(tested) / (time.perf_counter() - began)
    if not run.main:
        return
    figures = {f"test_{name}": figure for name, figure in metrics(texts, tested).items()}
    samples = "\n".join(f"  {name}: {text}" for name, text in zip(tested.names[:5], texts[:5], strict=True))
    shown = write_page(run.directory / "captions.html", best, tested.chosen(range(min(30, len(tested)))))
    training.results(Section("Captions", samples, shown), val_loss=val_loss, test_images_per_second=speed, **figures)
    listed = ", ".join(f"{name[5:].replace('_', ' ')} {figure:.2f}" for name, figure in figures.items())
    print(f"{samples}\n\n--- test {listed}; {speed:.0f} images/s")
    run.show_use("to caption an image", "caption", write_images(run.directory, tested.images))


if __name__ == "__main__":
    run_main(main)
