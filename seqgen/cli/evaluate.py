"""`seqgen evaluate`: the metrics of a model on a labelled file."""

import json
import math
from collections.abc import Callable
from itertools import chain
from typing import Any

import numpy as np

from seqgen.cli.evaluate_texts import Figures, evaluate_texts, open_generator
from seqgen.cli.labelled import Answers, labelled, refuse_others, require_known
from seqgen.cli.members import members_first
from seqgen.cli.trained import as_trained
from seqgen.errors import InputError
from seqgen.inference.captioner import Captioner
from seqgen.inference.causal_language_model import CausalLanguageModel
from seqgen.inference.conditional_generator import ConditionalGenerator
from seqgen.inference.ensemble import ensemble
from seqgen.inference.generator import Generator
from seqgen.inference.tagger import Tagger
from seqgen.inference.translator import Translator
from seqgen.metrics.captions import caption_scores
from seqgen.metrics.classification import Answered, are_of_spans, span_f1
from seqgen.metrics.translation import bleu, chrf
from seqgen.tasks.classifiers import ClassifierTask


def evaluate(options: dict[str, Any]) -> None:
    """Print the metrics that the recipe of a model prints at its end, on a labelled file, or those of generators.

    Several models of another kind than generators are an ensemble.
    """
    places, file = _models_and_file(options)
    options, models = options | {"file": file}, {place: open_generator(place, options) for place in places}
    if any(model is None or isinstance(model, Generator | CausalLanguageModel) for model in models.values()):
        if len(places) > 1 and options["data"] is None:
            raise InputError(f"several models must come with --data, the text, but {places[1]!r} is a second one")
        evaluate_texts(models, options)
        return
    model = ensemble([models[place] for place in places]) if len(places) > 1 else models[places[0]]
    kind = model.builder
    refuse_others(options, kind, *(["num_beams"] if isinstance(model, Translator | Captioner) else []))
    search = {} if options["num_beams"] is None else {"num_beams": options["num_beams"]}
    figures = METRICS[kind](model, labelled(as_trained(options), kind, file), search)
    table = str(figures.pop("table", ""))
    if options["json"]:
        print(json.dumps(figures, ensure_ascii=False))
        return
    print(f"{table}\n\n" if table else "", end="")
    for name, figure in figures.items():
        print(f"{name}\t{figure if isinstance(figure, str | int) else f'{figure:.4f}'}")


def _models_and_file(options: dict[str, Any]) -> tuple[list[str], str | None]:
    """Return the places of the models and the file to evaluate them on, the argument after them or that of `--data`."""
    first, more = options["directory"], options["more"]
    if options["data"] is not None:
        return [first, *more], options["data"]
    members, others = members_first(more)
    if len(others) > 1:
        raise InputError(
            f"several models must come with --data, the text, and several --adapt with commas between, but "
            f"{others[1]!r} is one argument more than models and a file"
        )
    return [first, *members], others[0] if others else None


def of_classes(classifier: ClassifierTask, data: Answers, search: dict[str, Any]) -> Figures:
    """Return accuracy, macro F1, calibration error and loss, and a table of all classes."""
    require_known("label", data.answers, classifier.classes)
    targets = np.array([classifier.classes.index(label) for label in data.answers])
    logs = np.log(classifier.probabilities(data.inputs).clip(1e-30))
    return _answered(Answered(logs, targets, classifier.classes))


def of_tags(tagger: Tagger, data: Answers, search: dict[str, Any]) -> Figures:
    """Return the same of each token's tag, and the F1 of spans where tags are those of spans."""
    require_known("tag", chain.from_iterable(data.answers), tagger.tags)
    targets = np.array([tagger.tags.index(tag) for tags in data.answers for tag in tags])
    logs = np.log(np.concatenate(tagger.probabilities(data.inputs)).clip(1e-30))
    answered = Answered(logs, targets, tagger.tags)
    figures = _answered(answered)
    if are_of_spans(tagger.tags):
        ends = np.cumsum([len(row) for row in data.inputs])
        rows = np.split(answered.predictions, ends[:-1])
        figures["span_f1"] = span_f1([[tagger.tags[number] for number in row] for row in rows], data.answers)
    return figures


def _answered(answered: Answered) -> Figures:
    return {
        "table": answered.table(),
        "accuracy": answered.accuracy,
        "macro_f1": answered.macro_f1,
        "calibration_error": answered.calibration_error,
        "loss": answered.loss,
        "examples": len(answered.targets),
    }


def of_translations(translator: Translator, data: Answers, search: dict[str, Any]) -> Figures:
    """Return BLEU, chrF and the fraction of exact translations, from 0 to 100, and sacrebleu's signatures."""
    written = [one.text for one in translator.translate(data.inputs, num_return_sequences=1, **search)]
    scores = {"bleu": bleu(written, data.answers), "chrf": chrf(written, data.answers)}
    exact = sum(one == other for one, other in zip(written, data.answers, strict=True)) / len(written)
    figures: Figures = {name: measured.score for name, measured in scores.items()}
    signatures = " ".join(measured.signature for measured in scores.values())
    return figures | {"exact": 100 * exact, "sentences": len(written), "signatures": signatures}


def of_captions(captioner: Captioner, data: Answers, search: dict[str, Any]) -> Figures:
    """Return BLEU-1 to BLEU-4, CIDEr-D, ROUGE-L and chrF, and the numbers of images and of different captions."""
    written = [one.text for one in captioner.caption(data.inputs, num_return_sequences=1, **search)]
    figures: Figures = {**caption_scores(written, data.answers)}
    return figures | {"distinct_captions": len(set(written)), "images": len(written)}


def of_conditions(generator: ConditionalGenerator, data: Answers, search: dict[str, Any]) -> Figures:
    """Return the mean loss of a token of the texts, given their conditions, and the perplexity."""
    scores = generator.score(data.inputs, data.answers)
    loss = -sum(one.log_probability for one in scores) / sum(len(one.tokens) for one in scores)
    return {"loss": loss, "perplexity": math.exp(loss), "texts": len(scores)}


METRICS: dict[str, Callable[[Any, Answers, dict[str, Any]], Figures]] = {
    "text_classifier": of_classes,
    "image_classifier": of_classes,
    "tagger": of_tags,
    "translator": of_translations,
    "captioner": of_captions,
    "conditional_generator": of_conditions,
}
