"""The command `seqgen`: what a saved model does, from the shell. Nothing heavy is loaded before it is needed."""

import pkgutil
import sys

from seqgen import __version__
from seqgen.errors import InputError, nearest, run_main

USAGE = """usage: seqgen COMMAND ...

  generate DIRECTORY [--prompt TEXT]   write on from a prompt, or from each line of standard input
  generate DIRECTORY --condition TEXT  write a text of a category, or to numbers
  classify DIRECTORY [INPUT ...]       name the class of texts or image files, or of each line of standard input
  tag DIRECTORY [FILE ...]             tag the words or characters of files, or of standard input
  caption DIRECTORY [IMAGE ...]        describe image files, or those that the lines of standard input name
  translate DIRECTORY                  translate each line of standard input
  evaluate DIRECTORY --source FILE --target FILE   say how good a translator's translations are

`seqgen COMMAND --help` tells the options of a command. DIRECTORY is a run directory, its model/ or the name of a
model on the hub."""

COMMANDS = {
    "generate": "seqgen.cli.generate:generate",
    "classify": "seqgen.cli.classify:classify",
    "tag": "seqgen.cli.tag:tag",
    "caption": "seqgen.cli.caption:caption",
    "translate": "seqgen.cli.translate:translate",
    "evaluate": "seqgen.cli.translate:evaluate",
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
