"""Train a recurrent network to tag each token of a text, for 100 seconds unless a limit is given.

With no argument it learns to highlight Python: to tag each character of source with its kind of token. Give it tagged
text of your own with --data: CoNLL-U, or lines of a token and its tag.
"""

from seqgen.exits import run_main

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from seqgen import patterns
from seqgen.batches.examples import ExampleBatches, Examples
from seqgen.data.catalog import tagged_texts
from seqgen.data.examples import write_texts
from seqgen.data.paths import kept
from seqgen.data.splits import TaggedSplits
from seqgen.data.text_file import TextOptions
from seqgen.inference.tagger import Tagger, vocabularies
from seqgen.metrics.classification import Answered, are_of_spans, majority_accuracy, span_f1
from seqgen.runs.answers import report_answers
from seqgen.runs.config import LabelConfig, parse_options
from seqgen.runs.evaluation import best_model, shared_answers, shared_out
from seqgen.runs.initial_model import initial_model
from seqgen.runs.run import Run
from seqgen.runs.sizes import TAGGER
from seqgen.runs.training import Training
from seqgen.runs.vectors import ReadVectorOptions, begin_with_vectors, with_words_of_vectors
from seqgen.tasks.tagger import joined
from seqgen.training.answers import class_weights
from seqgen.training.frequent_tags import FrequentTags
from seqgen.training.losses import right_answer

SHOWN = 30  # tokens that a validation shows


@dataclass(kw_only=True)
class Config(ReadVectorOptions, LabelConfig, TextOptions):
    """Options of the tagger."""

    recipe = "tagger"
    builder = patterns.tagger
    sizes = TAGGER

    data: str = "python-source"
    """files of CoNLL-U, of lines of a token and its tag, or of JSON with "tokens" and "tags", or python-source"""
    vector_deviation: float | None = 1.0
    """standard deviation that vectors are scaled to: larger ones change less"""
    column: str = "UPOS"
    """name or number (from 1) of the column with the tags: of CoNLL-U, or of lines with more columns than two"""
    batch_tokens: int = 4000
    """tokens of a batch of sequences, padding included"""


def untrained(run: Run, config: Config, splits: TaggedSplits) -> Tagger:
    """Return an untrained tagger."""
    vocabulary, alphabet = vocabularies(splits.train.tokens)
    known = with_words_of_vectors(run, vocabulary)
    return Tagger.untrained(tags=splits.tags, vocabulary=known, alphabet=alphabet, **config.model)


def main() -> None:
    """Train a tagger, keep the most accurate one, and test it."""
    config = parse_options(Config)
    run = Run(config, default_seconds=100)
    config.data, columns = kept(config.data), {"column": config.column, "encoding": config.encoding}
    splits = tagged_texts(config.data, config.valid, config.test, **columns, seed=run.split_seed)
    balance = class_weights(config.class_weights, splits.frequencies, run.device)
    loss = partial(right_answer, class_weights=balance, label_smoothing=config.label_smoothing)
    tagger = initial_model(run, splits) or untrained(run, config, splits)
    examples = tagger.examples(splits.train)
    config, tagger = run.resized(config, tagger, examples, loss)
    sequences = run.batches(examples, config.batch_tokens)
    held_back = run.batches(tagger.examples(splits.valid), config.batch_tokens)
    tokens = f"{sequences.buckets.lengths.sum():,} tokens, {len(tagger.vocabulary):,} of them different"
    run.describe(f"sequences: {splits.sizes}; {tokens}, with {len(splits.tags)} tags", tagger)
    with Training(run, tagger, splits.fingerprint, groups=begin_with_vectors(run, tagger)) as training:
        for step in training.steps(sequences, loss):
            if training.due(step):
                run.say(f"  {sample(training.averaged, splits.valid.tokens[0][:SHOWN])}")
                tagged = shared_answers(run, training.averaged.model, held_back.once(), splits.tags)
                training.evaluated(step, tagged.loss, error=1 - tagged.accuracy, val_accuracy=tagged.accuracy)
    test(training, splits, held_back)


def test(training: Training[Tagger], splits: TaggedSplits, held_back: ExampleBatches[Examples]) -> None:
    """Test the best tagger and the most frequent tag of each token or ending, and print the command to use it."""
    run, best = training.run, best_model(training)
    figures = {"val_loss": shared_answers(run, best.model, held_back.once(), best.tags).loss}
    data, rows = splits.test, list(splits.test.tokens)
    probabilities = np.concatenate(shared_out(run, best.probabilities, rows))
    if not run.main:
        return
    ends = np.cumsum([len(row) for row in rows])
    targets = np.array([best.tags.index(tag) for tags in data.tags for tag in tags])
    answered = Answered(np.log(probabilities.clip(1e-30)), targets, best.tags)
    frequent = FrequentTags.fit(splits.train.tokens, splits.train.tags)
    usual = np.array([best.tags.index(tag) for row in rows for tag in frequent.tag(row)]) == targets
    baselines = {"majority": majority_accuracy(splits.frequencies, targets), "baseline": float(usual.mean())}
    unseen = np.array([token not in frequent.of_tokens for row in rows for token in row])
    if unseen.any():
        figures["test_accuracy_unseen"] = float((answered.predictions == targets)[unseen].mean())
        figures["baseline_accuracy_unseen"] = float(usual[unseen].mean())
    if are_of_spans(best.tags):
        found = [[best.tags[number] for number in row] for row in np.split(answered.predictions, ends[:-1])]
        figures["test_span_f1"] = span_f1(found, data.tags)
    report_answers(training, answered, baselines, partial(in_context, rows, ends), figures)
    for name, figure in list(figures.items())[1:]:
        print(f"--- {name.removeprefix('test_').replace('_', ' ')} {figure:.4f}")
    write_texts(run.directory, (row if isinstance(row, str) else " ".join(row) for row in rows))
    run.show_use("to tag texts of your own", "tag", "file.txt")


def sample(tagger: Tagger, tokens: Sequence[str]) -> str:
    """Return tagged tokens as text, with each tag once for all tokens in a row that have it."""
    joint = "" if isinstance(tokens, str) else " "
    return "  ".join(f"{text} [{tag}]" for text, tag in joined(tagger.tag([tokens])[0], joint))


def in_context(rows: list[Sequence[str]], ends: np.ndarray, number: int) -> str:
    """Return a token with its neighbours, by its number among the tokens of all rows and the ends of the rows."""
    row = int(np.searchsorted(ends, number, side="right"))
    tokens = rows[row]
    place = number - int(ends[row]) + len(tokens)
    joint, reach = ("", 30) if isinstance(tokens, str) else (" ", 5)
    before, after = tokens[max(place - reach, 0) : place], tokens[place + 1 : place + 1 + reach]
    return f"{joint.join(before)}{joint}[{tokens[place]}]{joint}{joint.join(after)}"


if __name__ == "__main__":
    run_main(main)
