"""Fine-tuning of a text classifier that begins with generators, and its training on worse or unlabelled texts."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf
from typing import Any, NamedTuple, cast

import torch
from torch import nn

from seqgen.batches.examples import ExampleBatches, Examples
from seqgen.batches.semi_supervised import SemiSupervisedBatches
from seqgen.batches.windows import Batches
from seqgen.data.encoded import token_counts
from seqgen.data.labelled import TextColumns
from seqgen.data.paths import kept
from seqgen.data.splits import LabelledSplits
from seqgen.data.store import fingerprint
from seqgen.data.unlabelled import read_unlabelled
from seqgen.errors import InputError
from seqgen.inference.classifiers import TextClassifier
from seqgen.inference.continuation import continued
from seqgen.inference.directions import require_fitting
from seqgen.inference.generator import Generator
from seqgen.runs.config import LabelConfig
from seqgen.runs.initial_model import initial_model
from seqgen.runs.run import Run
from seqgen.runs.text_options import suitable_sample
from seqgen.text.backward import BackwardTokenizer
from seqgen.training.adversarial import adversarial, virtual_adversarial
from seqgen.training.cross_entropy import sampling_shares
from seqgen.training.language_model import OutputLayer, with_language_model
from seqgen.training.losses import LossFunction
from seqgen.training.optimizers import Group, gradual_unfreezing


@dataclass(kw_only=True)
class FineTuningConfig(LabelConfig, TextColumns):
    """Options of a text classifier that begins with generators, or is trained on worse or unlabelled texts."""

    init_from: str | None = None
    """a saved classifier to train further, or a generator with whose tokenizer, sizes and weights to begin"""
    init_from_backward: str | None = None
    """after a generator, a backward one of the same vocabulary and sizes, with which reading backward begins"""
    unfreeze: float = 0.05
    """after a generator, fraction of training after which each further layer of the generator is unfrozen"""
    learning_rate_factor: float = 0.4
    """after a generator, factor of the learning rate of the generator's layers, once more for each layer below"""
    lm_loss: float = 0.0
    """after a generator, weight of the language model loss, in nats a token, beside that of the classes"""
    adversarial: float = 0.0
    """norm of adversarial perturbations, as a fraction of that of the embeddings; updates take three times as long"""
    virtual_adversarial: float = 0.0
    """norm of perturbations that are to change no answer, labelled or not; an update takes up to four times as long"""
    unlabelled: str | None = None
    """texts for --virtual_adversarial, a line each, or a column of rows; without them it is on those of --data"""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_above_zero("learning_rate_factor")
        self.require_fraction("unfreeze", "adversarial", "virtual_adversarial")
        if not 0 <= self.lm_loss < inf:
            raise InputError(f"--lm_loss must be finite and at least 0, not {self.lm_loss}")
        if self.init_from_backward and not self.init_from:
            raise InputError("--init_from_backward must be given with --init_from, a generator that reads forward")
        if self.unlabelled and not self.virtual_adversarial:
            raise InputError(f"--unlabelled must be given with --virtual_adversarial, not {self.virtual_adversarial}")


class Beginning(NamedTuple):
    """The model that a run begins with, None for an untrained one, and the generators whose weights it has."""

    classifier: TextClassifier | None
    generators: list[Generator] = []  # noqa: RUF012  (a tuple's default, which nothing changes)


def beginning(run: Run, splits: LabelledSplits, **parts: Any) -> Beginning:
    """Return the classifier of `--init_from`, or one with the weights of its generator and `--init_from_backward`.

    Args:
        run: with the options.
        splits: the texts.
        **parts: those of a classifier that begins with generators, and the options of its builder.

    Raises:
        InputError: a model does not suit the texts or the other model, or there is no generator for an option.
    """
    config, initial = cast("FineTuningConfig", run.config), initial_model(run, splits)
    if not isinstance(initial, Generator):
        for name in ("init_from_backward", "lm_loss"):
            if value := getattr(config, name):
                raise InputError(f"--{name} must be given with a generator as --init_from, not as {value} without one")
        return Beginning(initial)
    backward = run.initials.get("init_from_backward")
    if backward is not None:
        backward = _opposite(run, initial, backward)
    elif initial.backward:
        raise InputError(f"--init_from must read forward, but {config.init_from} reads backward: --init_from_backward")
    classifier = TextClassifier.from_generator(initial, backward=backward, **parts)
    config.model |= {name: classifier.arguments[name] for name in ("embedding_size", "backward_bos", "bidirectional")}
    return Beginning(classifier, [initial] if backward is None else [initial, backward])


