"""`seqgen tag`."""

import json
import os
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Literal

from seqgen.cli.inputs import encoder_options, model_for, model_parser
from seqgen.files import read_text
from seqgen.hardware.devices import find_device
from seqgen.hardware.precision import Precision
from seqgen.inference.bundle import load
from seqgen.inference.tagger import TaggedToken, Tagger
from seqgen.options import parse

# Escape codes of a terminal, in the order of the tags.
COLOURS = ("35", "36", "32", "33", "34", "31", "95", "96", "92", "93", "94", "91")
LINES = 256  # sentences of a batch


def tag(arguments: list[str]) -> None:
    """Print the tag of each word or character: in colour on a terminal, else one token and its tag a line."""
    parser = model_parser("tag", tag.__doc__)
    parser.add_argument("files", nargs="*", help="text files; by default standard input")
    parser.add_argument("--json", action="store_true", help="print a line of JSON for each text")
    encoder_options(parser)
    options = parse(parser, arguments, {"json": bool, "device": str, "precision": Precision})
    tagger: Tagger = load(model_for(options["directory"], "tag")).to(find_device(options["device"]))
    tagger.precision = options["precision"]
    for path in options["files"] or ["-"]:
        text = sys.stdin.read() if path == "-" else read_text(Path(path))
        coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        for piece in printed(tagger, text, "json" if options["json"] else "colour" if coloured else "lines"):
            print(piece, end="")


def printed(tagger: Tagger, text: str, kind: Literal["colour", "lines", "json"]) -> Iterator[str]:
    """Yield the output for a text, piece by piece.

    A tagger of characters reads the text as one; for one of words each line is a sentence.

    Args:
        tagger: of characters or of words.
        text: the text.
        kind: "colour" for a terminal; "lines" of a token (of characters, a JSON string of those that follow each other
            with the same tag), a tab and its tag, and an empty line after each sentence; or "json".
    """
    if tagger.alphabet is None:
        runs = _runs(tagger.tag(text)[0])
        if kind == "json":
            yield json.dumps([{"text": run, "tag": tag} for run, tag in runs], ensure_ascii=False) + "\n"
        for run, tag in runs if kind != "json" else ():
            yield _coloured(tagger, run, tag) if kind == "colour" else f"{json.dumps(run, ensure_ascii=False)}\t{tag}\n"
        return
    lines = text.splitlines()
    for begin in range(0, len(lines), LINES):
        for tokens in tagger.tag(lines[begin : begin + LINES]):
            if kind == "json":
                columns = {"tokens": [one.token for one in tokens], "tags": [one.tag for one in tokens]}
                yield json.dumps(columns, ensure_ascii=False) + "\n"
            elif kind == "lines":
                yield "".join(f"{one.token}\t{one.tag}\n" for one in tokens) + "\n"
            else:
                words = (_coloured(tagger, one.token, one.tag) + f"\033[2m/{one.tag}\033[0m" for one in tokens)
                yield " ".join(words) + "\n"


def _runs(tokens: list[TaggedToken]) -> list[tuple[str, str]]:
    """Join the characters that follow each other with the same tag."""
    grouped = groupby(tokens, key=lambda token: token.tag)
    return [("".join(token.token for token in run), tag) for tag, run in grouped]


def _coloured(tagger: Tagger, text: str, tag: str) -> str:
    colour = COLOURS[tagger.tags.index(tag) % len(COLOURS)]
    # Line by line, because a pager begins each line without colour.
    return "\n".join(f"\033[{colour}m{line}\033[0m" if line else "" for line in text.split("\n"))
