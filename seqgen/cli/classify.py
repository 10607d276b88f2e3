"""`seqgen classify`."""

import json
import sys
from collections.abc import Iterator
from typing import Any

from seqgen.cli.inputs import blocks, encoder_options, model_for, model_parser
from seqgen.errors import InputError
from seqgen.hardware.devices import find_device
from seqgen.hardware.precision import Precision
from seqgen.inference.bundle import load
from seqgen.inference.classifiers import ClassifierBundle
from seqgen.options import parse

LINES = 256  # of standard input in a batch


def classify(arguments: list[str]) -> None:
    """Print the class and its probability for each text or image file, or for each line of standard input."""
    parser = model_parser("classify", classify.__doc__)
    parser.add_argument("inputs", nargs="*", help="texts or image files; by default the lines of standard input")
    parser.add_argument("--top_k", type=int, default=1, help="number of most probable classes of each input")
    parser.add_argument("--json", action="store_true", help="print a line of JSON for each input")
    encoder_options(parser)
    options = parse(parser, arguments, {"top_k": int, "json": bool, "device": str, "precision": Precision})
    if options["top_k"] < 1:
        raise InputError(f"--top_k must be at least 1, not {options['top_k']}")
    classifier: ClassifierBundle = load(model_for(options["directory"], "classify")).to(find_device(options["device"]))
    classifier.precision = options["precision"]
    bad = 0
    for block in [options["inputs"]] if options["inputs"] else blocks(LINES):
        for given, labels in _classified(classifier, block, options["top_k"]):
            if isinstance(labels, InputError):
                bad += 1
                print(f"error: {labels}", file=sys.stderr)
                # Still a line for each input.
                print(json.dumps({"input": given, "error": str(labels)}, ensure_ascii=False) if options["json"] else "")
            elif options["json"]:
                print(json.dumps({"input": given, "labels": [label._asdict() for label in labels]}, ensure_ascii=False))
            else:
                cells = [cell for label in labels for cell in (label.label, f"{label.probability:.4f}")]
                print("\t".join([*cells, " ".join(given.split())]), flush=True)
    if bad:
        raise InputError(f"{bad} of the inputs could not be read")


def _classified(classifier: Any, block: list[str], top_k: int) -> Iterator[tuple[str, Any]]:
    """Yield each input with its labels or its error: one bad file does not spoil the others."""
    try:
        yield from zip(block, classifier.classify(block, top_k=top_k), strict=True)
    except InputError as error:
        if len(block) == 1:
            yield block[0], error
            return
        for one in block:
            yield from _classified(classifier, [one], top_k)
