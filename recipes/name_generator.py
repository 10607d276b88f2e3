"""Train a recurrent network to generate texts for a category, such as names, for 60 seconds unless a limit is given.

With no argument it learns function names for each package of Python's standard library. Give it texts of your own with
--data: a label (surnames by language, products by brand) or numbers and a text in each row, or a file of texts for each
category.
"""

from seqgen.exits import run_main

import math
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from seqgen import patterns
from seqgen.data.catalog import conditioned_texts
from seqgen.data.labelled import Labelled, TextColumns, read_numbers
from seqgen.data.paths import kept
from seqgen.data.splits import LabelledSplits
from seqgen.figures.section import Section
from seqgen.inference.conditional_generator import ConditionalGenerator
from seqgen.runs.config import RunConfig, parse_options
from seqgen.runs.evaluation import best_model, mean_loss
from seqgen.runs.initial_model import initial_model
from seqgen.runs.run import Run
from seqgen.runs.sizes import CONDITIONAL_GENERATOR
from seqgen.runs.training import Training
from seqgen.tasks.encoder_decoder import line_options
from seqgen.text.tokenizer import fit_tokenizer
from seqgen.training.losses import target_tokens

WRITTEN = 100  # texts generated for each category, to be classified


@dataclass(kw_only=True)
class Config(RunConfig, TextColumns):
    """Options of the name generator."""

    recipe = "name_generator"
    builder = patterns.conditional_generator
    sizes = CONDITIONAL_GENERATOR

    data: str = "function-names"
    """files with columns or lines of a label and a text, a file for each category, or function-names"""
    conditions: Literal["categories", "numbers"] = "categories"
    """content of the label column: a category, or the same number of numbers in each row, separated by white space"""
    tokenizer: Literal["char", "byte", "word", "lowercase-word", "subword", "bpe"] = "char"
    """kind of tokens of names"""
    max_length: int = 60
    """maximum number of tokens of a text; longer ones are cut"""
    batch_tokens: int = 2000
    """tokens of a batch of names, padding included"""


def untrained(config: Config, train: Labelled) -> ConditionalGenerator:
    """Return an untrained generator for the categories, or the numbers, of the training texts."""
    target = fit_tokenizer(config.tokenizer, (text + "\n" for text in train.inputs))
    conditions: dict[str, Any] = {"categories": sorted(set(train.labels))}
    if config.conditions == "numbers":
        numbers = np.array([read_numbers(label) for label in train.labels])
        conditions = {"mean": numbers.mean(axis=0).tolist(), "deviation": numbers.std(axis=0).clip(1e-8).tolist()}
    generation = line_options(target, config.max_length)
    return ConditionalGenerator.untrained(target=target, generation=generation, **conditions, **config.model)


def main() -> None:
    """Train a generator, keep the one with the lowest validation loss, and test it."""
    config = parse_options(Config)
    run = Run(config, default_seconds=60)
    config.data = kept(config.data)
    splits = conditioned_texts(config.data, columns=config, conditions=config.conditions, seed=run.split_seed)
    loss = partial(target_tokens, label_smoothing=config.label_smoothing)
    generator = initial_model(run, splits) or untrained(config, splits.train)
    examples = generator.examples(splits.train)
    config, generator = run.resized(config, generator, examples, loss)
    names = run.batches(examples, config.batch_tokens)
    unseen = run.batches(generator.examples(splits.valid), config.batch_tokens)
    count = len(generator.categories or generator.mean)
    run.describe(f"names with {count} {config.conditions}: {splits.sizes}", generator)
    with Training(run, generator, splits.fingerprint) as training:
        for step in training.steps(names, loss):
            if training.due(step):
                one = splits.valid.labels[step.number % len(splits.valid)]
                written = training.averaged.generate(one, num_return_sequences=4, seed=config.seed)
                run.say(f"  {one}: {', '.join(written)}")
                average, validation_loss = training.averaged.model, run.in_precision(target_tokens)
                training.evaluated(step, mean_loss(run, average, unseen.once(), validation_loss))
    best = best_model(training)
    tested = run.batches(best.examples(splits.test), config.batch_tokens)
    losses = [mean_loss(run, best.model, batches.once(), target_tokens) for batches in (unseen, tested)]
    if run.main:
        test(training, best, splits, *losses)


def test(
    training: Training[ConditionalGenerator],
    best: ConditionalGenerator,
    splits: LabelledSplits,
    val_loss: float,
    test_loss: float,
) -> None:
    """Test the best generator, show samples, classify them by category, and print the command for more."""
    seed = training.run.config.seed
    shown = best.categories[:: max(len(best.categories) // 8, 1)] or list(splits.test.labels[:8])
    written = [best.generate(one, num_return_sequences=6, seed=seed + place) for place, one in enumerate(shown)]
    samples = "\n".join(f"  {one}: {', '.join(texts)}" for one, texts in zip(shown, written, strict=True))
    accuracies = classify_generated(best, splits, seed) if best.categories else {}
    perplexity = math.exp(test_loss)
    losses = {"val_loss": val_loss, "test_loss": test_loss, "test_perplexity": perplexity}
    training.results(Section("Samples", samples), **losses, **accuracies)
    print(f"{samples}\n\n--- test loss {test_loss:.4f} nats a token, perplexity {perplexity:.2f}", end="")
    if accuracies:
        print(
            f"; {accuracies['told_apart']:.2%} of the generated texts are classified correctly, of the test texts ",
            end="",
        )
        print(f"{accuracies['told_apart_real']:.2%}, by chance {accuracies['told_apart_by_chance']:.2%}; ", end="")
        print(f"{accuracies['new']:.1%} are new", end="")
    print()
    training.run.show_use("to generate more", "generate", shown[0])


def classify_generated(generator: ConditionalGenerator, splits: LabelledSplits, seed: int) -> dict[str, float]:
    """Return the accuracy of a classifier of real texts on generated ones, and the fraction of these that are new."""
    counts = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4), sublinear_tf=True)
    some = splits.train.chosen(range(0, len(splits.train), -(-len(splits.train) // 50_000)))
    judge = make_pipeline(counts, LogisticRegression(C=10.0, max_iter=300)).fit(some.inputs, some.labels)
    labels = [name for name in generator.categories for _ in range(WRITTEN)]
    written = generator.generate(generator.categories, num_return_sequences=WRITTEN, seed=seed)
    different = set(written)
    known = different.intersection(text for text in splits.train.inputs if text in different)
    return {
        "told_apart": float(judge.score(written, labels)),
        "told_apart_real": float(judge.score(splits.test.inputs, splits.test.labels)),
        "told_apart_by_chance": 1 / len(generator.categories),
        "new": float(np.mean([text not in known for text in written])),
    }


if __name__ == "__main__":
    run_main(main)
