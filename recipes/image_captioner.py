"""Train a recurrent network to describe images, for 180 seconds (images of your own for 900) unless a limit is given.

With no argument it learns to describe scenes of coloured shapes that are drawn on the spot. Give it photographs of
your own with --data, their folder, and --captions, a file of what people said about them.
"""

import hashlib
import json
import shlex
import time
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, cast

import numpy as np
import torch

from seqgen import patterns
from seqgen.batches.buckets import Buckets
from seqgen.batches.examples import ExampleBatches
from seqgen.batches.pairs import Pairs, pairs
from seqgen.data.captioned import Captioned, CaptionSplits, read_captioned, split_captioned
from seqgen.data.images import Preprocessing
from seqgen.data.pictures import usual_size
from seqgen.data.sets.scenes import SCENES, Scenes, scenes
from seqgen.data.views import Views
from seqgen.errors import InputError, run_main
from seqgen.figures.captions import write_page
from seqgen.files import write_text
from seqgen.inference.captioner import Captioner
from seqgen.inference.encoder_decoder import searching
from seqgen.metrics.captions import caption_scores, plain
from seqgen.models import EncoderDecoder
from seqgen.nn.backbones import LITE0, SMALL, expected_input, load_pretrained
from seqgen.nn.image_encoder import ImageEncoder
from seqgen.runs.config import parse_options
from seqgen.runs.run import Run
from seqgen.runs.sequences import LastPart, SequenceConfig, Written, train_sequences
from seqgen.text.tokenizer import fit_tokenizer
from seqgen.training.losses import LossFunction, evaluate, target_tokens
from seqgen.training.optimizers import Group, optimizers
from seqgen.training.self_critical import cider_loss

WRITING = ("cell", "hidden_size", "layers", "embedding_size")  # options of the model
LOOKING = ("memory_size", "attention", "heads", "gated", "input_feeding", "dropout")
TEACHING = ("label_smoothing", "scheduled_sampling", "doubly_stochastic")  # with teacher forcing
USUAL: dict[str, tuple[Any, Any]] = {  # for photographs, and for scenes
    "memory_size": (384, 128),
    "hidden_size": (384, 128),
    "embedding_size": (256, 64),
    "dropout": (0.3, 0.0),
    "captions_per_image": (1, 4),
    "batch_tokens": (2000, 1000),
    "backbone": (LITE0, SMALL),
    "self_critical": (0.1, 0.0),
}
SHOWN = 30  # pictures of the page


@dataclass(kw_only=True)
class Config(SequenceConfig):
    """Options of the captioner."""

    data: str = SCENES
    """a folder of images, or scenes"""
    captions: str | None = None
    """what was said about them: a .csv or .tsv (image, caption, maybe split), Flickr8k's token file, or COCO's JSON"""
    valid_captions: str | None = None
    """of images in --data to validate on; by default held back"""
    test_captions: str | None = None
    """of images in --data to test on; by default held back"""
    strays: Literal["skip", "error"] = "skip"
    """what to do about captions without their image, and images without captions"""
    skip_bad: bool = False
    """leave out images that cannot be read, instead of stopping"""
    backbone: str | None = None
    """small, efficientnet_lite0, or a network of torchvision's; by default efficientnet_lite0, for scenes small"""
    weights: str | None = None
    """that the backbone begins with: default or another name of torchvision's, a file, or none, as for small"""
    fine_tune: float = 0.0
    """share of the training, at its end, in which a backbone that began with weights is trained, too"""
    fine_tune_rate: float = 0.0001
    """its highest learning rate"""
    image_size: int | None = None
    """pixels a side; by default as its weights ask for, or as most images have, but at most 64"""
    mirror: bool = False
    """show images also mirrored while training"""
    plain_captions: bool = True
    """learn captions in lower case without punctuation"""
    tokenizer: Literal["word", "lowercase-word", "subword", "bpe", "char"] = "lowercase-word"
    """what a token is"""
    vocab_size: int = 3000
    """the most tokens"""
    max_length: int = 40
    """the most tokens of a caption; longer ones are cut"""
    memory_size: int | None = None
    """features of a place that attention looks at; by default 384, for scenes 128"""
    hidden_size: int | None = None
    """features of the decoder's hidden state; by default 384, for scenes 128"""
    embedding_size: int | None = None
    """features of a token's embedding; by default 256, for scenes 64"""
    dropout: float | None = None
    """share of features dropped; by default 0.3, for scenes 0"""
    length_penalty: float = 0.7
    """in the search: above 0 favours long texts"""
    gated: bool = False
    """whether the decoder also says how much of what attention finds matters"""
    doubly_stochastic: float = 0.0
    """how much it costs where a place is not looked at once in all, over the words of a caption"""
    self_critical: float | None = None
    """share of the training, at its end, on CIDEr instead of single words; by default 0.1, for scenes 0"""
    captions_per_image: int | None = None
    """captions of an image that are learned together, in one batch; by default 1, for scenes 4"""
    batch_tokens: int | None = None
    """tokens of a batch, padding included; by default 2,000, for scenes 1,000"""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_above_zero("image_size", "vocab_size", "max_length", "memory_size", "hidden_size")
        self.require_above_zero("embedding_size", "captions_per_image", "batch_tokens", "fine_tune_rate")
        self.require_share("fine_tune", "dropout", "self_critical")
        small = self.data == SCENES
        for name, values in USUAL.items():
            if getattr(self, name) is None:
                setattr(self, name, values[small])
        self.weights = self.weights or ("none" if self.backbone == SMALL else "default")
        if small != (self.captions is None):
            raise InputError("--captions must come with --data, a folder of images, and that with --captions")
        if self.weights == "none" and self.fine_tune:
            raise InputError("--fine_tune must be 0 where the backbone has no --weights and is trained from the start")

    def learned(self, caption: str) -> str:
        """Return a caption as it is learned."""
        return plain(caption) if self.plain_captions else " ".join(caption.split())


