"""The report of a classifier or tagger at the end of its run."""

from collections.abc import Callable, Mapping
from typing import Any

from seqgen.figures.confusion import draw_confusion
from seqgen.figures.mistakes import write_wrong_answers
from seqgen.metrics.classification import Answered
from seqgen.runs.training import Training


def report_answers(
    training: Training[Any],
    answered: Answered,
    baselines: Mapping[str, float],
    describe: Callable[[int], str],
    **more: float,
) -> None:
    """Print and write the metrics of a model on the test examples, and its mistakes.

    Args:
        training: at its end.
        answered: the predictions of the best model for the test examples.
        baselines: accuracies of simpler models, among them "majority" and "baseline".
        describe: returns a test example as text, by its number.
        **more: further metrics.
    """
    directory = training.run.directory
    draw_confusion(directory / "confusion.png", answered)
    mistakes = write_wrong_answers(directory / "mistakes.jsonl", answered, describe)
    shown = "\n".join(["the most confident mistakes:" if mistakes else "no mistakes", *mistakes])
    training.results(
        f"{answered.table()}\n\n{shown}",
        test_accuracy=answered.accuracy,
        test_macro_f1=answered.macro_f1,
        **{f"{name}_accuracy": accuracy for name, accuracy in baselines.items()},
        calibration_error=answered.calibration_error,
        test_loss=answered.loss,
        **more,
    )
    print(f"{answered.table()}\n\n{shown}")
    print(f"\n--- test accuracy {answered.accuracy:.2%}, macro F1 {answered.macro_f1:.3f}", end="")
    print(f", calibration error {answered.calibration_error:.3f}", end="")
    print("".join(f"; {name} {accuracy:.2%}" for name, accuracy in baselines.items()))
