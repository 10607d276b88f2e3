"""`seqgen classify`."""

import json
import sys
from collections.abc import Iterator
from typing import Any

from seqgen.cli.inputs import blocks, open_model, texts_or_images
from seqgen.errors import InputError
from seqgen.tasks.classifiers import ImageClassifierTask

LINES = 256  # inputs of a batch


def classify(options: dict[str, Any]) -> None:
    """Print the class and its probability for each text or image file."""
    if options["top_k"] < 1:
        raise InputError(f"--top_k must be at least 1, not {options['top_k']}")
    classifier = open_model(options, "classify")
    classifier.precision = options["precision"]
    images, bad = isinstance(classifier, ImageClassifierTask), 0
    for block in blocks(texts_or_images(options, classifier.builder, images=images), LINES):
        for text, labels in _classified(classifier, [line.text for line in block], options["top_k"]):
            if isinstance(labels, InputError):
                bad += 1
                print(f"error: {labels}", file=sys.stderr)
                # Still a line for each input.
                print(json.dumps({"input": text, "error": str(labels)}, ensure_ascii=False) if options["json"] else "")
            elif options["json"]:
                print(json.dumps({"input": text, "labels": [label._asdict() for label in labels]}, ensure_ascii=False))
            else:
                cells = [cell for label in labels for cell in (label.label, f"{label.probability:.4f}")]
                print("\t".join([*cells, " ".join(text.split())] if cells else []), flush=True)
    if bad:
        raise InputError(f"{bad} of the inputs could not be read")


def _classified(classifier: Any, block: list[str], top_k: int) -> Iterator[tuple[str, Any]]:
    """Yield each input with its labels or its error: one bad file does not spoil the others, a blank text has none."""
    if not isinstance(classifier, ImageClassifierTask) and not all(map(str.strip, block)):
        found = iter(list(_classified(classifier, [text for text in block if text.strip()], top_k)))
        yield from (next(found) if text.strip() else (text, []) for text in block)
        return
    try:
        yield from zip(block, classifier.classify(block, top_k=top_k), strict=True)
    except InputError as error:
        if len(block) == 1:
            yield block[0], error
            return
        for one in block:
            yield from _classified(classifier, [one], top_k)