def read(config: Config) -> CaptionSplits:
    """Return what is trained, validated and tested on."""
    if config.captions is None:
        return CaptionSplits(*(scenes(part, config.seed) for part in ("train", "valid", "test")))
    files = {"train": config.captions, "valid": config.valid_captions, "test": config.test_captions}
    return split_captioned(read_captioned(config.data, files, strays=config.strays), config.seed)


def judged(said: list[str], images: Captioned) -> dict[str, float]:
    """Return how good captions of images are, and of drawn scenes how many of them are true."""
    figures = caption_scores(said, images.captions) | {"distinct_captions": len(set(said))}
    return figures | (
        {"true_captions": images.true_share(list(map(plain, said)))} if isinstance(images, Scenes) else {}
    )


def untrained(config: Config, train: Captioned) -> Captioner:
    """Return a captioner that has learned nothing but, maybe, to see."""
    backbone, weights = str(config.backbone), str(config.weights)
    expected = expected_input(backbone, weights)
    preprocessing = Preprocessing(**expected) if expected else Preprocessing(usual_size(train.images))
    preprocessing = preprocessing._replace(size=config.image_size or preprocessing.size)
    texts = (config.learned(text) + "\n" for texts in train.captions for text in texts)
    tokenizer = fit_tokenizer(config.tokenizer, texts, config.vocab_size)
    arguments: dict[str, Any] = {name: getattr(config, name) for name in (*WRITING, *LOOKING)}
    arguments |= {"backbone": backbone, "image_size": preprocessing.size, "frozen": weights != "none"}
    model = patterns.captioner(tokenizer.vocab_size, **arguments)
    if weights != "none":
        load_pretrained(cast("ImageEncoder", model.encoder).backbone, backbone, weights)
    generation = searching(tokenizer, config.num_beams, config.length_penalty, config.max_length)
    return Captioner(model, arguments, tokenizer, generation, preprocessing)


def look(run: Run, config: Config, captioner: Captioner, images: Captioned, *, train: bool = False) -> Views:
    """Return what the model is given of images: what a frozen backbone finds in them is found once for all."""
    encoder = cast("ImageEncoder", cast("EncoderDecoder", captioner.model).encoder)
    network = encoder.backbone_alone() if encoder.frozen else None
    with run.accelerator.autocast():
        return Views(
            images,
            captioner.preprocessing,
            network.grid if network else None,
            f"{config.backbone} {encoder.fingerprint()} {run.precision}",
            pixels=train and config.fine_tune > 0,
            mirror=train and config.mirror,
            skip_bad=config.skip_bad,
            device=run.device,
        )


def batches(
    run: Run, config: Config, captioner: Captioner, views: Views, *, train: bool = False
) -> ExampleBatches[Pairs]:
    """Return batches of images, each with some of its captions, which are of like length."""
    # Where nothing is learned, an image is looked at once for all of its captions.
    together = (config.captions_per_image or 1) if train else max(map(len, views.images.captions))
    groups: list[tuple[int, list[np.ndarray]]] = []
    for number, texts in enumerate(views.images.captions):
        rows = sorted((captioner.target.encode(config.learned(text)) for text in texts), key=len)
        groups += [(number, rows[begin : begin + together]) for begin in range(0, len(rows), together)]

    def collate(numbers: np.ndarray) -> Pairs:
        images = [groups[number][0] for number in numbers]
        rows = [row for number in numbers for row in groups[number][1]]
        counts = torch.tensor([len(groups[number][1]) for number in numbers])
        seen = views.of(np.array(images), pixels=train and run.in_last(config.fine_tune), vary=train)
        batch = pairs((seen, torch.arange(len(images)).repeat_interleave(counts)), rows, config.max_length)
        return batch._replace(numbers=tuple(images))

    lengths = np.array([min(max(map(len, rows)) + 1, config.max_length) * len(rows) for _, rows in groups])
    ranks = {"rank": run.rank, "world_size": run.world_size} if train else {}
    return ExampleBatches(Buckets(lengths, config.batch_tokens or 1, seed=config.seed, **ranks), collate)


