"""Train a convolutional network to tell images apart, for 60 seconds unless a limit is given.

With no argument it learns to name the colour and the kind of shapes that are drawn on the spot. Give it images of your
own with --data, a folder for each class, or name a set of torchvision's such as FashionMNIST.
"""

import hashlib
import shlex
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch.nn import functional

from seqgen import patterns
from seqgen.batches.buckets import Buckets
from seqgen.batches.examples import ExampleBatches, Examples
from seqgen.data.images import Preprocessing
from seqgen.data.labelled import Labelled, Splits, split_labelled
from seqgen.data.pictures import find_pictures, fitted, usual_size, varied
from seqgen.data.sets.torchvision_sets import SETS
from seqgen.errors import InputError, run_main
from seqgen.inference.classifiers import ImageClassifier
from seqgen.metrics.classification import Answered, majority_accuracy
from seqgen.nn.backbones import expected_input, load_pretrained
from seqgen.nn.image_encoder import ImageEncoder
from seqgen.runs.config import parse_options
from seqgen.runs.labelling import LabelConfig, Task, report, train_answers
from seqgen.runs.run import Run
from seqgen.training.optimizers import optimizers


@dataclass(kw_only=True)
class Config(LabelConfig):
    """Options of the image classifier."""

    data: str = "shapes"
    """a folder of images for each class, FashionMNIST, MNIST, KMNIST, CIFAR10, CIFAR100, or shapes"""
    skip_bad: bool = False
    """leave out images that cannot be read, instead of stopping"""
    backbone: str = "small"
    """small, efficientnet_lite0, or a convolutional network of torchvision's by name, such as resnet18"""
    weights: str = "none"
    """that the backbone begins with: none, default or another name of torchvision's, or a file"""
    frozen: bool = False
    """keep the backbone's weights as they are"""
    image_size: int | None = None
    """pixels a side; by default as its weights ask for, or as most images have, but at most 64"""
    mirror: bool = False
    """show images also mirrored while training"""
    shift: int = 4
    """pixels by which images are moved at random while training"""
    dropout: float = 0.2
    """share of features dropped of what the class is told from"""
    batch_size: int = 64
    """images of a batch"""
    optimizer: Literal["muon", "adamw"] = "adamw"
    """muon is for recurrent layers, of which there are none here"""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_above_zero("batch_size", "image_size")
        self.require_share("dropout")
        if self.shift < 0:
            raise InputError(f"--shift must be at least 0, not {self.shift}")


def read(config: Config) -> tuple[Splits, Preprocessing]:
    """Return what is trained, validated and tested on, all brought to one size, and how."""
    pictures = find_pictures(config.data)
    expected = expected_input(config.backbone, config.weights)
    preprocessing = Preprocessing(**expected) if expected else Preprocessing(usual_size(pictures.inputs))
    preprocessing = preprocessing._replace(size=config.image_size or preprocessing.size)
    test = config.data if config.data in SETS and config.test is None else config.test
    others = [find_pictures(name, train=False) if name else None for name in (config.valid, test)]
    data, valid, tested = (
        None if some is None else fitted(some, preprocessing, skip_bad=config.skip_bad) for some in (pictures, *others)
    )
    assert data is not None
    return split_labelled(data, valid, tested, config.seed, group=data.where.__getitem__), preprocessing


def batches(
    classifier: ImageClassifier, images: Labelled, config: Config, *, rank: int = 0, world_size: int = 1, vary: bool
) -> ExampleBatches[Examples]:
    """Return batches of images, varied at random where asked for."""
    targets = images.targets(classifier.classes)

    def collate(numbers: np.ndarray) -> Examples:
        pixels = torch.from_numpy(np.stack([images.inputs[number] for number in numbers]))
        pixels = varied(pixels, mirror=config.mirror, shift=config.shift) if vary else pixels
        return Examples((classifier.preprocessing.normalize(pixels),), torch.from_numpy(targets[numbers]))

    each = np.ones(len(images), dtype=np.int64)
    return ExampleBatches(Buckets(each, config.batch_size, seed=config.seed, rank=rank, world_size=world_size), collate)


def pixel_accuracy(splits: Splits) -> float:
    """Return the test accuracy of a logistic regression on 8 x 8 pixels, to see what the network is worth."""

    def small(images: Labelled) -> np.ndarray:
        pixels = torch.from_numpy(np.stack(images.inputs)).permute(0, 3, 1, 2).float() / 255
        return functional.adaptive_avg_pool2d(pixels, 8).flatten(1).numpy()

    train = splits.train.chosen(range(0, len(splits.train), max(len(splits.train) // 10_000, 1)))
    baseline = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500))
    baseline.fit(small(train), train.labels)
    return float(baseline.score(small(splits.test), splits.test.labels))


def main() -> None:
    """Train, and show how good it is."""
    config = parse_options(Config, __doc__ or "")
    run = Run(config, "image_classifier", default_seconds=60, unit="examples")

    splits, preprocessing = read(config)
    arguments: dict[str, Any] = {"backbone": config.backbone, "frozen": config.frozen, "dropout": config.dropout}
    model = patterns.image_classifier(len(splits.classes), **arguments)
    if config.weights != "none":
        load_pretrained(cast("ImageEncoder", model.encoder).backbone, config.backbone, config.weights)
    trained = ImageClassifier(model.to(run.device), arguments, splits.classes, preprocessing)
    task = Task(
        batches(trained, splits.train, config, rank=run.rank, world_size=run.world_size, vary=True),
        batches(trained, splits.valid, config, vary=False),
        splits.classes,
        splits.train.targets(splits.classes),
        len(splits.train),
        hashlib.sha256(repr((splits.train.where, splits.train.labels)).encode()).hexdigest(),
    )
    run.say(
        f"{config.data}: {len(splits.train):,} images of {len(splits.classes)} classes to train on, "
        f"{len(splits.valid):,} to validate on, {len(splits.test):,} to test on, {preprocessing.size} pixels a side; "
        f"{run.device} in {run.precision}; the run is in {run.directory}"
    )
    trainers = optimizers(
        trained.model, config.optimizer, config.learning_rate, adamw_learning_rate=config.adamw_learning_rate
    )
    train_answers(config, run, trained, trainers, task)
    if run.main:
        test(run, task, splits)


def test(run: Run, task: Task, splits: Splits) -> None:
    """Measure the best model as it was saved, beside simpler ways, and say how to use it."""
    best = ImageClassifier.from_pretrained(run.model_directory).to(run.device)
    targets = splits.test.targets(splits.classes)
    answered = Answered(np.log(best.probabilities(splits.test.inputs).clip(1e-30)), targets, splits.classes)
    baselines = {"majority": majority_accuracy(task.train_targets, targets), "baseline": pixel_accuracy(splits)}
    report(run, task, best.model, answered, baselines, splits.test.where.__getitem__)
    print(f"--- everything is in {run.directory}; to classify images of your own:\n")
    print(shlex.join(["seqgen", "classify", str(run.directory), "picture.jpg"]))


if __name__ == "__main__":
    run_main(main)
