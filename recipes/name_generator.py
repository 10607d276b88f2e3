"""Train a recurrent network to write texts of a kind, such as names, for 60 seconds unless a limit is given.

With no argument it learns to name functions as each package of Python's standard library would. Give it texts of your
own with --data: a file with a label (surnames by language, products by brand) or numbers and a text in each row.
"""

import hashlib
import json
import math
import shlex
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from seqgen import patterns
from seqgen.batches.buckets import Buckets
from seqgen.batches.examples import ExampleBatches
from seqgen.batches.pairs import Pairs, pairs
from seqgen.data.labelled import Labelled, read_texts, split_labelled
from seqgen.data.sets.function_names import FUNCTION_NAMES, function_names
from seqgen.errors import InputError, run_main
from seqgen.files import write_text
from seqgen.inference.conditional_generator import ConditionalGenerator, read_numbers
from seqgen.inference.encoder_decoder import of_lines
from seqgen.runs.config import RunConfig, parse_options
from seqgen.runs.run import Run
from seqgen.text.tokenizer import fit_tokenizer
from seqgen.training.losses import evaluate, target_tokens
from seqgen.training.optimizers import optimizers

MODEL_OPTIONS = ("cell", "hidden_size", "layers", "embedding_size", "condition_size", "dropout")
WRITTEN = 100  # texts to each category, to see whether they are told apart


@dataclass(kw_only=True)
class Config(RunConfig):
    """Options of the name generator."""

    data: str = FUNCTION_NAMES
    """a .tsv, .csv or .jsonl, lines of a label and a text, or function-names"""
    label_column: str = "label"
    """name or number (from 1) of the column with the label, or with the numbers"""
    text_column: str = "text"
    """name or number (from 1) of the column with the text"""
    conditions: Literal["categories", "numbers"] = "categories"
    """what the label column holds: a category in each row, or as many numbers, with white space between them"""
    tokenizer: Literal["char", "byte", "word", "lowercase-word", "subword", "bpe"] = "char"
    """what a token is"""
    max_length: int = 60
    """the most tokens of a text; longer ones are cut"""
    cell: Literal["lstm", "gru", "rnn"] = "lstm"
    """the recurrent cell"""
    hidden_size: int = 256
    """features of the hidden state"""
    layers: int = 2
    """recurrent layers"""
    embedding_size: int = 64
    """features of a token's embedding"""
    condition_size: int = 64
    """features of a category's embedding, or of the layers that read the numbers"""
    dropout: float = 0.3
    """share of features dropped"""
    batch_tokens: int = 2000
    """tokens of a batch, padding included"""
    patience: int | None = 10
    """end after so many validations in a row without a better one"""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_above_zero("max_length", "hidden_size", "layers", "embedding_size", "condition_size")
        self.require_above_zero("batch_tokens")
        self.require_share("dropout")