def main() -> None:
    """Train, and show how good it is."""
    config = parse_options(Config, __doc__ or "")
    run = Run(config, "image_captioner", default_seconds=180 if config.data == SCENES else 900)
    for name in ("fine_tune", "doubly_stochastic"):
        if run.world_size > 1 and getattr(config, name):
            raise InputError(f"--{name} must be with one process, but there are {run.world_size}")

    data = read(config)
    captioner = untrained(config, data.train).to(run.device)
    train_views = look(run, config, captioner, data.train, train=True)
    valid_views = look(run, config, captioner, data.valid)
    run.say(
        f"{config.data}: {len(train_views):,} images to train on, {len(valid_views):,} to validate on, "
        f"{len(data.test):,} to test on, {captioner.preprocessing.size} pixels a side; "
        f"{captioner.target.vocab_size:,} different tokens; {config.backbone} on {run.device} in {run.precision}; "
        f"the run is in {run.directory}"
    )
    train(config, run, captioner, train_views, valid_views)
    if run.main:
        test(run, data.test, batches(run, config, captioner, valid_views))


def train(config: Config, run: Run, captioner: Captioner, views: Views, valid_views: Views) -> None:
    """Train until the schedule or patience ends; the model with the best CIDEr is saved on the way."""
    model = cast("EncoderDecoder", captioner.model)
    encoder, groups = cast("ImageEncoder", model.encoder), []
    if config.fine_tune:
        encoder.thaw()
        seeing = list(encoder.backbone.parameters())
        groups = [Group(seeing, begins=1 - config.fine_tune, learning_rate=config.fine_tune_rate)]
    trainers = optimizers(
        model, config.optimizer, config.learning_rate, adamw_learning_rate=config.adamw_learning_rate, groups=groups
    )
    identity = hashlib.sha256(repr((views.images.names, views.images.captions)).encode()).hexdigest()

    def write() -> Written:
        """Caption what is validated on, never with teacher forcing."""
        numbers = np.array_split(np.arange(len(valid_views)), len(valid_views) // 64 + 1)
        said = [one.text for some in numbers for one in captioner.caption_seen(valid_views.of(some), num_beams=1)]
        figures = {f"val_{name}": figure for name, figure in judged(said, valid_views.images).items()}
        if figures["val_distinct_captions"] == 1:
            run.say("  all captions are the same: the model does not look at the images yet")
        shown = [f"{name}: {text}" for name, text in zip(valid_views.images.names[:3], said[:3], strict=True)]
        return Written(figures["val_cider"], figures, shown)

    single: LossFunction = partial(target_tokens, **{name: getattr(config, name) for name in TEACHING})
    train_batches, valid = (batches(run, config, captioner, part, train=part is views) for part in (views, valid_views))
    learned = [[config.learned(text) for text in texts] for texts in views.images.captions]
    last = (
        LastPart(config.self_critical, cider_loss(captioner.generation, captioner.target, learned))
        if config.self_critical
        else None
    )
    train_sequences(config, run, captioner, trainers, train_batches, valid, identity, write, single, last)


def test(run: Run, tested: Captioned, valid: ExampleBatches[Pairs]) -> None:
    """Measure the best model as it was saved, show what it says and where it looks, and say how to use it."""
    captioner = Captioner.from_pretrained(run.model_directory).to(run.device)
    began = time.perf_counter()
    said = [one.text for one in captioner.caption(tested.images)]
    seconds = time.perf_counter() - began
    figures = judged(said, tested)
    results = {
        **{f"test_{name}": figure for name, figure in figures.items() if name != "distinct_captions"},
        "distinct_captions": figures["distinct_captions"],
        "test_images_per_second": len(tested) / seconds,
        "val_loss": evaluate(captioner.model, valid.once(), target_tokens),
        "steps": run.progress.steps,
        "seconds": run.progress.seconds,
        "tokens_per_second": run.progress.tokens / max(run.progress.training_seconds, 1e-9),
        "parameters": sum(parameter.numel() for parameter in captioner.model.parameters()),
        "precision": run.precision,
        "seed": run.config.seed,
    }
    write_text(run.directory / "results.json", json.dumps(results, indent=2) + "\n")
    write_page(run.directory / "captions.html", captioner, tested.chosen(range(min(SHOWN, len(tested)))))
    for name, text in list(zip(tested.names, said, strict=True))[:5]:
        print(f"  {name}: {text}")
    true = f", true {figures['true_captions']:.2%}" if "true_captions" in figures else ""
    print(f"\n--- test BLEU-4 {figures['bleu4']:.2f}, CIDEr-D {figures['cider']:.2f}{true}", end="")
    print(f", {figures['distinct_captions']:,} different captions, {results['test_images_per_second']:.0f} images/s")
    print(f"--- everything is in {run.directory}, captions.html first; to caption images of your own:\n")
    print(shlex.join(["seqgen", "caption", str(run.directory), "photo.jpg"]))


if __name__ == "__main__":
    run_main(main)
