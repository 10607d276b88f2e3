"""`seqgen score`: the log-probabilities of texts, or of answers to inputs."""

import json
import os
from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from typing import Any

from seqgen.cli.inputs import Line, lines, open_model
from seqgen.cli.labelled import labelled, refuse_others, require_known
from seqgen.cli.nbest import answers, is_nbest, nbest_pairs
from seqgen.cli.trained import as_trained
from seqgen.errors import InputError, a_kind
from seqgen.tasks.captioner import CaptionerTask
from seqgen.tasks.classifiers import ClassifierTask
from seqgen.tasks.encoder_decoder import EncoderDecoderTask
from seqgen.tasks.generator import GeneratorTask
from seqgen.tasks.score import Score
from seqgen.tasks.tagger import TaggerTask

PAIRS = 256  # inputs and answers of a batch

Pair = tuple[Any, Any, Any]  # an input, an answer, and what all answers to this input share


def score(options: dict[str, Any]) -> None:
    """Print the log-probability of each text, or of each answer given its input."""
    model = open_model(options, "score")
    refuse_others(options, model.builder)
    of_nbest = options["encoding"] or "utf-8"  # not that of the training data, as `seqgen translate` wrote it
    options = as_trained(options)
    if isinstance(model, GeneratorTask):
        _score_texts(model, options)
        return
    if options["unseen"]:
        raise InputError(f"--unseen must be with a generator without conditions, not with {a_kind(model.builder)}")
    scored = _scored(model, _pairs(options, model, of_nbest))
    if options["best"]:
        groups = groupby(scored, key=lambda one: one[0][2])
        scored = (max(group, key=lambda one: _rank(model, one[1])) for _, group in groups)
    for (given, answer, _), found in scored:
        _show({"input": _plain(given), "answer": _plain(answer)}, found, options["json"])


def _score_texts(model: GeneratorTask, options: dict[str, Any]) -> None:
    if options["best"]:
        raise InputError("--best must be with a model that answers inputs, not with a generator")
    how = {name: options[name] for name in ("encoding", "typed")}
    for line in lines(options["texts"], as_texts=options["text"], **how):
        if line.where and not line.text.strip():
            continue  # blank lines set texts apart
        try:
            found = model.score(line.text, unseen=options["unseen"] or "error")
        except InputError as error:
            raise InputError(f"{line.where}{error}") from None
        _show({"text": line.text}, found, options["json"])


def _scored(model: Any, pairs: Iterator[Pair]) -> Iterator[tuple[Pair, Score | float]]:
    """Yield inputs and answers with their scores."""
    while block := list(islice(pairs, PAIRS)):
        inputs, given, _ = map(list, zip(*block, strict=True))
        if isinstance(model, ClassifierTask):
            require_known("label", given, model.classes, ": the order is text (or image), then label")
        yield from zip(block, model.score(inputs, given), strict=True)


def _rank(model: Any, found: Score | float) -> float:
    """Return the log-probability of an answer, divided as in beam search by a power of its length."""
    if not isinstance(found, Score):
        return found
    penalty = model.generation.length_penalty if isinstance(model, EncoderDecoderTask) else 0.0
    return found.log_probability / float(len(found.tokens) ** penalty)


def _pairs(options: dict[str, Any], model: Any, of_nbest: str) -> Iterator[Pair]:
    """Yield inputs and answers: of a labelled file, n-best lists, the arguments in turns, or standard input."""
    given = options["texts"]
    is_file = len(given) == 1 and not options["text"] and os.path.exists(given[0])
    if is_file and options["best"] and is_nbest(given[0], of_nbest):
        return nbest_pairs(given[0], of_nbest)
    if is_file:
        found = labelled(options, model.builder, given[0])
        pairs: Iterable[Any] = zip(found.inputs, found.answers, strict=True)
        if isinstance(model, CaptionerTask):
            pairs = ((image, caption) for image, captions in pairs for caption in captions)
        return ((text, answer, _plain(text)) for text, answer in pairs)
    if len(given) % 2:
        raise InputError(
            f"there must be a labelled file, or an answer after each input, but {given[-1]!r} is neither a file nor "
            "followed by an answer"
        )
    read = (pair for line in lines([], typed=options["typed"]) if line.text.strip() for pair in _read(line, options))
    typed = zip(given[::2], given[1::2], given[::2], strict=True) if given else read
    split = isinstance(model, TaggerTask)
    return ((text, answer.split() if split else answer, group) for text, answer, group in typed)


def _read(line: Line, options: dict[str, Any]) -> Iterator[Pair]:
    """Yield the input of a line with its answer, or with --best with each answer of an n-best list."""
    if options["best"] and line.text.startswith("{"):
        yield from answers(line)
        return
    text, tab, answer = line.text.partition("\t")
    if not tab:
        raise InputError(f"{line.where}a line must be an input, a tab and an answer, not {line.text[:80]!r}")
    yield text, answer, text


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
