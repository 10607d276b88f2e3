"""`seqgen generate`."""

import json
import sys
from collections.abc import Iterator
from typing import Any

from seqgen.cli.inputs import Line, lines, open_model
from seqgen.cli.trained import encodings
from seqgen.errors import InputError
from seqgen.tasks.conditional_generator import ConditionalGeneratorTask
from seqgen.tasks.generator import GeneratorTask


def generate(options: dict[str, Any]) -> None:
    """Continue each prompt, or generate a text for each condition, and print it token by token."""
    generator = open_model(options, "generate")
    conditional = generator.builder == "conditional_generator"
    if conditional and options["unseen"]:
        raise InputError("--unseen must be with a generator without conditions, not with one of conditional_generator")
    show = _conditional if conditional else _continue
    for line in _prompts(options, conditional):
        try:
            show(generator, line.text, options)
        except InputError as error:
            if not (line.where and sys.stdin.isatty()):
                raise InputError(f"{line.where}{error}") from None
            print(f"error: {error}", file=sys.stderr)  # the user can try again


def _prompts(options: dict[str, Any], conditional: bool) -> Iterator[Line]:
    if conditional or options["prompt"] is None:
        return lines(options["prompts"], as_texts=options["text"], **encodings(options))
    if options["prompts"]:
        raise InputError(f"--prompt must be without other prompts, but there is {options['prompts'][0]!r}, too")
    return iter([Line(options["prompt"])])


def _conditional(generator: ConditionalGeneratorTask, condition: str, options: dict[str, Any]) -> None:
    rows = [generator.encode(condition)]
    [found] = generator.write(rows, prefix=options["prompt"] or "", **options["generation"])
    for one in found:
        row = {"condition": condition, "text": one.text, "score": one.score}
        print(json.dumps(row, ensure_ascii=False) if options["json"] else one.text, flush=True)


def _continue(generator: GeneratorTask, prompt: str, options: dict[str, Any]) -> None:
    asked = options["generation"] | {"unseen": options["unseen"] or "error"}
    config = generator.options(**options["generation"])
    if options["json"]:
        for text in generator.generate(prompt, **asked):
            print(json.dumps({"prompt": prompt, "text": text}, ensure_ascii=False), flush=True)
    elif config.num_return_sequences > 1 or config.num_beams > 1:
        print("\n---\n".join(generator.generate(prompt, **asked)))
    else:
        for piece in generator.stream(prompt, **asked):
            print(piece, end="", flush=True)
        print()
