"""Shared parts of the commands: the model, and the texts that are given as arguments, in files or on standard input."""

import io
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from seqgen.cli.trained import encodings
from seqgen.data.text_file import LONGEST, TextFile
from seqgen.errors import InputError, a_kind
from seqgen.inference.saved import find_model, used_as
from seqgen.runtime.exported import Exported, is_exported
from seqgen.runtime.loading import kind_of

PATH = re.compile(r"\S+\.[a-z]\w{1,5}")  # what looks like the name of a file


MOST = 1 << 28  # characters of standard input as one text


class Line(NamedTuple):
    """A text, and the file and line that it comes from, as the beginning of an error; "" for an argument."""

    text: str
    where: str = ""


def open_model(options: dict[str, Any], method: str, ability: str = "") -> Any:
    """Return the model of a command, or the ensemble of several, which has the method of this name, on its device.

    Args:
        options: of the command.
        method: of the model.
        ability: what that does, for an error; by default the same word.

    Raises:
        InputError: there is no model or device, the model's kind has no such method, or several are no ensemble.
    """
    if options.get("members"):
        return _open_ensemble(options, method, ability)
    place = options["directory"]
    exported = Exported(place) if is_exported(place) else None
    directory = Path(place) if exported else find_model(place)
    kind = kind_of(exported) if exported else used_as(directory)
    if not hasattr(kind, method):
        raise InputError(f"{place} must hold a model that can {ability or method}, but it holds {a_kind(kind.builder)}")
    if exported:
        _require_usual(options)
        return kind.of(exported)
    from seqgen.hardware.devices import find_device  # which imports torch

    device = find_device(options["device"])
    return kind.from_pretrained(directory).to(device)


def _open_ensemble(options: dict[str, Any], method: str, ability: str) -> Any:
    places = [options["directory"], *options["members"]]
    for place in filter(is_exported, places):
        raise InputError(f"an ensemble must be of models as they were trained, but {place} holds one that was exported")
    from seqgen.inference.ensemble import ensemble  # which imports torch

    print(f"answering with the ensemble of {' and '.join(places)}", file=sys.stderr)
    return ensemble([open_model(options | {"directory": one, "members": []}, method, ability) for one in places])


def _require_usual(options: dict[str, Any]) -> None:
    """Raise an InputError for a device or a precision other than those of an exported model."""
    precisions = [given.get("precision", "auto") for given in (options, options.get("generation", {}))]
    for name, values, usual in (("device", [options["device"]], ("auto", "cpu")), ("precision", precisions, ("auto",))):
        for value in values:
            if value not in usual:
                raise InputError(f"--{name} must be {' or '.join(usual)} with an exported model, not {value!r}")


def lines(
    arguments: list[str], *, as_texts: bool = False, encoding: str = "utf-8", typed: str = "utf-8"
) -> Iterator[Line]:
    """Yield the texts that a command is given: its arguments, the lines of those that are files, or standard input.

    An argument that is the path of a file is read line by line, which stderr says, and "-" is standard input.

    Args:
        arguments: of the command; without any, standard input is read.
        as_texts: whether every argument is a text, even where a file has this name.
        encoding: of the files.
        typed: encoding of standard input.
    """
    for argument in arguments or ["-"]:
        if argument == "-" and not (arguments and as_texts):
            yield from _standard_input(typed)
        elif _is_file(argument, as_texts):
            print(f"reading the lines of {argument}", file=sys.stderr)
            for number, line in enumerate(TextFile(Path(argument), argument, encoding).lines(), start=1):
                yield Line(line, f"{argument}, line {number}: ")
        else:
            yield Line(_clean(argument))


def texts_or_images(options: dict[str, Any], builder: str, *, images: bool) -> Iterator[Line]:
    """Yield the texts or the image files of a command.

    Args:
        options: of the command, with the encodings as the model was trained.
        builder: of the model, for an error.
        images: whether it reads images.

    Raises:
        InputError: an input is a folder, or an option is for texts.
    """
    given = options["inputs"]
    for name in ("text", "encoding"):
        if images and options[name]:
            raise InputError(f"--{name} must be with a model that reads texts, not with {a_kind(builder)}")
    for path in given if not options["text"] else []:
        if os.path.isdir(path):
            pattern = os.path.join(path, "*.jpg" if images else "*.txt")
            raise InputError(f"an input must not be a folder, but {path} is one: type {pattern}")
    if not images:
        return lines(given, as_texts=options["text"], **encodings(options))
    return (one for path in given or ["-"] for one in ([Line(path)] if path != "-" else lines([path])))


