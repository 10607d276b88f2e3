"""Train a recurrent network to tell texts apart, for 100 seconds unless a limit is given.

With no argument it learns which package of Python's standard library a passage of source and documentation comes
from. Give it texts of your own with --data: a file with a label and a text in each row, or a folder for each class.
"""

import hashlib
import shlex
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, cast

import numpy as np
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from torch import nn
from torch.optim import Optimizer

from seqgen import patterns
from seqgen.batches.buckets import Buckets
from seqgen.batches.examples import ExampleBatches, Examples
from seqgen.batches.windows import padded
from seqgen.data.labelled import Labelled, Splits, read_texts, split_labelled
from seqgen.data.sets.passages import python_passages
from seqgen.errors import run_main
from seqgen.inference.classifiers import TextClassifier
from seqgen.inference.generator import Generator
from seqgen.metrics.classification import Answered, majority_accuracy
from seqgen.nn.decoder import RecurrentDecoder
from seqgen.nn.encoders import SequenceEncoder
from seqgen.runs.config import parse_options
from seqgen.runs.labelling import LabelConfig, Task, report, train_answers
from seqgen.runs.run import Run
from seqgen.text.tokenizer import fit_tokenizer
from seqgen.training.adversarial import adversarial
from seqgen.training.optimizers import Group, optimizers

MODEL_OPTIONS = (
    "cell",
    "hidden_size",
    "layers",
    "embedding_size",
    "bidirectional",
    "pooling",
    "skip",
    "dropout",
    "embedding_dropout",
    "word_dropout",
    "weight_drop",
)


@dataclass(kw_only=True)
class Config(LabelConfig):
    """Options of the text classifier."""

    data: str = "python-packages"
    """a .tsv, .csv or .jsonl file, lines of a label and a text, a folder for each class, or python-packages"""
    label_column: str = "label"
    """name or number (from 1) of the column with the label"""
    text_column: str = "text"
    """name or number (from 1) of the column with the text"""
    tokenizer: Literal["char", "byte", "word", "lowercase-word", "subword", "bpe"] = "word"
    """what a token is"""
    vocab_size: int | None = None
    """the most words, subwords or characters; the rest is read as unknown, or in smaller pieces"""
    init_from: str | None = None
    """a trained generator, whose tokenizer, sizes and weights the classifier begins with"""
    unfreeze: float = 0.05
    """with --init_from, share of the training after which each further layer of the generator is trained, too"""
    learning_rate_factor: float = 0.4
    """with --init_from, share of the learning rate for the generator's layers, for each layer once more"""
    max_length: int = 500
    """tokens that are read of a text; of a longer one the beginning and the end"""
    cell: Literal["lstm", "gru", "rnn"] = "lstm"
    """the recurrent cell"""
    hidden_size: int = 128
    """features of the hidden state in each direction"""
    layers: int = 1
    """recurrent layers in each direction"""
    embedding_size: int = 128
    """features of a token's embedding"""
    bidirectional: bool = True
    """whether the text is also read backward"""
    pooling: Literal["last", "mean", "max", "attentive", "concat"] = "concat"
    """how the states of all tokens become one summary; concat has the first three side by side"""
    dropout: float = 0.5
    """share of features dropped of what the class is told from, and between layers"""
    skip: bool = True
    """whether the pooling also sees the embeddings, beside the hidden states"""
    embedding_dropout: float = 0.4
    """share of features dropped of the embeddings"""
    word_dropout: float = 0.3
    """share of tokens read as unknown while training"""
    weight_drop: float = 0.0
    """share of recurrent weights dropped"""
    adversarial: float = 0.0
    """size of the worst change of the embeddings that is trained against, as a share of theirs; doubles an update"""
    batch_tokens: int = 2500
    """tokens of a batch, padding included"""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_above_zero("vocab_size", "max_length", "batch_tokens", "embedding_size", "learning_rate_factor")
        self.require_share("dropout", "embedding_dropout", "word_dropout", "weight_drop", "unfreeze", "adversarial")


def read(config: Config) -> Splits:
    """Return what is trained, validated and tested on."""
    if config.data == "python-packages":
        passages, files = python_passages()
        return split_labelled(passages, None, None, config.seed, group=files.__getitem__)
    given = [
        read_texts(path, config.label_column, config.text_column) if path else None
        for path in (config.data, config.valid, config.test)
    ]
    assert given[0] is not None
    return split_labelled(given[0], given[1], given[2], config.seed)


def classifier(config: Config, splits: Splits) -> TextClassifier:
    """Return an untrained classifier, or one that begins with a generator's weights."""
    generator = Generator.from_pretrained(config.init_from) if config.init_from else None
    if generator is None:
        tokenizer = fit_tokenizer(config.tokenizer, (text + "\n" for text in splits.train.inputs), config.vocab_size)
    else:
        tokenizer, decoder = generator.tokenizer, cast("RecurrentDecoder", generator.model)
        config.tokenizer, config.cell = tokenizer.kind, decoder.recurrent.cell  # type: ignore[assignment]
        config.hidden_size, config.layers = decoder.recurrent.hidden_size, len(decoder.recurrent.stack)
        config.embedding_size = decoder.embedding.embedding_dim
    arguments: dict[str, Any] = {name: getattr(config, name) for name in MODEL_OPTIONS}
    model = patterns.text_classifier(tokenizer.vocab_size, len(splits.classes), **arguments)
    if generator is not None:
        begin_as(decoder, cast("SequenceEncoder", model.encoder))
    return TextClassifier(model, arguments, splits.classes, tokenizer, config.max_length)


