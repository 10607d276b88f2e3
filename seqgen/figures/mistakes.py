"""The worst mistakes of a model, as JSON lines in a file and as a section of its report."""

import json
import math
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

from seqgen.figures.page import picture
from seqgen.figures.section import Section
from seqgen.figures.tables import table
from seqgen.files import write_text
from seqgen.metrics.classification import Answered
from seqgen.metrics.translation import least_alike

PAGE = 5  # times as many mistakes in a page as in a text
SIDE = 84  # pixels of an image that was mistaken


def write_wrong_answers(
    path: Path,
    answered: Answered,
    describe: Callable[[int], str],
    pictures: Sequence[np.ndarray] | None = None,
    shown: int = 5,
) -> Section:
    """Write the wrong predictions to a file, the most confident first; return the first of them.

    Args:
        path: the file.
        answered: the predictions and targets.
        describe: returns an example as text, by its number.
        pictures: the (height, width, 3) pixels of the examples, where they are images.
        shown: number of mistakes in the text; the page has five times as many.
    """
    mistakes = [
        {
            "answer": answered.classes[answered.predictions[number]],
            "right": answered.classes[answered.targets[number]],
            "probability": round(math.exp(answered.log_probabilities[number].max()), 4),
            "example": describe(number),
        }
        for number in answered.mistakes()
    ]
    _write(path, mistakes)
    first = [(one["answer"], f"{one['probability']:.0%}", one["right"], _short(one["example"])) for one in mistakes]
    lines = [f"  {answer} ({sure}), but {right}: {example}" for answer, sure, right, example in first[:shown]]
    first = first[: PAGE * shown]
    html = table(("predicted", "probability", "right", "example"), first)
    if pictures is not None:
        numbers = answered.mistakes()[: PAGE * shown].tolist()
        html = "".join(_seen(pictures[number], *row) for number, row in zip(numbers, first, strict=True))
    return _section("the most confident mistakes:", lines, html)


def write_worst_translations(
    path: Path, sources: Sequence[str], references: Sequence[str], written: Sequence[str], shown: int = 3
) -> Section:
    """Write the wrong translations to a file, those with the lowest chrF first; return the first of them."""
    worst = [
        {"chrf": round(score, 2), "source": sources[place], "right": references[place], "written": text}
        for place, text, score in least_alike(written, references)
    ]
    _write(path, worst)
    first = [(one["source"], one["written"], one["right"], one["chrf"]) for one in worst]
    lines = [f"  {source}\n  -> {text}\n  but {right} (chrF {score})" for source, text, right, score in first[:shown]]
    html = table(("source", "written", "right", "chrF"), first[: PAGE * shown])
    return _section("the worst translations:", lines, html)


def _seen(pixels: np.ndarray, answer: str, sure: str, right: str, example: str) -> str:
    """Return an image with its wrong prediction as HTML."""
    seen = picture(PIL.Image.fromarray(pixels).resize((SIDE, SIDE)), example)
    return f"<figure>{seen}<figcaption>{escape(answer)} ({sure}), but {escape(right)}</figcaption></figure>"


def _section(title: str, lines: list[str], html: str) -> Section:
    return Section("Mistakes", "\n".join([title, *lines]), html) if lines else Section("Mistakes", "no mistakes")


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 160 else text[:100] + " ... " + text[-55:]
