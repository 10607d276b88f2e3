"""Train a convolutional network to classify images, for 60 seconds unless a limit is given.

With no argument it learns to classify generated shapes by colour and kind. Give it images of your own with --data, a
folder for each class, or the name of a torchvision set such as FashionMNIST.
"""

from seqgen.exits import run_main

from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, cast

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch.nn import functional

from seqgen import patterns
from seqgen.batches.examples import Batchable, Examples
from seqgen.data.catalog import find_pictures
from seqgen.data.examples import write_images
from seqgen.data.images import Preprocessing
from seqgen.data.labelled import Labelled
from seqgen.data.pictures import fitted, suitable_preprocessing, varied
from seqgen.data.sets.torchvision_sets import SETS
from seqgen.data.splits import LabelledSplits, split_labelled
from seqgen.inference.classifiers import ImageClassifier
from seqgen.metrics.classification import Answered, majority_accuracy
from seqgen.nn.backbones import expected_input, load_pretrained
from seqgen.nn.image_encoder import ImageEncoder
from seqgen.runs.answers import report_answers, show_classified
from seqgen.runs.config import LabelConfig, PictureConfig, RunConfig, parse_options
from seqgen.runs.evaluation import best_model, shared_answers, shared_out
from seqgen.runs.initial_model import initial_model
from seqgen.runs.run import Run
from seqgen.runs.sizes import IMAGE_CLASSIFIER
from seqgen.runs.training import Training
from seqgen.training.answers import class_weights
from seqgen.training.losses import right_answer


@dataclass(kw_only=True)
class Config(LabelConfig, PictureConfig):
    """Options of the image classifier."""

    recipe = "image_classifier"
    builder = patterns.image_classifier
    sizes = IMAGE_CLASSIFIER

    data: str = "shapes"
    """a folder of images for each class, FashionMNIST, MNIST, KMNIST, CIFAR10, CIFAR100, or shapes"""
    weights: str = "none"
    """pretrained weights of the backbone: none, default or another torchvision name, or a file"""
    shift: int = 4
    """maximum number of pixels by which training images are shifted at random"""
    batch_size: int = 64
    """images of a batch"""
    optimizer: Literal["muon", "adamw"] = "adamw"
    """muon is for recurrent layers, which this model does not have"""
    learning_rate: float | None = 0.004
    """maximum learning rate"""

    from_zero = RunConfig.from_zero | {"shift"}


def read(run: Run, config: Config) -> tuple[LabelledSplits, Preprocessing]:
    """Return the images for training, validation and test, resized to one size, and their preprocessing."""
    pictures, backbone = find_pictures(config.data), config.model["backbone"]
    expected = expected_input(backbone, config.weights)
    own = run.initial.preprocessing if run.initial else None
    preprocessing = own or suitable_preprocessing(pictures.inputs, expected, config.image_size)
    data = fitted(pictures, preprocessing, skip_bad=config.skip_bad)
    of_set = config.data if config.data in SETS else None
    held_back = [
        fitted(find_pictures(name, train=False), preprocessing, skip_bad=config.skip_bad) if name else None
        for name in (config.valid, config.test or of_set)
    ]
    return split_labelled(data, held_back[0], held_back[1], run.split_seed, groups=data.where), preprocessing


def batchable(classifier: ImageClassifier, images: Labelled, config: Config, *, vary: bool) -> Batchable[Examples]:
    """Return images to make batches of, whose random variations depend on the images in a batch only."""
    targets = images.targets(classifier.classes)

    def collate(numbers: np.ndarray) -> Examples:
        pixels = torch.from_numpy(np.stack([images.inputs[number] for number in numbers]))
        if vary:
            random = np.random.default_rng([config.seed, *numbers.tolist()])
            pixels = varied(pixels, random, mirror=config.mirror, shift=config.shift)
        return Examples(
            (torch.from_numpy(classifier.preprocessing.normalize(pixels.numpy())),), torch.from_numpy(targets[numbers])
        )

    return Batchable(np.ones(len(images), dtype=np.int64), collate)


def main() -> None:
    """Train a network, keep the most accurate one, and test it."""
    config = parse_options(Config)
    run = Run(config, default_seconds=60, unit="examples")
    splits, preprocessing = read(run, config)
    per_class = class_weights(config.class_weights, splits.frequencies, run.device)
    loss = partial(right_answer, label_smoothing=config.label_smoothing, class_weights=per_class)
    parts: dict[str, Any] = {"classes": splits.classes, "preprocessing": preprocessing}
    network = initial_model(run, splits) or ImageClassifier.untrained(**parts, **config.model)
    varying = batchable(network, splits.train, config, vary=True)
    config, network = run.resized(config, network, varying, loss, "batch_size")
    if config.weights != "none":
        load_pretrained(cast("ImageEncoder", network.model.encoder).backbone, config.model["backbone"], config.weights)
    images = run.batches(varying, config.batch_size)
    unvaried = run.batches(batchable(network, splits.valid, config, vary=False), config.batch_size)
    about = f"{preprocessing.size} pixels a side, {len(splits.classes)} classes"
    run.describe(f"images of {about}: {splits.sizes}", network)
    with Training(run, network, splits.fingerprint) as training:
        for step in training.steps(images, loss):
            if training.due(step):
                show_classified(training, splits.valid.inputs, splits.valid.labels, splits.valid.where)
                named = shared_answers(run, training.averaged.model, unvaried.once(), splits.classes)
                training.evaluated(step, named.loss, error=1 - named.accuracy, val_accuracy=named.accuracy)
    network = best_model(training)
    val_loss = shared_answers(run, network.model, unvaried.once(), splits.classes).loss
    probabilities = np.array(shared_out(run, network.probabilities, splits.test.inputs))
    if run.main:
        test(training, probabilities, splits, val_loss)


def test(
    training: Training[ImageClassifier], probabilities: np.ndarray, splits: LabelledSplits, val_loss: float
) -> None:
    """Test the (images, classes) probabilities and a logistic regression on 8 x 8 pixels, and print how to use it."""

    def small(images: Labelled) -> np.ndarray:
        pixels = torch.from_numpy(np.stack(images.inputs)).permute(0, 3, 1, 2).float() / 255
        return functional.adaptive_avg_pool2d(pixels, 8).flatten(1).numpy()

    some = splits.train.chosen(range(0, len(splits.train), max(len(splits.train) // 10_000, 1)))
    judge = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500)).fit(small(some), some.labels)
    accuracy = float(judge.score(small(splits.test), splits.test.labels))
    targets = splits.test.targets(splits.classes)
    answered = Answered(np.log(probabilities.clip(1e-30)), targets, splits.classes)
    simpler = {"majority": majority_accuracy(splits.frequencies, targets), "baseline": accuracy}
    more = {"val_loss": val_loss, "tokens_per_second": training.progress.rate}
    report_answers(training, answered, simpler, splits.test.where.__getitem__, more, splits.test.inputs)
    training.run.show_use("to classify an image", "classify", write_images(training.run.directory, splits.test.inputs))


if __name__ == "__main__":
    run_main(main)
