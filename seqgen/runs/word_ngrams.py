"""Word n-grams beside the network of a text classifier: the baseline of its run, or mixed with it (`--with_ngrams`)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from seqgen.data.labelled import Labelled
from seqgen.data.splits import LabelledSplits
from seqgen.inference.classifiers import TextClassifier
from seqgen.metrics.classification import Answered
from seqgen.runs.evaluation import shared_out
from seqgen.runs.run import Run
from seqgen.tasks.ngram_classifier import fit_ngram_classifier
from seqgen.tasks.ngram_mixture import LEAST, NGramMixture

# A baseline learns from at most so many texts, and from fewer where each class needs a regression of its own.
BASELINE, REGRESSIONS = 100_000, 500_000


@dataclass(kw_only=True)
class NGramOptions:
    """Options of word n-grams beside a network."""

    with_ngrams: bool = False
    """average the network's log-probabilities with those of word n-grams, by weights found on the validation part"""


def answers_beside_ngrams(run: Run, best: TextClassifier, splits: LabelledSplits) -> tuple[Answered, dict[str, float]]:
    """Return the answers to the test texts, and the figures of network and word n-grams, as they are in all processes.

    With `--with_ngrams` the answers are those of both mixed, which is saved as the model of the run.

    Args:
        run: whose processes each classify a part of the texts.
        best: the classifier with the best validation.
        splits: the texts to fit the n-grams to, to validate and to test on.
    """
    network, parts = replace(best, ngrams=None), (splits.valid, splits.test)
    alone = [np.array(shared_out(run, network.probabilities, part.inputs)) for part in parts]
    mixed = bool(vars(run.config)["with_ngrams"])

    def found() -> tuple[Answered, dict[str, float]]:
        train = splits.train if mixed else _some(splits)
        ngrams = fit_ngram_classifier(train.inputs, train.labels, classes=best.classes)
        theirs = [ngrams.probabilities(part.inputs) for part in parts]
        figures = {"baseline_accuracy": _answered(theirs[1], splits.test, best).accuracy}
        if not mixed:
            return _answered(alone[1], splits.test, best), figures | _figures(alone[:1], parts, best, "", ("loss",))
        mixture = NGramMixture.fit(ngrams, alone[0], splits.valid.inputs, splits.valid.labels)
        first = best.members[0] if best.members else best  # whose n-grams are those of an ensemble
        replace(first, ngrams=mixture).save_pretrained(run.model_directory)
        both = [mixture.probabilities(own, part.inputs) for own, part in zip(alone, parts, strict=True)]
        figures |= _figures(alone, parts, best, "network_") | _figures(theirs, parts, best, "ngram_")
        figures |= dict(zip(("network_weight", "ngram_weight"), mixture.weights, strict=True))
        figures |= _figures(both[:1], parts, best, "")
        run.say(
            f"network and word n-grams, mixed with weights {mixture.weights[0]:.2f} and {mixture.weights[1]:.2f}: "
            f"validation accuracy {figures['val_accuracy']:.2%}, that of the network alone "
            f"{figures['network_val_accuracy']:.2%}, of the n-grams alone {figures['ngram_val_accuracy']:.2%}"
        )
        return _answered(both[1], splits.test, best), figures

    return run.processes.from_main(found)


def _answered(probabilities: np.ndarray, part: Labelled, best: TextClassifier) -> Answered:
    return Answered(np.log(probabilities.clip(LEAST)), part.targets(best.classes), best.classes)


def _figures(
    probabilities: Sequence[np.ndarray],
    parts: Sequence[Labelled],
    best: TextClassifier,
    prefix: str,
    measures: Sequence[str] = ("loss", "accuracy"),
) -> dict[str, float]:
    """Return the measures of the probabilities of the first parts, by their names."""
    answered = zip(("val", "test"), probabilities, parts, strict=False)
    return {
        f"{prefix}{name}_{measure}": getattr(_answered(found, part, best), measure)
        for name, found, part in answered
        for measure in measures
    }


def _some(splits: LabelledSplits) -> Labelled:
    """Return texts to train a baseline on, evenly chosen."""
    regressions = len(splits.classes) if len(splits.classes) > 2 else 1
    most, train = min(BASELINE, REGRESSIONS // regressions), splits.train
    return train.chosen(range(0, len(train), -(-len(train) // max(most, 1))))
