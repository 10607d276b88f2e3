"""The report of a classifier or tagger at the end of its run."""

from collections.abc import Callable, Mapping, Sequence
from textwrap import shorten
from typing import Any

import numpy as np

from seqgen.figures.confusion import confusion_section, draw_confusion
from seqgen.figures.mistakes import write_wrong_answers
from seqgen.metrics.classification import Answered
from seqgen.runs.training import Training

SAMPLES, LONGEST = 2, 80  # examples that a validation shows, and characters of each


def show_classified(
    training: Training[Any], inputs: Sequence[Any], labels: Sequence[str], described: Sequence[str]
) -> None:
    """Print the classes that the model in training gives to two examples, other ones each time, beside the right ones.

    Args:
        training: of a classifier.
        inputs: examples for validation.
        labels: the right classes of these examples.
        described: the same examples as text.
    """
    steps = training.progress.steps
    numbers = np.random.default_rng(steps).choice(len(inputs), min(SAMPLES, len(inputs)), replace=False).tolist()
    found = training.averaged.classify([inputs[number] for number in numbers])
    for number, [best] in zip(numbers, found, strict=True):
        text, right, answer = described[number], labels[number], best.label
        line = f"  {shorten(text, LONGEST)} -> {answer}"
        training.run.say(line if answer == right else f"{line}, where {right} is right")


def report_answers(
    training: Training[Any],
    answered: Answered,
    baselines: Mapping[str, float],
    describe: Callable[[int], str],
    figures: Mapping[str, float],
    pictures: Sequence[np.ndarray] | None = None,
) -> None:
    """Print and write the metrics of a model on the test examples, and its mistakes.

    Args:
        training: at its end.
        answered: the predictions of the best model for the test examples.
        baselines: accuracies of simpler models, among them "majority" and "baseline".
        describe: returns a test example as text, by its number.
        figures: further metrics.
        pictures: the (height, width, 3) pixels of the test examples, where they are images.
    """
    directory = training.run.directory
    draw_confusion(directory / "confusion.png", answered)
    classes = confusion_section(answered)
    mistakes = write_wrong_answers(directory / "mistakes.jsonl", answered, describe, pictures)
    training.results(
        classes,
        mistakes,
        test_accuracy=answered.accuracy,
        test_macro_f1=answered.macro_f1,
        **{f"{name}_accuracy": accuracy for name, accuracy in baselines.items()},
        calibration_error=answered.calibration_error,
        test_loss=answered.loss,
        **figures,
    )
    print(f"{classes.text}\n\n{mistakes.text}")
    print(f"\n--- test accuracy {answered.accuracy:.2%}, macro F1 {answered.macro_f1:.3f}", end="")
    print(f", calibration error {answered.calibration_error:.3f}", end="")
    print("".join(f"; {name.replace('_', ' ')} {accuracy:.2%}" for name, accuracy in baselines.items()))
