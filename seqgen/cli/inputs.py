"""Shared parts of the commands: the model, the options of generation, and the lines of standard input."""

import io
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser

from seqgen.errors import InputError
from seqgen.generation.config import GenerationConfig
from seqgen.hardware.precision import Precision
from seqgen.inference.bundle import find_model, used_as
from seqgen.options import new_parser, parse

WHERE = "run directory, its model/, or name of a model on the hub"
LISTS = {"stop_strings", "suppress_tokens"}  # options of generation that a command declares itself, if at all


def model_parser(command: str, description: str | None) -> ArgumentParser:
    """Return a parser of the arguments that all commands share."""
    parser = new_parser(description or "", prog=f"seqgen {command}")
    parser.add_argument("directory", help=WHERE)
    parser.add_argument("--device", type=str, default="cpu", help="auto, cpu, cuda, cuda:1, mps and so on")
    return parser


def encoder_options(parser: ArgumentParser) -> None:
    """Add the options of a model that is an encoder with a head."""
    rule = "precision of matrix products; auto takes the one that is faster on this machine"
    parser.add_argument("--precision", type=Precision, default="auto", help=rule)


def model_for(source: str, command: str) -> Path:
    """Return the directory of a model that has the method of this name.

    Raises:
        InputError: there is no model, or its kind has no such method.
    """
    directory = find_model(source)
    kind = used_as(directory)
    if not hasattr(kind, command):
        raise InputError(f"{source} must hold a model that can {command}, but it holds one of {kind.builder}")
    return directory


def generation_options(
    parser: ArgumentParser, arguments: list[str], own: dict[str, Any], command: str
) -> tuple[Path, dict[str, Any], dict[str, Any]]:
    """Return the model's directory, all options with their defaults, and the options of generation that were given.

    Args:
        parser: with the command's own options; those of generation are added to it.
        arguments: of the command line.
        own: the types of the command's own options.
        command: its name.

    Raises:
        InputError: an option, a value or a model that does not exist.
    """
    parser.add_class_arguments(GenerationConfig, skip=LISTS)
    generation = {field.name: field.type for field in fields(GenerationConfig)}
    types = {name: kind for name, kind in generation.items() if name not in LISTS} | own
    given = parse(parser, arguments, types, defaults=False)
    options = parser.get_defaults().as_dict() | given
    # An option of generation that is not given has the value in the model's own file.
    asked = {name: value for name, value in given.items() if name in generation}
    return model_for(given["directory"], command), options, asked


def best(count: int) -> dict[str, int]:
    """Return `--nbest` as an option of generation.

    Raises:
        InputError: it is below 1.
    """
    if count < 1:
        raise InputError(f"--nbest must be at least 1, not {count}")
    return {"num_return_sequences": count} if count > 1 else {}  # else the number in the model's own options


def lines() -> Iterator[str]:
    """Yield the lines of standard input, UTF-8 whatever the locale; a terminal shows a prompt for each.

    Only line feeds and CR LF end a line, as in files.
    """
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="replace", newline="\n")
    while True:
        if sys.stdin.isatty():
            print("> ", end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not line:
            return
        yield line.removesuffix("\n").removesuffix("\r")


def blocks(size: int) -> Iterator[list[str]]:
    """Yield the lines of standard input in blocks of this size, or one by one on a terminal."""
    block: list[str] = []
    for line in lines():
        block.append(line)
        if sys.stdin.isatty() or len(block) == size:
            yield block
            block = []
    if block:
        yield block
