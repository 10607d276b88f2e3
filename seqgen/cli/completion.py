"""Completion by the shell's Tab key: of commands, recipes, options, their words, and files."""

import argparse
import os
from typing import Any

import argcomplete

from seqgen.cli.doctor import DEFAULTS
from seqgen.cli.main import COMMANDS
from seqgen.cli.parsers import PARSERS
from seqgen.cli.recipe_options import recipe_options
from seqgen.cli.train import recipes
from seqgen.options import choices


def complete() -> None:
    """Answer a shell that asks for completions of a command line, and leave; torch is not imported."""
    typed = os.environ["COMP_LINE"].split()
    parser = argparse.ArgumentParser("seqgen", add_help=False)
    commands = parser.add_subparsers()
    for name in COMMANDS:
        command = commands.add_parser(name, add_help=False)
        if name in typed[1:2]:
            _add_command(command, name, typed)
    for option in ("--help", "--version"):
        parser.add_argument(option, action="store_true")
    argcomplete.autocomplete(parser)


def _add_command(command: argparse.ArgumentParser, name: str, typed: list[str]) -> None:
    """Add the options of the command that is typed."""
    if name == "train":
        named = command.add_subparsers()
        for recipe, path in recipes().items():
            options = recipe_options(path) | {"copy": []} if recipe in typed[2:3] else {}
            flags = {"print_config", "help", "copy", "resume"}
            _add_options(named.add_parser(recipe, add_help=False), options, flags)
    elif name == "doctor":
        _add_options(command, {option: [] for option in DEFAULTS}, {"measure_again", "json"})
    else:
        parser = PARSERS[name]()
        command.add_argument("words", nargs="*")
        options = {option: choices(kind) or ["true", "false"] * (kind is bool) for option, kind in parser.types.items()}
        _add_options(command, options | {"help": []}, parser.flags | {"help"})


def _add_options(command: argparse.ArgumentParser, options: dict[str, list[str]], flags: set[str]) -> None:
    for name, words in options.items():
        how: dict[str, Any] = {"action": "store_true"} if name in flags else {"choices": words or None}
        command.add_argument(f"--{name}", **how)
