"""The command `seqgen`: trains models and uses saved ones, from the shell.

Nothing heavy is loaded before it is needed.
"""

import pkgutil
import sys

from seqgen import __version__
from seqgen.errors import InputError, nearest, run_main

USAGE = """usage: seqgen COMMAND ...

  train NAME [OPTION ...]              train a model with the recipe of this name; without a name, list the recipes
  generate DIRECTORY [--prompt TEXT]   continue a prompt, or each line of standard input
  generate DIRECTORY --condition TEXT  generate a text for a category or numbers
  classify DIRECTORY [INPUT ...]       classify texts or image files, or each line of standard input
  tag DIRECTORY [FILE ...]             tag the words or characters of files, or of standard input
  caption DIRECTORY [IMAGE ...]        caption image files, or those whose paths are the lines of standard input
  translate DIRECTORY                  translate each line of standard input
  evaluate DIRECTORY --source FILE --target FILE   BLEU, chrF and exact matches of a translator
  doctor [--measure_again]             show the machine, what is fastest on it, and whether the installation is sound

`seqgen COMMAND --help` shows the options of a command. DIRECTORY is a run directory, its model/ or the name of a
model on the hub."""

COMMANDS = {
    "train": "seqgen.cli.train:train",
    "generate": "seqgen.cli.generate:generate",
    "classify": "seqgen.cli.classify:classify",
    "tag": "seqgen.cli.tag:tag",
    "caption": "seqgen.cli.caption:caption",
    "translate": "seqgen.cli.translate:translate",
    "evaluate": "seqgen.cli.translate:evaluate",
    "doctor": "seqgen.cli.doctor:doctor",
}


def main() -> None:
    """Run the command line of this process."""
    run_main(lambda: run_command(sys.argv[1:]))


def run_command(arguments: list[str]) -> None:
    """Run one command.

    Raises:
        InputError: there is no such command, or what follows it is wrong.
    """
    if not arguments or arguments[0] in ("-h", "--help"):
        print(USAGE)
    elif arguments[0] == "--version":
        print(f"seqgen {__version__}")
    elif arguments[0] in COMMANDS:
        pkgutil.resolve_name(COMMANDS[arguments[0]])(arguments[1:])
    else:
        raise InputError(f"there is no command {arguments[0]!r}{nearest(arguments[0], COMMANDS)}; see seqgen --help")
