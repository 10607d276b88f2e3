"""Labelled data for `seqgen evaluate` and `seqgen score`, in the form of the recipes' --data."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from seqgen.data.captioned import read_captioned
from seqgen.data.catalog import find_pictures
from seqgen.data.labelled import TextColumns, read_texts
from seqgen.data.parallel import PairOptions, read_pairs, read_parallel
from seqgen.data.tagged import read_tagged
from seqgen.errors import InputError, a_kind, nearest

# The options that say how the data of each kind of model is read, by the name of its builder.
READING = {
    "generator": ("encoding",),
    "text_classifier": ("label_column", "text_column", "encoding"),
    "image_classifier": (),
    "tagger": ("column", "encoding"),
    "translator": ("source", "target", "source_column", "target_column", "encoding"),
    "captioner": ("captions", "encoding"),
    "conditional_generator": ("label_column", "text_column", "encoding"),
}
SHOWN = 12  # maximum number of labels that an error lists


class Answers(NamedTuple):
    """Inputs and the right answer to each; of a captioner, a list of captions."""

    inputs: Sequence[Any]
    answers: Sequence[Any]


def require_known(noun: str, given: Iterable[str], known: Sequence[str], hint: str = "") -> None:
    """Raise an InputError where one of the given labels or tags is not known to the model.

    Args:
        noun: "label" or "tag".
        given: the labels or tags.
        known: those of the model, of which the error lists the first.
        hint: the end of the error.
    """
    strange = next((name for name in given if name not in known), None)
    if strange is not None:
        listed = ", ".join(known[:SHOWN]) + (f", ... ({len(known)} in all)" if len(known) > SHOWN else "")
        raise InputError(f"a {noun} must be one of {listed}, not {strange[:80]!r}{nearest(strange, known)}{hint}")


def refuse_others(options: dict[str, Any], kind: str, *further: str) -> None:
    """Raise an InputError where an option was given that is for the data of another kind of model.

    Args:
        options: of the command.
        kind: the name of the model's builder.
        *further: the command's own options that this kind takes.
    """
    every = {name for names in READING.values() for name in names}
    every |= {"documents", "num_beams", "adapt", "valid", "train"}
    for name in sorted(every - {*READING[kind], *further}):
        if options.get(name) is not None:
            raise InputError(f"--{name} must be with a model of another kind, not with {a_kind(kind)}")


def labelled(options: dict[str, Any], kind: str, file: str | None) -> Answers:
    """Return the inputs and answers of a labelled file.

    Args:
        options: of the command, as `as_trained` returns them.
        kind: the name of the model's builder.
        file: the labelled file.

    Raises:
        InputError: there is no file, it is malformed, or another option is needed to read it.
    """
    if kind == "translator" and (options.get("source") or options.get("target")):
        return _parallel(file, options["source"], options["target"], options["encoding"])
    if file is None:
        raise InputError("a labelled file must be given, in the form of the recipe's --data, but there is none")
    return READERS[kind](file, options)


def _parallel(file: str | None, source: str | None, target: str | None, encoding: str) -> Answers:
    if source is None or target is None or file is not None:
        raise InputError("--source and --target must come together and without another file, but they do not")
    for name, path in (("source", source), ("target", target)):
        if not Path(path).is_file():
            raise InputError(f"--{name} must be a file, but {path!r} is not a file")
    pairs = read_parallel(source, target, encoding)
    return _some(Answers(pairs.sources, pairs.targets), source)


def _given(options: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: options[name] for name in names if options.get(name) is not None}


def _texts(file: str, options: dict[str, Any]) -> Answers:
    texts = read_texts(file, TextColumns(**_given(options, "label_column", "text_column", "encoding")))
    return _some(Answers(texts.inputs, texts.labels), file)


def _conditions(file: str, options: dict[str, Any]) -> Answers:
    texts = _texts(file, options)
    return Answers(texts.answers, texts.inputs)


def _images(file: str, options: dict[str, Any]) -> Answers:
    images = find_pictures(file)
    return _some(Answers(images.inputs, images.labels), file)


def _tagged(file: str, options: dict[str, Any]) -> Answers:
    tagged = read_tagged(file, **_given(options, "column", "encoding"))
    return _some(Answers(tagged.tokens, tagged.tags), file)


def _pairs(file: str, options: dict[str, Any]) -> Answers:
    pairs = read_pairs(file, PairOptions(**_given(options, "source_column", "target_column", "encoding")))
    return _some(Answers(pairs.sources, pairs.targets), file)


def _captions(file: str, options: dict[str, Any]) -> Answers:
    """Return the images with captions, those of the split "test" where the file has one."""
    if options["captions"] is None:
        raise InputError(f"--captions must be given with a folder of images, {file}, but it is missing")
    parts = read_captioned(file, {"train": options["captions"]}, encoding=options["encoding"])
    images = parts.get("test") or parts["train"]
    return Answers(images.images, images.captions)


def _some(answers: Answers, file: str) -> Answers:
    if not len(answers.inputs):
        raise InputError(f"{file} must hold at least one example, but it holds none")
    return Answers(list(answers.inputs), list(answers.answers))


READERS: dict[str, Callable[[str, dict[str, Any]], Answers]] = {
    "text_classifier": _texts,
    "image_classifier": _images,
    "tagger": _tagged,
    "translator": _pairs,
    "captioner": _captions,
    "conditional_generator": _conditions,
}
