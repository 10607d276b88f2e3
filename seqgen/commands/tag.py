"""`seqgen tag`."""

import os
import sys
from pathlib import Path

from seqgen.bundle import load
from seqgen.commands.inputs import model_for, model_parser
from seqgen.devices import find_device
from seqgen.files import read_text
from seqgen.options import parse
from seqgen.tag_printing import printed


def tag(arguments: list[str]) -> None:
    """Print the tag of each word or character: in colour on a terminal, else each token with its tag."""
    parser = model_parser("tag", tag.__doc__)
    parser.add_argument("files", nargs="*", help="text files; by default standard input")
    parser.add_argument("--json", action="store_true", help="print a line of JSON for each text")
    options = parse(parser, arguments, {"json": bool, "device": str})
    tagger = load(model_for(options["directory"], "tag")).to(find_device(options["device"]))
    for path in options["files"] or ["-"]:
        text = sys.stdin.read() if path == "-" else read_text(Path(path))
        coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        for piece in printed(tagger, text, "json" if options["json"] else "colour" if coloured else "lines"):
            print(piece, end="")
