"""`seqgen translate`."""

import json
import sys
from typing import Any

from tqdm import tqdm

from seqgen.cli.inputs import Line, best, blocks, lines, numbered, open_model
from seqgen.cli.trained import encodings
from seqgen.figures.attention import draw_attention
from seqgen.tasks.translator import Translation, TranslatorTask

LINES = 1024  # that are sorted by length and translated in batches


def translate(options: dict[str, Any]) -> None:
    """Print the translation of each sentence."""
    asked = best(options) | {"minimum_bayes_risk": options["minimum_bayes_risk"]}
    translator: TranslatorTask = open_model(options, "translate")
    given = lines(options["sentences"], as_texts=options["text"], **encodings(options))
    shown = bool(options["sentences"]) or sys.stdin.isatty() or not sys.stderr.isatty()
    read = 0
    with tqdm(unit=" lines", disable=shown) as progress:
        for block in blocks(given, LINES):
            _warn_of_cut(translator, block)
            texts = [line.text for line in block]
            found = translator.translate(texts, return_attention=bool(options["attention"]), **asked)
            each = len(found) // len(block)
            for number, text in enumerate(texts, start=1):
                mine, found = found[:each], found[each:]
                _show(text, mine, json_lines=options["json"], scores=options["scores"])
                if mine[0].attention and mine[0].attention.weights.size:
                    draw_attention(numbered(options["attention"], read + number), mine[0].attention)
            sys.stdout.flush()
            read += len(block)
            progress.update(len(block))


def _warn_of_cut(translator: TranslatorTask, block: list[Line]) -> None:
    for text, where in block:
        # There are no more tokens than bytes, which are faster to count.
        if len(text.encode()) > translator.max_length < len(translator.source.encode(text)):
            name = where or f"{text[:40]!r}: "
            tqdm.write(f"{name}the sentence is cut to {translator.max_length} tokens", file=sys.stderr)


def _show(line: str, found: list[Translation], *, json_lines: bool, scores: bool) -> None:
    if json_lines:
        translations = [{"text": one.text, "score": one.score} for one in found]
        print(json.dumps({"source": line, "translations": translations}, ensure_ascii=False))
        return
    for one in found:
        text = " ".join(one.text.split("\n"))  # a line stays a line
        print(f"{one.score:.4f}\t{text}" if scores else text)
