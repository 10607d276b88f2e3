"""How a tagged text is shown: in colour, as tokens with their tags, or as JSON."""

import json
from collections.abc import Iterator
from itertools import groupby
from typing import Literal

from seqgen.text_tagger import TaggedToken, TextTagger

# Of a terminal, in the order of the tags; the first stands for what is most often plain.
COLOURS = ("35", "36", "32", "33", "34", "31", "95", "96", "92", "93", "94", "91")
LINES = 256  # sentences that are tagged together


def printed(tagger: TextTagger, text: str, kind: Literal["colour", "lines", "json"]) -> Iterator[str]:
    """Yield pieces of what is to be printed for a text.

    A tagger of characters reads the text as one; for one of words each line is a sentence.

    Args:
        tagger: what tags it.
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


def _coloured(tagger: TextTagger, text: str, tag: str) -> str:
    colour = COLOURS[tagger.tags.index(tag) % len(COLOURS)]
    # Line by line, because a pager begins each line without colour.
    return "\n".join(f"\033[{colour}m{line}\033[0m" if line else "" for line in text.split("\n"))
