"""Train a recurrent network to tag each token of a text, for 100 seconds unless a limit is given.

With no argument it learns to highlight Python: what kind of token each character of source belongs to. Give it tagged
text of your own with --data: CoNLL-U, or lines of a token and its tag.
"""

import hashlib
import shlex
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from nltk.tag import DefaultTagger, UnigramTagger

from seqgen.batches.buckets import Buckets
from seqgen.batches.examples import IGNORED, ExampleBatches, Examples
from seqgen.data.sets.highlighting import highlighted_python
from seqgen.data.tagged import Tagged, read_tagged, split_tagged
from seqgen.errors import run_main
from seqgen.inference.tagger import Tagger
from seqgen.metrics.classification import Answered, majority_accuracy, span_f1
from seqgen.runs.config import parse_options
from seqgen.runs.labelling import LabelConfig, Task, report, train_answers
from seqgen.runs.run import Run
from seqgen.training.optimizers import optimizers

MODEL_OPTIONS = ("cell", "hidden_size", "layers", "embedding_size", "spelling_size", "dropout", "word_dropout")


@dataclass(kw_only=True)
class Config(LabelConfig):
    """Options of the tagger."""

    data: str = "python-source"
    """a .conllu file, lines of a token and its tag, .jsonl with "tokens" and "tags", or python-source"""
    column: str = "UPOS"
    """of CoNLL-U: name or number (from 1) of the column to learn"""
    cell: Literal["lstm", "gru", "rnn"] = "lstm"
    """the recurrent cell"""
    hidden_size: int = 192
    """features of the hidden state in each direction"""
    layers: int = 1
    """recurrent layers in each direction"""
    embedding_size: int = 128
    """features of a token's embedding"""
    spelling_size: int = 64
    """features of a character's embedding, and of what reads the characters of a word in each direction"""
    dropout: float | None = None
    """share of features dropped while training; by default 0.05 where tokens are characters, else 0.3"""
    word_dropout: float | None = None
    """share of tokens read as unknown while training; by default 0 where tokens are characters, else 0.1"""
    batch_tokens: int = 4000
    """tokens of a batch, padding included"""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_above_zero("batch_tokens", "embedding_size", "spelling_size")
        self.require_share("dropout", "word_dropout")


def read(config: Config) -> tuple[Tagged, Tagged, Tagged, list[str]]:
    """Return what is trained, validated and tested on, and the names of the tags."""
    if config.data == "python-source":
        train, valid, test = highlighted_python(config.seed)
        return split_tagged(train, valid, test, config.seed)
    data, valid_, test_ = (
        read_tagged(path, config.column) if path else None for path in (config.data, config.valid, config.test)
    )
    assert data is not None
    return split_tagged(data, valid_, test_, config.seed)


def batches(
    tagger: Tagger, data: Tagged, config: Config, *, rank: int = 0, world_size: int = 1
) -> ExampleBatches[Examples]:
    """Return batches of sequences of like length."""
    encoded, targets = tagger.encode(data.tokens), data.targets(tagger.tags)
    lengths = np.array([len(tokens) for tokens in encoded.tokens])

    def collate(numbers: np.ndarray) -> Examples:
        answers = np.full((len(numbers), lengths[numbers].max()), IGNORED)
        for row, number in zip(answers, numbers, strict=True):
            row[: lengths[number]] = targets[number]
        return Examples(encoded.inputs(numbers), torch.from_numpy(answers))

    buckets = Buckets(lengths, config.batch_tokens, seed=config.seed, rank=rank, world_size=world_size)
    return ExampleBatches(buckets, collate)


