"""What commands have in common: the model that they are given, and the lines of standard input."""

import io
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser

from seqgen.errors import InputError
from seqgen.generation.config import GenerationConfig
from seqgen.inference.bundle import find_model, read_part, used_as
from seqgen.options import new_parser, parse

WHERE = "a run directory, its model/, or the name of a model on the hub"
LISTS = {"stop_strings", "suppress_tokens"}


def model_parser(command: str, description: str | None) -> ArgumentParser:
    """Return a parser of what every command takes."""
    parser = new_parser(description or "", prog=f"seqgen {command}")
    parser.add_argument("directory", help=WHERE)
    parser.add_argument("--device", type=str, default="cpu", help="auto, cpu, cuda and so on")
    return parser


def model_for(source: str, command: str) -> Path:
    """Return the directory of a model that can do what the command is for.

    Raises:
        InputError: there is no model, or it is for something else.
    """
    directory = find_model(source)
    kind = used_as(directory)
    if not hasattr(kind, command):
        raise InputError(f"{source} must hold a model that can {command}, but it holds one of {kind.builder}")
    return directory


def generation_options(
    parser: ArgumentParser, arguments: list[str], own: dict[str, Any], command: str
) -> tuple[Path, dict[str, Any], dict[str, Any]]:
    """Return the model's directory, the command's own options, and those of generation that were asked for.

    Args:
        parser: of the command's own options, to which those of generation are added.
        arguments: of the command line.
        own: the types of the command's own options.
        command: its name.
    """
    parser.add_class_arguments(GenerationConfig, skip=LISTS)
    left_out = LISTS - set(own)
    types = {field.name: field.type for field in fields(GenerationConfig) if field.name not in left_out} | own
    directory = model_for(parse(parser, arguments, types)["directory"], command)
    # What the command line does not say is as the model's own file has it.
    usual = GenerationConfig().with_options(**read_part(directory, "generation_config.json")).to_data()
    parser.set_defaults({name: value for name, value in usual.items() if name not in left_out})
    options = parse(parser, arguments, types)
    given = {argument.split("=")[0] for argument in arguments}
    values = {name: options.pop(name) for name in usual if name in options}
    asked = {name: value for name, value in values.items() if f"--{name}" in given}
    return directory, options, asked


def best(count: int) -> dict[str, int]:
    """Return the option of generation that `--nbest` asks for.

    Raises:
        InputError: it is below 1.
    """
    if count < 1:
        raise InputError(f"--nbest must be at least 1, not {count}")
    return {"num_return_sequences": count} if count > 1 else {}  # else as many as the model's own options have


def lines() -> Iterator[str]:
    """Yield the lines of standard input, UTF-8 whatever the locale; on a terminal each is asked for.

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
    """Yield the lines of standard input, so many at once unless a person types them."""
    block: list[str] = []
    for line in lines():
        block.append(line)
        if sys.stdin.isatty() or len(block) == size:
            yield block
            block = []
    if block:
        yield block
