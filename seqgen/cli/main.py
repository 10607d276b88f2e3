"""The command `seqgen`: trains models and uses saved ones, from the shell.

Nothing heavy is loaded before it is needed.
"""

from seqgen.exits import run_main

import os
import pkgutil
import sys

from seqgen import __version__
from seqgen.errors import InputError, nearest
from seqgen.inference.usage import NEEDING_TORCH

USAGE = """usage: seqgen COMMAND ...

  train NAME [OPTION ...]              train a model with the recipe of this name; without a name, list the recipes
  info MODEL                           show what a model is, how good, how it was made, and how to use it
  generate MODEL [TEXT ...]            continue prompts, or generate texts for categories or numbers
  classify MODEL [TEXT|IMAGE ...]      classify texts or images
  tag MODEL [TEXT ...]                 tag the words or characters of texts
  translate MODEL [TEXT ...]           translate sentences
  caption MODEL [IMAGE ...]            caption images
  score MODEL [TEXT ...]               show the log-probability of texts, or of answers to inputs
  embed MODEL [TEXT|IMAGE ...]         show the vectors of texts or images, or those most similar to each other
  cells MODEL                          show what the cells of a generator follow in a text, as a table and a page
  evaluate MODEL FILE                  show the metrics of a model on a labelled file, also of several side by side
  export MODEL DIRECTORY               write a model as ONNX graphs, which run without torch, or (--web) in the browser
  serve MODEL [MODEL ...]              serve models in the browser, and over HTTP to programs
  doctor [--measure_again]             show the machine, what is fastest on it, and whether the installation is sound

MODEL is a run directory, its model/, or the name of a model on the hub; or a DIRECTORY that export has written, which
info, generate, classify, tag, translate, caption and score use without torch. These but info, and evaluate, also take
several folders of models of a kind, and answer with their ensemble. TEXT is a text, or a text file whose
lines are read (--text takes every argument for a text); without one, standard input is read, line by line.
`seqgen COMMAND --help` shows the options of a command."""

COMMANDS = {
    "train": "seqgen.cli.train:train",
    "info": "seqgen.cli.info:info",
    "generate": "seqgen.cli.generate:generate",
    "classify": "seqgen.cli.classify:classify",
    "tag": "seqgen.cli.tag:tag",
    "translate": "seqgen.cli.translate:translate",
    "caption": "seqgen.cli.caption:caption",
    "score": "seqgen.cli.score:score",
    "embed": "seqgen.cli.embed:embed",
    "cells": "seqgen.cli.cells:cells",
    "evaluate": "seqgen.cli.evaluate:evaluate",
    "export": "seqgen.cli.export:export",
    "serve": "seqgen.cli.serve:serve",
    "doctor": "seqgen.cli.doctor:doctor",
}
OWN_OPTIONS = ("train", "doctor")  # commands that read their options themselves


def main() -> None:
    """Run the command line of this process, or complete it where a shell asks for that."""
    if "_ARGCOMPLETE" in os.environ:
        pkgutil.resolve_name("seqgen.cli.completion:complete")()
    run_main(lambda: _with_packages(sys.argv[1:]))


def run_command(arguments: list[str]) -> None:
    """Run one command.

    Raises:
        InputError: there is no such command, or what follows it is wrong.
    """
    if not arguments or arguments[0] in ("-h", "--help"):
        print(USAGE)
    elif arguments[0] == "--version":
        print(f"seqgen {__version__}")
    elif arguments[0] in OWN_OPTIONS:
        pkgutil.resolve_name(COMMANDS[arguments[0]])(arguments[1:])
    elif arguments[0] in COMMANDS:
        parser = pkgutil.resolve_name("seqgen.cli.parsers:PARSERS")[arguments[0]]()
        options = parser.parse(arguments[1:])  # a mistake is found before torch is imported, which takes seconds
        if arguments[0] in NEEDING_TORCH:
            further = [*options.get("runs", []), *options.get("more", [])]
            _refuse_exported(arguments[0], [options["directory"], *further])
        pkgutil.resolve_name(COMMANDS[arguments[0]])(options)
    else:
        raise InputError(f"there is no command {arguments[0]!r}{nearest(arguments[0], COMMANDS)}; see seqgen --help")


def _with_packages(arguments: list[str]) -> None:
    """Run one command; a package that it lacks, as where only exported models are used, is an error of one sentence."""
    try:
        run_command(arguments)
    except ModuleNotFoundError as error:
        if (error.name or "seqgen").startswith("seqgen"):
            raise
        package = error.name.split(".")[0] if error.name else ""
        install = "seqgen, or use an exported model (seqgen export)" if package == "torch" else package
        raise InputError(
            f"seqgen {arguments[0]} needs {package}, which is not installed: pip install {install}"
        ) from None


def _refuse_exported(command: str, places: list[str]) -> None:
    from seqgen.runtime.exported import is_exported

    for place in filter(is_exported, places):
        raise InputError(f"seqgen {command} needs a model as it was trained, but {place} holds one that was exported")