def main() -> None:
    """Train, and show how good it is."""
    config = parse_options(Config, __doc__ or "")
    run = Run(config, "tagger", default_seconds=100)

    train, valid, test_data, tags = read(config)
    of_characters = all(isinstance(tokens, str) for tokens in train.tokens)
    for name, usual in (("dropout", 0.05 if of_characters else 0.3), ("word_dropout", 0.0 if of_characters else 0.1)):
        if getattr(config, name) is None:
            setattr(config, name, usual)
    arguments: dict[str, Any] = {name: getattr(config, name) for name in MODEL_OPTIONS}
    trained = Tagger.fit(train.tokens, tags, arguments)
    trained.model.to(run.device)
    train_batches = batches(trained, train, config, rank=run.rank, world_size=run.world_size)
    task = Task(
        train_batches,
        batches(trained, valid, config),
        tags,
        np.concatenate(train.targets(tags)),
        int(train_batches.buckets.lengths.sum()),
        hashlib.sha256(repr((train, valid)).encode()).hexdigest(),
    )
    run.say(
        f"{config.data}: {len(train):,} sequences of {task.tokens:,} tokens with {len(tags)} tags to train on, "
        f"{len(valid):,} to validate on, {len(test_data):,} to test on; {len(trained.vocabulary):,} different tokens; "
        f"{run.device} in {run.precision}; the run is in {run.directory}"
    )
    trainers = optimizers(
        trained.model, config.optimizer, config.learning_rate, adamw_learning_rate=config.adamw_learning_rate
    )
    train_answers(config, run, trained, trainers, task)
    if run.main:
        test(run, task, train, test_data)


def test(run: Run, task: Task, train: Tagged, data: Tagged) -> None:
    """Measure the best model as it was saved, beside simpler ways, and say how to use it."""
    best = Tagger.from_pretrained(run.model_directory).to(run.device)
    targets = np.concatenate(data.targets(best.tags))
    probabilities = np.concatenate(best.probabilities(data.tokens))
    answered = Answered(np.log(probabilities.clip(1e-30)), targets, best.tags)
    baselines = {
        "majority": majority_accuracy(task.train_targets, targets),
        "baseline": usual_tag_accuracy(train, data),
    }
    more = {}
    known = {token for row in train.tokens for token in row}
    unseen = np.array([token not in known for row in data.tokens for token in row])
    if unseen.any():
        more["test_accuracy_unseen"] = float((answered.predictions == targets)[unseen].mean())
    if any(tag.startswith("B-") for tag in best.tags):
        ends = np.cumsum([len(row) for row in data.tokens])[:-1]
        found = [[best.tags[number] for number in row] for row in np.split(answered.predictions, ends)]
        more["test_span_f1"] = span_f1(found, data.tags)
    report(run, task, best.model, answered, baselines, partial(in_context, data), **more)
    for name, figure in more.items():
        print(f"--- {name.removeprefix('test_').replace('_', ' ')} {figure:.4f}")
    print(f"--- everything is in {run.directory}; to tag texts of your own:\n")
    print(shlex.join(["seqgen", "tag", str(run.directory), "file.txt"]))


def usual_tag_accuracy(train: Tagged, data: Tagged) -> float:
    """Return the test accuracy of giving each token its most frequent tag, to see what the network is worth."""
    tags, counts = np.unique([tag for row in train.tags for tag in row], return_counts=True)

    def pairs(part: Tagged) -> list[list[tuple[str, str]]]:
        return [list(zip(tokens, row, strict=True)) for tokens, row in zip(part.tokens, part.tags, strict=True)]

    usual = UnigramTagger(pairs(train), backoff=DefaultTagger(str(tags[counts.argmax()])))
    return float(usual.accuracy(pairs(data)))


def in_context(data: Tagged, number: int) -> str:
    """Return a token of all, by its number, between those beside it."""
    for tokens in data.tokens:
        if number < len(tokens):
            joint = "" if isinstance(tokens, str) else " "
            reach = 30 if isinstance(tokens, str) else 5
            before, after = tokens[max(number - reach, 0) : number], tokens[number + 1 : number + 1 + reach]
            return f"{joint.join(before)}{joint}[{tokens[number]}]{joint}{joint.join(after)}"
        number -= len(tokens)
    raise IndexError(number)


if __name__ == "__main__":
    run_main(main)