def read(config: Config) -> tuple[Labelled, Labelled, Labelled]:
    """Return what is trained, validated and tested on, a tenth of each category in the last two."""
    data = (
        function_names()
        if config.data == FUNCTION_NAMES
        else read_texts(config.data, config.label_column, config.text_column)
    )
    if config.conditions == "categories":
        splits = split_labelled(data, None, None, config.seed)
        return splits.train, splits.valid, splits.test
    numbers_of(data)  # before any is trained on, all are seen to be numbers
    if len(data) < 20:
        raise InputError(f"there must be at least 20 texts to split, not {len(data)}")
    order = np.random.default_rng(config.seed).permutation(len(data))
    valid, test, train = np.split(order, [len(data) // 10, len(data) // 5])
    return data.chosen(train), data.chosen(valid), data.chosen(test)


def untrained(config: Config, train: Labelled) -> ConditionalGenerator:
    """Return a generator that has learned nothing."""
    target = fit_tokenizer(config.tokenizer, (text + "\n" for text in train.inputs))
    generation = of_lines(target, config.max_length)
    categories, mean, deviation = sorted(set(train.labels)), np.zeros(0), np.zeros(0)
    if config.conditions == "numbers":
        numbers = numbers_of(train)
        categories, mean, deviation = [], numbers.mean(axis=0), numbers.std(axis=0).clip(1e-8)
    arguments: dict[str, Any] = {name: getattr(config, name) for name in MODEL_OPTIONS}
    model = patterns.conditional_generator(
        target.vocab_size, categories=len(categories), numbers=len(mean), **arguments
    )
    return ConditionalGenerator(model, arguments, target, generation, categories, mean.tolist(), deviation.tolist())


def numbers_of(data: Labelled) -> np.ndarray:
    """Return the (texts, numbers) of the labels."""
    rows = []
    for label, where in zip(data.labels, data.where, strict=True):
        try:
            rows.append(read_numbers(label))
        except ValueError:
            raise InputError(f"{where}: with --conditions numbers a label must be numbers, not {label!r}") from None
        if len(rows[-1]) != len(rows[0]):
            raise InputError(f"{where}: there must be {len(rows[0])} numbers as in the first row, not {len(rows[-1])}")
    return np.array(rows)


def batches(
    generator: ConditionalGenerator, data: Labelled, config: Config, *, rank: int = 0, world_size: int = 1
) -> ExampleBatches[Pairs]:
    """Return batches of texts of like length with their conditions."""
    rows, conditions = [generator.target.encode(text) for text in data.inputs], generator.encode(data.labels)

    def collate(numbers: np.ndarray) -> Pairs:
        return pairs((conditions[numbers],), [rows[number] for number in numbers], config.max_length)

    lengths = np.array([min(len(row) + 1, config.max_length) for row in rows])
    return ExampleBatches(
        Buckets(lengths, config.batch_tokens, seed=config.seed, rank=rank, world_size=world_size), collate
    )


def main() -> None:
    """Train, and show what was learned."""
    config = parse_options(Config, __doc__ or "")
    run = Run(config, "name_generator", default_seconds=60)

    data = read(config)
    generator = untrained(config, data[0])
    generator.model.to(run.device)
    train_batches = batches(generator, data[0], config, rank=run.rank, world_size=run.world_size)
    run.say(
        f"{config.data}: {len(data[0]):,} texts to train on, {len(data[1]):,} to validate on, {len(data[2]):,} to test "
        f"on, {len(generator.categories) or len(generator.mean)} {config.conditions}; {run.device} in {run.precision}; "
        f"the run is in {run.directory}"
    )
    train(config, run, generator, train_batches, batches(generator, data[1], config), repr(data[:2]))
    if run.main:
        test(config, run, data)


def train(
    config: Config,
    run: Run,
    generator: ConditionalGenerator,
    batches: ExampleBatches[Pairs],
    valid: ExampleBatches[Pairs],
    data: str,
) -> None:
    """Train until the schedule or patience ends; the best model is saved on the way."""
    trainers = optimizers(
        generator.model, config.optimizer, config.learning_rate, adamw_learning_rate=config.adamw_learning_rate
    )
    loss = partial(target_tokens, label_smoothing=config.label_smoothing)
    eval_every = max(batches.buckets.batches_per_epoch // config.accumulate, 20)
    run.begin(generator, trainers, hashlib.sha256(data.encode()).hexdigest())
    with run:
        for step in run.steps(batches, loss):
            if step.number % eval_every == 0 or step.last:
                run.evaluated(step, evaluate(generator.model, valid.once(), run.in_precision(target_tokens)))


def test(config: Config, run: Run, data: tuple[Labelled, Labelled, Labelled]) -> None:
    """Measure the best model as it was saved, show what it writes, and say how to have more."""
    generator = ConditionalGenerator.from_pretrained(run.model_directory).to(run.device)
    test_loss = evaluate(generator.model, batches(generator, data[2], config).once(), target_tokens)
    results = {
        "val_loss": evaluate(generator.model, batches(generator, data[1], config).once(), target_tokens),
        "test_loss": test_loss,
        "test_perplexity": math.exp(test_loss),
        **(told_apart(generator, data, config.seed) if generator.categories else {}),
        "steps": run.progress.steps,
        "seconds": run.progress.seconds,
        "tokens_per_second": run.progress.tokens / max(run.progress.training_seconds, 1e-9),
        "parameters": sum(parameter.numel() for parameter in generator.model.parameters()),
        "precision": run.precision,
        "seed": config.seed,
    }
    write_text(run.directory / "results.json", json.dumps(results, indent=2) + "\n")
    shown = generator.categories[:: max(len(generator.categories) // 8, 1)] or data[2].labels[:8]
    for place, condition in enumerate(shown):
        written = generator.generate(condition, num_return_sequences=6, seed=config.seed + place)
        print(f"  {condition}: {', '.join(written)}")
    print(f"\n--- test loss {test_loss:.4f} nats a token, perplexity {results['test_perplexity']:.2f}", end="")
    if generator.categories:
        print(f"; {results['told_apart']:.2%} of what it wrote is told apart, of what people wrote ", end="")
        print(f"{results['told_apart_real']:.2%}, by chance {results['told_apart_by_chance']:.2%}; ", end="")
        print(f"{results['new']:.1%} is new", end="")
    print(f"\n--- everything is in {run.directory}; to have it write more:\n")
    print(shlex.join(["seqgen", "generate", str(run.directory), "--condition", shown[0]]))


def told_apart(
    generator: ConditionalGenerator, data: tuple[Labelled, Labelled, Labelled], seed: int
) -> dict[str, float]:
    """Return how well texts of categories are told apart by what learned from real ones, and how many are new."""
    judge = make_pipeline(
        TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4), sublinear_tf=True),
        LogisticRegression(C=10.0, max_iter=300),
    )
    judge.fit(data[0].inputs, data[0].labels)
    labels = [name for name in generator.categories for _ in range(WRITTEN)]
    written = generator.generate(generator.categories, num_return_sequences=WRITTEN, seed=seed)
    known = set(data[0].inputs)
    return {
        "told_apart": float(judge.score(written, labels)),
        "told_apart_real": float(judge.score(data[2].inputs, data[2].labels)),
        "told_apart_by_chance": 1 / len(generator.categories),
        "new": float(np.mean([text not in known for text in written])),
    }


if __name__ == "__main__":
    run_main(main)
