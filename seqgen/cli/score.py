"""`seqgen score`: the log-probabilities of texts, or of answers to inputs."""

import json
import os
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from seqgen.cli.inputs import lines, open_model
from seqgen.cli.labelled import labelled, refuse_others, require_known
from seqgen.cli.trained import as_trained
from seqgen.errors import InputError
from seqgen.tasks.captioner import CaptionerTask
from seqgen.tasks.classifiers import ClassifierTask
from seqgen.tasks.generator import GeneratorTask
from seqgen.tasks.score import Score
from seqgen.tasks.tagger import TaggerTask

PAIRS = 256  # inputs and answers of a batch

Pair = tuple[Any, Any]


def score(options: dict[str, Any]) -> None:
    """Print the log-probability of each text, or of each answer given its input."""
    model = open_model(options, "score")
    refuse_others(options, model.builder)
    options = as_trained(options)
    if isinstance(model, GeneratorTask):
        for line in lines(
            options["texts"], as_texts=options["text"], encoding=options["encoding"], typed=options["typed"]
        ):
            if line.where and not line.text.strip():
                continue  # blank lines set texts apart
            try:
                found = model.score(line.text, unseen=options["unseen"] or "error")
            except InputError as error:
                raise InputError(f"{line.where}{error}") from None
            _show({"text": line.text}, found, options["json"])
        return
    if options["unseen"]:
        raise InputError(f"--unseen must be with a generator without conditions, not with one of {model.builder}")
    pairs = _pairs(options, model)
    while block := list(islice(pairs, PAIRS)):
        inputs, answers = map(list, zip(*block, strict=True))
        if isinstance(model, ClassifierTask):
            require_known("label", answers, model.classes, ": the order is text (or image), then label")
        for (given, answer), found in zip(block, model.score(inputs, answers), strict=True):
            _show({"input": _plain(given), "answer": _plain(answer)}, found, options["json"])


def _pairs(options: dict[str, Any], model: Any) -> Iterator[Pair]:
    """Yield inputs and answers: of a labelled file, of the arguments in turns, or of the lines of standard input."""
    given = options["texts"]
    is_file = len(given) == 1 and not options["text"] and os.path.exists(given[0])
    if is_file:
        found = labelled(options, model.builder, given[0])
        pairs: Iterable[Pair] = zip(found.inputs, found.answers, strict=True)
        if isinstance(model, CaptionerTask):
            pairs = ((image, caption) for image, captions in pairs for caption in captions)
        return iter(pairs)
    if len(given) % 2:
        raise InputError(
            f"there must be a labelled file, or an answer after each input, but {given[-1]!r} is neither a file nor "
            "followed by an answer"
        )
    read = (_parted(line) for line in lines([]) if line.text.strip())
    typed = zip(given[::2], given[1::2], strict=True) if given else read
    return ((text, answer.split() if isinstance(model, TaggerTask) else answer) for text, answer in typed)


def _parted(line: Any) -> Pair:
    text, tab, answer = line.text.partition("\t")
    if not tab:
        raise InputError(f"{line.where}a line must be an input, a tab and an answer, not {line.text[:80]!r}")
    return text, answer


def _plain(given: Any) -> str:
    """Return an input or an answer as text: that of several tokens or tags is joined by spaces."""
    return " ".join(given) if isinstance(given, list | tuple) else str(given)


def _show(texts: dict[str, str], found: Score | float, json_lines: bool) -> None:
    total = found.log_probability if isinstance(found, Score) else found
    perplexity = {"perplexity": found.perplexity} if isinstance(found, Score) else {}
    if json_lines:
        tokens = (
            {"tokens": found.tokens, "log_probabilities": found.log_probabilities} if isinstance(found, Score) else {}
        )
        print(json.dumps({**texts, "log_probability": total, **perplexity, **tokens}, ensure_ascii=False), flush=True)
        return
    figures = [f"{figure:.4f}" for figure in (total, *perplexity.values())]
    print("\t".join([*figures, *(" ".join(text.split()) for text in texts.values())]), flush=True)
