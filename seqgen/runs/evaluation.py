"""The evaluation of a model in a run, shared out among its processes: each answers a part of the examples."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import numpy as np
from torch import Tensor, nn

from seqgen.batches.examples import Examples
from seqgen.data.features import Views
from seqgen.inference.bundle import Bundle
from seqgen.metrics.classification import Answered
from seqgen.runs.run import Run
from seqgen.runs.training import Training
from seqgen.training.answers import answers
from seqgen.training.losses import LossFunction, total_loss

B = TypeVar("B", bound=Bundle[Any])
Y = TypeVar("Y")


def best_model(training: Training[B]) -> B:
    """Return in all processes the best model as it was saved: the first one reads it, and sends its weights.

    With `--ensemble` it is the ensemble of the best model of each member, once all are trained.
    """
    run, best = training.run, training.averaged

    def read() -> dict[str, Tensor]:
        nonlocal best
        best = type(best).from_pretrained(run.model_directory)
        weights: dict[str, Tensor] = best.model.state_dict()
        return weights

    best.model.load_state_dict(run.processes.from_main(read))
    return training.members.joined(best.to(run.device))


def mean_loss(run: Run, model: nn.Module, batches: Iterable[Any], loss_function: LossFunction) -> float:
    """Return the mean loss over all batches, of which each process has its own."""

    def own() -> tuple[float, float]:
        loss = total_loss(model, batches, loss_function)
        return loss.total.item(), loss.count.item()

    found = np.array(run.processes.together(own)).sum(axis=0)
    return float(found[0] / found[1])


def shared_answers(run: Run, model: nn.Module, batches: Iterable[Examples], classes: Sequence[str]) -> Answered:
    """Return the predictions for all batches, of which each process has its own, in the run's precision."""

    def own() -> Answered:
        return run.in_precision(answers)(model, batches, classes)

    parts = run.processes.together(own)
    logs, targets = [one.log_probabilities for one in parts], [one.targets for one in parts]
    return Answered(np.concatenate(logs), np.concatenate(targets), classes)


def shared_out(
    run: Run, function: Callable[..., Iterable[Y]], inputs: Sequence[Any] | Views, **options: Any
) -> list[Y]:
    """Return what a function with options answers to all inputs, one each in their order; each process answers some."""
    processes = run.processes
    own = range(processes.rank, len(inputs), processes.world_size)
    answered: list[Any] = [None] * len(inputs)
    parts = processes.together(lambda: list(function([inputs[number] for number in own], **options)))
    for rank, part in enumerate(parts):
        answered[rank :: processes.world_size] = part
    return answered