def _opposite(run: Run, forward: Generator, backward: Any) -> Generator:
    """Return the backward generator, with the tokens that were added to the vocabulary of the forward one."""
    place = vars(run.config)["init_from_backward"]
    if not isinstance(backward, Generator) or backward.own_builder is not None:
        raise InputError(f"--init_from_backward must be a saved generator of seqgen's own builder, but {place} is not")
    try:
        require_fitting(run.initial, backward)
    except InputError as error:
        raise InputError(f"--init_from_backward, {place}: {error}") from None
    if forward.tokenizer is run.initial.tokenizer:
        return backward
    return continued(backward, tokenizer=BackwardTokenizer(forward.tokenizer))


class FineTuning(NamedTuple):
    """Batches, loss and optimizer groups of the training of a classifier.

    `identity` is the fingerprint of all texts; `groups` have the layers of generators, trained later and slower.
    """

    batches: Batches[Any]
    loss: LossFunction
    groups: list[Group]
    identity: str


def fine_tuning(
    run: Run,
    classifier: TextClassifier,
    splits: LabelledSplits,
    batches: ExampleBatches[Examples],
    loss: LossFunction,
    generators: Iterable[Generator],
) -> FineTuning:
    """Return batches, loss and groups as the options have them.

    Args:
        run: with the options.
        classifier: to train.
        splits: the texts.
        batches: of the texts to train on.
        loss: of the classes.
        generators: whose weights the classifier has.

    Raises:
        InputError: the unlabelled texts cannot be read, or there are none.
    """
    config, generators = cast("FineTuningConfig", run.config), list(generators)
    if config.adversarial:
        loss = adversarial(loss, config.adversarial)
    if config.lm_loss:
        tokens = classifier.encoded(splits.train).values
        counts = torch.from_numpy(token_counts(tokens, classifier.tokenizer.vocab_size))
        sample = suitable_sample(len(counts))
        shares = sampling_shares(counts, sample).to(run.device) if sample else None
        loss = with_language_model(loss, [_output_layer(run, one) for one in generators], config.lm_loss, shares)
    if config.virtual_adversarial:
        loss = virtual_adversarial(loss, config.virtual_adversarial)
    groups = gradual_unfreezing(_layers(classifier, len(generators)), config.learning_rate_factor, config.unfreeze)
    if config.unlabelled is None:
        return FineTuning(batches, loss, groups, splits.fingerprint)
    config.unlabelled = kept(config.unlabelled)
    texts = read_unlabelled(config.unlabelled, config)
    others = run.batches(classifier.examples(texts), batches.buckets.budget)
    run.say(f"unlabelled texts: {len(texts):,} of {others.mean_length:.0f} tokens")
    identity = fingerprint([splits.fingerprint, texts.fingerprint])
    return FineTuning(SemiSupervisedBatches(batches, others), loss, groups, identity)


def _layers(classifier: TextClassifier, directions: int) -> list[nn.Module]:
    """Return the pretrained layers, the uppermost of all directions first, and last the embedding."""
    encoder: Any = classifier.model.encoder
    stacks = [encoder.forwards, encoder.backwards][:directions]
    layers = [nn.ModuleList(level) for level in zip(*(reversed(stack.stack) for stack in stacks), strict=True)]
    return [*layers, encoder.embedding] if directions else []


def _output_layer(run: Run, generator: Generator) -> OutputLayer:
    """Return the output layer of a generator on the device of the run, without gradients."""
    model: Any = generator.to(run.device).model.requires_grad_(False)
    return OutputLayer(model.projection, model.output)
