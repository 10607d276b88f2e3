"""`seqgen tag`."""

import json
import os
import sys
from collections.abc import Iterator
from typing import Any, Literal

from seqgen.cli.inputs import blocks, lines, open_model, whole_texts
from seqgen.cli.trained import encodings
from seqgen.tasks.tagger import TaggerTask, joined

Kind = Literal["colour", "lines", "json"]

# Escape codes of a terminal, in the order of the tags.
COLOURS = ("35", "36", "32", "33", "34", "31", "95", "96", "92", "93", "94", "91")
LINES = 256  # sentences of a batch


def tag(options: dict[str, Any]) -> None:
    """Print the tag of each word or character: in colour on a terminal, else one token and its tag a line."""
    tagger: Any = open_model(options, "tag")
    tagger.precision = options["precision"]
    of = encodings(options)
    coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    kind: Kind = "json" if options["json"] else "colour" if coloured else "lines"
    if tagger.alphabet is None:
        for text in whole_texts(options["texts"], as_texts=options["text"], **of):
            for piece in of_characters(tagger, text, kind):
                print(piece, end="")
        return
    for block in blocks(lines(options["texts"], as_texts=options["text"], **of), LINES):
        for piece in of_words(tagger, [line.text for line in block], kind):
            print(piece, end="", flush=True)


def of_characters(tagger: TaggerTask, text: str, kind: Kind) -> Iterator[str]:
    """Yield the output for a text, piece by piece.

    Args:
        tagger: of characters.
        text: the text.
        kind: "colour" for a terminal; "lines" of a JSON string of characters that follow each other with the same tag,
            a tab and the tag; or "json".
    """
    runs = joined(tagger.tag(text)[0], "")
    if kind == "json":
        yield json.dumps([{"text": run, "tag": tag} for run, tag in runs], ensure_ascii=False) + "\n"
        return
    for run, tag in runs:
        yield _coloured(tagger, run, tag) if kind == "colour" else f"{json.dumps(run, ensure_ascii=False)}\t{tag}\n"
    if kind == "colour" and text and not text.endswith("\n"):
        yield "\n"


def of_words(tagger: TaggerTask, sentences: list[str], kind: Kind) -> Iterator[str]:
    """Yield the output for each sentence.

    Args:
        tagger: of words.
        sentences: the sentences.
        kind: "colour" for a terminal; "lines" of a token, a tab and its tag, with an empty line after each sentence; or
            "json".
    """
    for tokens in tagger.tag(sentences):
        if kind == "json":
            columns = {name: [getattr(one, name[:-1]) for one in tokens] for name in ("tokens", "tags")}
            row = columns | {"probabilities": [round(one.probability, 4) for one in tokens]}
            yield json.dumps(row, ensure_ascii=False) + "\n"
        elif kind == "lines":
            yield "".join(f"{one.token}\t{one.tag}\n" for one in tokens) + "\n"
        else:
            words = (_coloured(tagger, one.token, one.tag) + f"\033[2m/{one.tag}\033[0m" for one in tokens)
            yield " ".join(words) + "\n"


def _coloured(tagger: TaggerTask, text: str, tag: str) -> str:
    colour = COLOURS[tagger.tags.index(tag) % len(COLOURS)]
    # Line by line, because a pager begins each line without colour.
    return "\n".join(f"\033[{colour}m{line}\033[0m" if line else "" for line in text.split("\n"))