def whole_texts(
    arguments: list[str], *, as_texts: bool = False, encoding: str = "utf-8", typed: str = "utf-8"
) -> Iterator[str]:
    """Yield the texts of a command as `lines` does, but whole files and the whole of standard input."""
    for argument in arguments or ["-"]:
        if argument == "-" and not (arguments and as_texts):
            _decode(typed)
            yield _read(MOST, sys.stdin.read).replace("\r\n", "\n")  # as in files
        elif _is_file(argument, as_texts):
            print(f"reading {argument}", file=sys.stderr)
            yield "".join(TextFile(Path(argument), argument, encoding).blocks())
        else:
            yield _clean(argument)


def blocks(given: Iterator[Line], size: int) -> Iterator[list[Line]]:
    """Yield lines in blocks of this size, or one by one where they are typed on a terminal."""
    block: list[Line] = []
    for line in given:
        block.append(line)
        if len(block) == size or (line.where and sys.stdin.isatty()):
            yield block
            block = []
    if block:
        yield block


def numbered(path: str, number: int) -> Path:
    """Return the path of the picture of a number: the first has the name that was given, others end in their number."""
    return Path(path) if number == 1 else Path(path).with_stem(f"{Path(path).stem}-{number}")


def best(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options of generation of a command with `--nbest`.

    Raises:
        InputError: it is below 1, or another option says the same or has no effect.
    """
    count, generation = options["nbest"], dict(options["generation"])
    if options["scores"] and options["json"]:
        raise InputError("--scores must be without --json, whose lines have the scores, but both are given")
    if count is None:
        return generation
    if count < 1:
        raise InputError(f"--nbest must be at least 1, not {count}")
    if "num_return_sequences" in generation:
        raise InputError("--nbest must be without --num_return_sequences, which means the same, but both are given")
    # A single one is what the model's own options say.
    return generation | ({"num_return_sequences": count} if count > 1 else {})


def _is_file(argument: str, as_texts: bool) -> bool:
    """Return whether an argument is the path of a file; stderr says where it only looks like one."""
    if as_texts or os.path.isfile(argument):
        return not as_texts
    if PATH.fullmatch(argument):
        print(f"{argument} is not a file here, so it is taken for a text", file=sys.stderr)
    return False


def _clean(argument: str) -> str:
    """Return an argument with "?" for each byte that is not UTF-8, as which no output could show it."""
    return argument.encode("utf-8", "replace").decode()


def _read(most: int, read: Callable[[int], str]) -> str:
    """Return what is read of standard input, whose end, or that of a line, must come before `most` characters."""
    try:
        text = read(most)
    except OSError as error:
        raise InputError(f"standard input cannot be read: {error.strerror or error}") from None
    if len(text) == most:
        raise InputError(f"standard input must have less than {most:,} characters, or in a line, but it has more")
    return text


def _decode(encoding: str) -> None:
    """Let standard input have this encoding, whatever the locale, and no byte order mark."""
    if isinstance(sys.stdin, io.TextIOWrapper):
        name = "utf-8-sig" if encoding == "utf-8" else encoding
        sys.stdin.reconfigure(encoding=name, errors="replace", newline="\n")


def _standard_input(encoding: str) -> Iterator[Line]:
    """Yield the lines of standard input; a terminal shows a prompt for each.

    Only line feeds and CR LF end a line, as in files.
    """
    _decode(encoding)
    number = 0
    while True:
        if sys.stdin.isatty():
            print("> ", end="", file=sys.stderr, flush=True)
        line = _read(LONGEST, sys.stdin.readline)
        if not line:
            return
        number += 1
        yield Line(line.removesuffix("\n").removesuffix("\r"), f"standard input, line {number}: ")
