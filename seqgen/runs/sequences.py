"""What the recipes that write a sequence to an input share: options, and the loop with free-running validations."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal, NamedTuple

from torch import nn
from torch.optim import Optimizer

from seqgen.batches.examples import ExampleBatches
from seqgen.batches.pairs import Pairs
from seqgen.state import State
from seqgen.runs.config import RunConfig
from seqgen.training.losses import Loss, LossFunction, evaluate, target_tokens
from seqgen.runs.run import Run, Trained

VALIDATIONS = 12  # of a training, where nothing else was asked for
FOLLOWED = 1000  # updates that the average has seen at most when a last part begins: it follows about 100 of them


@dataclass(kw_only=True)
class SequenceConfig(RunConfig):
    """The options of these recipes."""

    cell: Literal["lstm", "gru", "rnn"] = "lstm"
    """the recurrent cell"""
    layers: int = 2
    """recurrent layers of the decoder"""
    attention: Literal["general", "additive"] = "general"
    """how queries and the memory are compared"""
    heads: int = 1
    """of the attention"""
    input_feeding: bool = False
    """whether each step also reads what the step before wrote from; several times slower"""
    label_smoothing: float = 0.1
    """share of probability spread over all tokens"""
    scheduled_sampling: float = 0.0
    """scheduled sampling: share of target tokens that are read as the model would have written them"""
    learning_rate: float | None = None
    """the highest; by default 0.03 for muon, and 0.004 for adamw alone"""
    adamw_learning_rate: float | None = 0.0015
    """the highest learning rate of adamw for what muon does not train"""
    num_beams: int = 5
    """hypotheses in the search at the end, and by default in use"""
    length_penalty: float = 0.6
    """in the search: above 0 favours long texts"""
    eval_every: int | None = None
    """updates between validations; by default twelve of them, or fewer where they would take much of the time"""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_above_zero("layers", "num_beams", "eval_every")
        self.require_share("scheduled_sampling")
        if self.learning_rate is None and self.optimizer == "muon":
            self.learning_rate = 0.03


class Written(NamedTuple):
    """How good what a model writes by itself is, `score` being what the best model has most of, and examples of it."""

    score: float
    figures: Mapping[str, float]
    examples: list[str]


class LastPart(NamedTuple):
    """A share of the training, at its end, and the loss of that part."""

    share: float
    loss: LossFunction


def train_sequences(
    config: SequenceConfig,
    run: Run,
    trained: Trained,
    trainers: list[Optimizer],
    batches: ExampleBatches[Pairs],
    validation: ExampleBatches[Pairs],
    identity: str,
    write: Callable[[], Written],
    loss: LossFunction | None = None,
    last: LastPart | None = None,
) -> None:
    """Train until the schedule or patience ends; the model that writes best is saved on the way.

    Args:
        config: the recipe's options.
        run: not yet begun.
        trained: what is saved, its model already on the run's device.
        trainers: the optimizers of the model.
        batches: to train on.
        validation: to validate on, with teacher forcing.
        identity: a fingerprint of the data.
        write: measures what `trained` writes by itself.
        loss: to train with; by default that of the target tokens, as the options say.
        last: a part of the training that has another loss, and an average of the weights that follows it more closely.
    """
    run.begin(trained, trainers, identity)
    first = loss or partial(target_tokens, label_smoothing=config.label_smoothing, scheduled_sampling=config.scheduled_sampling)

    def current(model: nn.Module, batch: Pairs, carry: State | None) -> Loss:
        return (last.loss if last and run.in_last(last.share) else first)(model, batch, carry)

    before = run.schedule.progress(*run.progress[:2])
    validated_at = validating = 0.0
    with run:
        for step in run.steps(batches, current):
            done = run.schedule.progress(*step.progress[:2])
            due = int(done * VALIDATIONS) > int(before * VALIDATIONS)
            if config.eval_every is not None:
                due = step.number % config.eval_every == 0
            if last and before <= 1 - last.share < done:
                run.average.n_averaged.clamp_(max=FOLLOWED)
            before = done
            # A small set, trained on for seconds, would be validated for most of them.
            if config.eval_every is None and config.max_seconds is not None:
                due = due and step.progress.seconds - validated_at > 4 * validating
            if due or step.last:
                began = time.perf_counter()
                val_loss = evaluate(trained.model, validation.once(), run.in_precision(target_tokens))
                written = write()
                figures = {"val_perplexity": math.exp(val_loss), **written.figures}
                run.evaluated(step, val_loss, error=-written.score, **figures)
                for example in written.examples:
                    run.say(f"  {example}")
                validating = time.perf_counter() - began
                validated_at = step.progress.seconds + validating
