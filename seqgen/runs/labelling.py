"""Training for right answers: what the recipes of classifiers and taggers share."""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from seqgen.batches.examples import IGNORED, ExampleBatches, Examples
from seqgen.figures.confusion import draw_confusion
from seqgen.files import write_text
from seqgen.metrics.classification import Answered
from seqgen.runs.config import RunConfig
from seqgen.training.losses import LossFunction, right_answer
from seqgen.runs.run import Run, Trained

SHOWN = 5  # mistakes


@dataclass(kw_only=True)
class LabelConfig(RunConfig):
    """The options that recipes of classifiers and taggers share."""

    valid: str | None = None
    """what to validate on, in the form of --data; by default a tenth of that"""
    test: str | None = None
    """what to test on, in the form of --data; by default another tenth"""
    class_weights: Literal["none", "balanced"] = "none"
    """balanced has each class count as much as any other, however rare it is"""
    eval_every: int | None = None
    """updates between validations; by default an epoch, but at least 20 and at most 250 updates"""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_above_zero("eval_every")


@dataclass(frozen=True)
class Task:
    """What there is to learn.

    Args:
        batches: to train on.
        validation: to validate on.
        classes: the names of the answers.
        train_targets: all right answers of the training examples.
        tokens: of all training examples; of images, each is one.
        identity: a fingerprint of the data.
    """

    batches: ExampleBatches[Examples]
    validation: ExampleBatches[Examples]
    classes: Sequence[str]
    train_targets: np.ndarray
    tokens: int
    identity: str

    def class_weights(self, kind: str) -> Tensor | None:
        """Return what an answer of each class counts: none, or 1 on average where all classes count alike."""
        if kind == "none":
            return None
        counts = np.bincount(self.train_targets, minlength=len(self.classes))
        return torch.tensor(counts.sum() / (len(counts) * counts.clip(1)), dtype=torch.float32)


def train_answers(
    config: LabelConfig,
    run: Run,
    trained: Trained,
    trainers: list[Optimizer],
    task: Task,
    harden: Callable[[LossFunction], LossFunction] | None = None,
) -> None:
    """Train until the schedule or patience ends; the most accurate model is saved on the way.

    Args:
        config: the recipe's options.
        run: not yet begun.
        trained: what is saved, its model already on the run's device.
        trainers: the optimizers of the model.
        task: what there is to learn.
        harden: makes the loss to train with of the plain one.
    """
    updates_per_epoch = task.batches.buckets.batches_per_epoch // config.accumulate
    eval_every = config.eval_every or int(np.clip(updates_per_epoch, 20, 250))
    weights = task.class_weights(config.class_weights)
    weights = None if weights is None else weights.to(run.device)
    run.begin(trained, trainers, task.identity)
    loss: LossFunction = partial(right_answer, label_smoothing=config.label_smoothing, class_weights=weights)
    with run:
        for step in run.steps(task.batches, harden(loss) if harden else loss):
            if step.number % eval_every == 0 or step.last:
                with run.accelerator.autocast():
                    answered = answer(trained.model, task.validation.once(), task.classes)
                run.evaluated(step, answered.loss, error=1 - answered.accuracy, val_accuracy=answered.accuracy)


@torch.no_grad()
def answer(model: nn.Module, batches: Iterable[Examples], classes: Sequence[str]) -> Answered:
    """Return a model's answers to all batches, in their order, in evaluation mode."""
    was_training = model.training
    model.eval()
    device = next(model.parameters()).device
    logs, targets = [], []
    for batch in batches:
        there = (batch.targets != IGNORED).flatten()
        logits = model(*batch.to(device).inputs).float().flatten(0, -2)
        logs.append(logits.log_softmax(dim=1).cpu()[there])
        targets.append(batch.targets.flatten()[there])
    model.train(was_training)
    return Answered(torch.cat(logs).numpy(), torch.cat(targets).numpy(), classes)


def report(
    run: Run,
    task: Task,
    model: nn.Module,
    answered: Answered,
    baselines: Mapping[str, float],
    describe: Callable[[int], str],
    **more: float,
) -> None:
    """Print and write down how good a model is on the test examples, and where it is wrong.

    Args:
        run: at its end.
        task: what there was to learn.
        model: the best one, as it was saved.
        answered: its answers to the test examples.
        baselines: accuracies of simpler ways, among them "majority" and "baseline".
        describe: a test example in words, by its number.
        **more: figures of the task's own.
    """
    examples_per_second = run.progress.tokens / max(run.progress.training_seconds, 1e-9)
    examples = len(task.batches.buckets.lengths) if run.unit == "examples" else task.tokens
    with run.accelerator.autocast():
        val_loss = answer(model, task.validation.once(), task.classes).loss
    results = {
        "test_accuracy": answered.accuracy,
        "test_macro_f1": answered.macro_f1,
        **{f"{name}_accuracy": accuracy for name, accuracy in baselines.items()},
        "calibration_error": answered.calibration_error,
        **more,
        "test_loss": answered.loss,
        "val_loss": val_loss,
        "steps": run.progress.steps,
        "seconds": run.progress.seconds,
        "tokens_per_second": examples_per_second * task.tokens / examples,
        f"{run.unit}_per_second": examples_per_second,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "precision": run.precision,
        "seed": run.config.seed,
    }
    write_text(run.directory / "results.json", json.dumps(results, indent=2) + "\n")
    draw_confusion(run.directory / "confusion.png", answered)
    mistakes = [
        {
            "answer": answered.classes[answered.predictions[number]],
            "right": answered.classes[answered.targets[number]],
            "probability": round(math.exp(answered.log_probabilities[number].max()), 4),
            "example": describe(number),
        }
        for number in answered.mistakes()
    ]
    lines = [json.dumps(mistake, ensure_ascii=False) + "\n" for mistake in mistakes]
    write_text(run.directory / "mistakes.jsonl", "".join(lines))
    print(answered.table())
    print("\nthe surest of its mistakes:" if mistakes else "\nit made no mistake")
    for mistake in mistakes[:SHOWN]:
        text = " ".join(str(mistake["example"]).split())
        text = text if len(text) <= 160 else text[:100] + " ... " + text[-55:]
        print(f"  {mistake['answer']} ({mistake['probability']:.0%}), but {mistake['right']}: {text}")
    print(f"\n--- test accuracy {answered.accuracy:.2%}, macro F1 {answered.macro_f1:.3f}", end="")
    print(f", calibration error {answered.calibration_error:.3f}", end="")
    print("".join(f"; {name} {accuracy:.2%}" for name, accuracy in baselines.items()))
