"""`seqgen translate` and `seqgen evaluate`."""

import json
import sys
from pathlib import Path
from typing import Any

from tqdm import tqdm

from seqgen.cli.inputs import best, blocks, generation_options, model_for, model_parser
from seqgen.data.parallel import read_parallel
from seqgen.errors import InputError
from seqgen.hardware.devices import find_device
from seqgen.inference.bundle import load
from seqgen.inference.translator import Translation, Translator
from seqgen.metrics.translation import bleu, chrf
from seqgen.options import parse

LINES = 1024  # of standard input that are sorted by length and translated in batches


def translate(arguments: list[str]) -> None:
    """Translate each line of standard input."""
    parser = model_parser("translate", translate.__doc__)
    parser.add_argument("--nbest", type=int, default=1, help="number of translations of each line, best first")
    parser.add_argument("--scores", action="store_true", help="print the score and a tab before each translation")
    parser.add_argument("--json", action="store_true", help="print a line of JSON for each line")
    parser.add_argument(
        "--minimum_bayes_risk", type=int, default=0, help="number of samples from which the most typical is chosen"
    )
    own = {"nbest": int, "scores": bool, "json": bool, "minimum_bayes_risk": int, "device": str}
    directory, options, asked = generation_options(parser, arguments, own, "translate")
    asked |= best(options["nbest"])
    translator: Translator = load(directory).to(find_device(options["device"]))
    read = 0
    with tqdm(unit=" lines", disable=not sys.stderr.isatty() or sys.stdin.isatty()) as progress:
        for block in blocks(LINES):
            for number, line in enumerate(block, start=read + 1):
                # There are no more tokens than bytes, which are faster to count.
                if len(line.encode()) > translator.max_length < len(translator.source.encode(line)):
                    tqdm.write(f"line {number:,} is cut to {translator.max_length} tokens", file=sys.stderr)
            read += len(block)
            found = translator.translate(block, minimum_bayes_risk=options["minimum_bayes_risk"], **asked)
            each = len(found) // len(block)
            for number, line in enumerate(block):
                _show(
                    line,
                    found[number * each : (number + 1) * each],
                    json_lines=options["json"],
                    scores=options["scores"],
                )
            sys.stdout.flush()
            progress.update(len(block))


def _show(line: str, found: list[Translation], *, json_lines: bool, scores: bool) -> None:
    if json_lines:
        translations = [{"text": one.text, "score": one.score} for one in found]
        print(json.dumps({"source": line, "translations": translations}, ensure_ascii=False))
        return
    for one in found:
        text = " ".join(one.text.split("\n"))  # a line stays a line
        print(f"{one.score:.4f}\t{text}" if scores else text)


def evaluate(arguments: list[str]) -> None:
    """Translate a file and compare with the reference translations in another: BLEU, chrF and exact matches."""
    parser = model_parser("evaluate", evaluate.__doc__)
    parser.add_argument("--source", type=str, required=True, help="file of sentences")
    parser.add_argument("--target", type=str, required=True, help="file of their reference translations")
    parser.add_argument("--num_beams", type=int, help="number of beams; by default as in the model")
    options = parse(parser, arguments, {"source": str, "target": str, "num_beams": int, "device": str})
    for name in ("source", "target"):
        if not Path(options[name]).is_file():
            raise InputError(f"--{name} must be a file, but {options[name]!r} is not a file")
    translator: Translator = load(model_for(options["directory"], "translate")).to(find_device(options["device"]))
    data = read_parallel(options["source"], options["target"])
    if not len(data):
        raise InputError(f"--source must hold at least one sentence, but {options['source']} is empty")
    asked: dict[str, Any] = {"num_return_sequences": 1}
    if options["num_beams"] is not None:
        asked["num_beams"] = options["num_beams"]
    written = [one.text for one in translator.translate(data.sources, **asked)]
    for name, measured in (("BLEU", bleu(written, data.targets)), ("chrF", chrf(written, data.targets))):
        print(f"{name}\t{measured.score:.2f}\t{measured.signature}")
    exact = sum(one == other for one, other in zip(written, data.targets, strict=True)) / max(len(written), 1)
    print(f"exact\t{100 * exact:.2f}")
