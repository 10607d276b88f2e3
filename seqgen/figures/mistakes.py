"""The worst mistakes of a model, as JSON lines in a file and as text to print."""

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from seqgen.files import write_text
from seqgen.metrics.classification import Answered
from seqgen.metrics.translation import least_alike


def write_wrong_answers(path: Path, answered: Answered, describe: Callable[[int], str], shown: int = 5) -> list[str]:
    """Write the wrong predictions to a file, the most confident first; return the first of them as text.

    Args:
        path: the file.
        answered: the predictions and targets.
        describe: returns an example as text, by its number.
        shown: number of mistakes to return.
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
    return [
        f"  {one['answer']} ({one['probability']:.0%}), but {one['right']}: {_short(one['example'])}"
        for one in mistakes[:shown]
    ]


def write_worst_translations(
    path: Path, sources: Sequence[str], references: Sequence[str], written: Sequence[str], shown: int = 3
) -> list[str]:
    """Write the wrong translations to a file, those with the lowest chrF first; return the first of them as text."""
    worst = [
        {"chrf": round(score, 2), "source": sources[place], "right": references[place], "written": text}
        for place, text, score in least_alike(written, references)
    ]
    _write(path, worst)
    return [
        f"  {one['source']}\n  -> {one['written']}\n  but {one['right']} (chrF {one['chrf']})" for one in worst[:shown]
    ]


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 160 else text[:100] + " ... " + text[-55:]