@torch.no_grad()
def begin_as(decoder: RecurrentDecoder, encoder: SequenceEncoder) -> None:
    """Give an encoder the weights of a generator, its embeddings as small as new ones are, and read as much larger.

    The states are the same, but small embeddings are learned as fast as new ones, and large ones hardly at all.
    """
    table = decoder.embedding(torch.arange(decoder.embedding.num_embeddings))
    smaller = cast("nn.Embedding", encoder.embedding).weight.std() / table.std()
    encoder.embedding.load_state_dict({"weight": table * smaller})
    encoder.forwards.load_state_dict(decoder.recurrent.state_dict())
    encoder.forwards.stack[0].all_weights[0][0].div_(smaller)


def batches(
    classifier: TextClassifier, texts: Labelled, config: Config, *, rank: int = 0, world_size: int = 1
) -> ExampleBatches[Examples]:
    """Return batches of texts of like length."""
    rows = [classifier.encode(text) for text in texts.inputs]
    targets = texts.targets(classifier.classes)

    def collate(numbers: np.ndarray) -> Examples:
        tokens = torch.from_numpy(padded([rows[number] for number in numbers]))
        return Examples((tokens,), torch.from_numpy(targets[numbers]))

    lengths = np.array([len(row) for row in rows])
    return ExampleBatches(
        Buckets(lengths, config.batch_tokens, seed=config.seed, rank=rank, world_size=world_size), collate
    )


def trainers(config: Config, model: nn.Module) -> list[Optimizer]:
    """Return the optimizers: of a generator's layers with smaller rates, and each later than the one above it.

    Howard and Ruder 2018, Universal Language Model Fine-tuning for Text Classification.
    """
    encoder = cast("SequenceEncoder", model.encoder)
    old = [*reversed(encoder.forwards.stack), encoder.embedding] if config.init_from else []
    groups = [
        Group(list(layer.parameters()), config.learning_rate_factor**depth, config.unfreeze * depth)
        for depth, layer in enumerate(old, start=1)
    ]
    return optimizers(
        model, config.optimizer, config.learning_rate, adamw_learning_rate=config.adamw_learning_rate, groups=groups
    )


def bag_of_words_accuracy(splits: Splits) -> float:
    """Return the test accuracy of a logistic regression on word counts, to see what the network is worth."""
    words = TfidfVectorizer(token_pattern=r"\w+|[^\w\s]", sublinear_tf=True, min_df=2, ngram_range=(1, 1))
    baseline = make_pipeline(words, LogisticRegression(C=10.0, max_iter=300))
    baseline.fit(splits.train.inputs, splits.train.labels)
    return float(baseline.score(splits.test.inputs, splits.test.labels))


def main() -> None:
    """Train, and show how good it is."""
    config = parse_options(Config, __doc__ or "")
    run = Run(config, "text_classifier", default_seconds=100, unit="examples")

    splits = read(config)
    trained = classifier(config, splits)
    trained.model.to(run.device)
    train = batches(trained, splits.train, config, rank=run.rank, world_size=run.world_size)
    task = Task(
        train,
        batches(trained, splits.valid, config),
        splits.classes,
        splits.train.targets(splits.classes),
        int(train.buckets.lengths.sum()),
        hashlib.sha256(repr((splits.train, splits.valid)).encode()).hexdigest(),
    )
    cut = int((train.buckets.lengths > config.max_length).sum())
    run.say(
        f"{config.data}: {len(splits.train):,} texts of {len(splits.classes)} classes to train on, "
        f"{len(splits.valid):,} to validate on, {len(splits.test):,} to test on; {task.tokens / len(splits.train):.0f} "
        f"tokens a text of {trained.tokenizer.vocab_size:,} different, {cut:,} texts cut to {config.max_length}; "
        f"{run.device} in {run.precision}; the run is in {run.directory}"
    )
    harden = None
    if config.adversarial:
        embedding = cast("SequenceEncoder", trained.model.encoder).embedding
        harden = partial(adversarial, embedding=embedding, size=config.adversarial)
    train_answers(config, run, trained, trainers(config, trained.model), task, harden)
    if run.main:
        test(run, task, splits)


def test(run: Run, task: Task, splits: Splits) -> None:
    """Measure the best model as it was saved, beside simpler ways, and say how to use it."""
    best = TextClassifier.from_pretrained(run.model_directory).to(run.device)
    targets = splits.test.targets(splits.classes)
    answered = Answered(np.log(best.probabilities(splits.test.inputs).clip(1e-30)), targets, splits.classes)
    baselines = {
        "majority": majority_accuracy(task.train_targets, targets),
        "baseline": bag_of_words_accuracy(splits),
    }
    report(run, task, best.model, answered, baselines, lambda number: str(splits.test.inputs[number]))
    print(f"--- everything is in {run.directory}; to classify texts of your own:\n")
    print(shlex.join(["seqgen", "classify", str(run.directory), " ".join(splits.test.inputs[0].split()[:12])]))


if __name__ == "__main__":
    run_main(main)
