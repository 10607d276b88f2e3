"""Train a recurrent network to classify texts, for 100 seconds unless a limit is given.

With no argument it learns to classify passages of source and documentation by package of Python's standard library.
Give it texts of your own with --data: a label and a text in each row, or a file or folder for each class.
"""

from seqgen.exits import run_main

from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from seqgen import patterns
from seqgen.data.catalog import labelled_texts
from seqgen.data.examples import write_texts
from seqgen.data.paths import kept
from seqgen.data.splits import LabelledSplits
from seqgen.inference.classifiers import TextClassifier
from seqgen.metrics.classification import Answered, majority_accuracy
from seqgen.runs.answers import report_answers, show_classified
from seqgen.runs.config import parse_options
from seqgen.runs.evaluation import best_model, shared_answers
from seqgen.runs.fine_tuning import FineTuningConfig, beginning, fine_tuning
from seqgen.runs.run import Run
from seqgen.runs.sizes import TEXT_CLASSIFIER
from seqgen.runs.training import Training
from seqgen.runs.vectors import ReadVectorOptions, begin_with_vectors, with_words_of_vectors
from seqgen.runs.word_ngrams import NGramOptions, answers_beside_ngrams
from seqgen.text.tokenizer import fit_tokenizer
from seqgen.training.answers import class_weights
from seqgen.training.losses import LossFunction, right_answer


@dataclass(kw_only=True)
class Config(NGramOptions, ReadVectorOptions, FineTuningConfig):
    """Options of the text classifier."""

    recipe = "text_classifier"
    builder = patterns.text_classifier
    sizes = TEXT_CLASSIFIER
    transferred = (patterns.generator,)

    data: str = "python-packages"
    """files with columns or lines of a label and a text, a file or folder for each class, or python-packages"""
    tokenizer: Literal["char", "byte", "word", "lowercase-word", "subword", "bpe"] = "word"
    """kind of tokens of the texts"""
    vocab_size: int | None = None
    """maximum size of the vocabulary; other words are read as unknown, or in smaller pieces"""
    max_length: int = 500
    """maximum number of tokens of a text; of a longer one the beginning and the end are read"""
    batch_tokens: int = 2500
    """tokens of a batch of texts, padding included"""


def untrained(run: Run, config: Config, splits: LabelledSplits, **parts: Any) -> TextClassifier:
    """Return an untrained classifier."""
    tokenizer = fit_tokenizer(config.tokenizer, (f"{text}\n" for text in splits.train.inputs), config.vocab_size)
    return TextClassifier.untrained(tokenizer=with_words_of_vectors(run, tokenizer), **parts)


def main() -> None:
    """Train a classifier, keep the most accurate one, and test it."""
    config = parse_options(Config)
    run = Run(config, default_seconds=100, unit="examples")
    config.data = kept(config.data)
    splits = labelled_texts(config.data, valid=config.valid, test=config.test, columns=config, seed=run.split_seed)
    weights = class_weights(config.class_weights, splits.frequencies, run.device)
    loss: LossFunction = partial(right_answer, label_smoothing=config.label_smoothing, class_weights=weights)
    parts: dict[str, Any] = {"classes": splits.classes, "max_length": config.max_length, **config.model}
    begun = beginning(run, splits, **parts)
    classifier = begun.classifier or untrained(run, config, splits, **parts)
    examples = classifier.examples(splits.train)
    config, classifier = run.resized(config, classifier, examples, loss)
    texts = run.batches(examples, config.batch_tokens)
    valid = run.batches(classifier.examples(splits.valid), config.batch_tokens)
    cut = int((texts.buckets.lengths > config.max_length).sum())
    read = f"{texts.mean_length:.0f} tokens a text, {cut:,} texts cut to {config.max_length}"
    run.describe(f"texts of {len(splits.classes)} classes: {splits.sizes}; {read}", classifier)
    tuning = fine_tuning(run, classifier, splits, texts, loss, begun.generators)
    groups = tuning.groups + begin_with_vectors(run, classifier)
    with Training(run, classifier, tuning.identity, groups=groups) as training:
        for step in training.steps(tuning.batches, tuning.loss):
            if training.due(step):
                show_classified(training, splits.valid.inputs, splits.valid.labels, splits.valid.inputs)
                found = shared_answers(run, training.averaged.model, valid.once(), splits.classes)
                training.evaluated(step, found.loss, error=1 - found.accuracy, val_accuracy=found.accuracy)
    answered, figures = answers_beside_ngrams(run, best_model(training), splits)
    if run.main:
        speed = training.progress.rate * texts.mean_length
        test(training, answered, splits, **figures, tokens_per_second=speed)


def test(training: Training[TextClassifier], answered: Answered, splits: LabelledSplits, **figures: float) -> None:
    """Report the answers to the test texts beside those of word n-grams, and print the command to use the model."""
    majority = majority_accuracy(splits.frequencies, answered.targets)
    baselines = {"majority": majority, "baseline": figures.pop("baseline_accuracy")}
    if "network_test_accuracy" in figures:  # without the n-grams that it is mixed with
        baselines["network_test"] = figures.pop("network_test_accuracy")
    report_answers(training, answered, baselines, lambda number: str(splits.test.inputs[number]), figures)
    write_texts(training.run.directory, splits.test.inputs)
    some_words = " ".join(splits.test.inputs[0].split()[:12])
    training.run.show_use("to classify texts of your own", "classify", some_words)


if __name__ == "__main__":
    run_main(main)
