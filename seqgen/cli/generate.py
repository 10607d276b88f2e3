"""`seqgen generate`."""

import sys
from typing import Any

from seqgen.cli.inputs import generation_options, lines, model_parser
from seqgen.errors import InputError
from seqgen.hardware.devices import find_device
from seqgen.inference.bundle import load
from seqgen.inference.conditional_generator import ConditionalGenerator
from seqgen.inference.generator import Generator, Unseen


def generate(arguments: list[str]) -> None:
    """Continue a prompt, or each line of standard input, and print the text token by token."""
    parser = model_parser("generate", generate.__doc__)
    parser.add_argument("--prompt", type=str, help="beginning of the text; by default each line of standard input")
    parser.add_argument(
        "--condition",
        type=str,
        help="category or numbers of a conditional generator; by default each line of standard input",
    )
    parser.add_argument(
        "--unseen", type=Unseen, default="error", help="what to do with characters or words unseen in training"
    )
    parser.add_argument("--stop_strings", nargs="+", default=[], help="stop after any of these strings")
    own = {"prompt": str, "condition": str, "unseen": Unseen, "device": str, "stop_strings": str}
    directory, options, asked = generation_options(parser, arguments, own, "generate")
    generator: Generator | ConditionalGenerator = load(directory).to(find_device(options["device"]))
    if isinstance(generator, ConditionalGenerator):
        _conditional(generator, options["condition"], options["prompt"] or "", asked)
        return
    if options["condition"] is not None:
        raise InputError("--condition must be with a model of conditional_generator, not with one of generator")
    if options["prompt"] is not None:
        _show(generator, options["prompt"], options["unseen"], asked)
        return
    for number, line in enumerate(lines(), start=1):
        try:
            _show(generator, line, options["unseen"], asked)
        except InputError as error:
            if not sys.stdin.isatty():
                raise InputError(f"standard input, line {number}: {error}") from None
            print(f"error: {error}", file=sys.stderr)  # the user can try again


def _conditional(generator: ConditionalGenerator, condition: str | None, prompt: str, options: dict[str, Any]) -> None:
    conditions = lines() if condition is None else [condition]
    for one in conditions:
        print("\n".join(generator.generate(one, prompt, **options)), flush=True)


def _show(generator: Generator, prompt: str, unseen: Unseen, options: dict[str, Any]) -> None:
    config = generator.generation.with_options(**options)
    if config.num_return_sequences > 1 or config.num_beams > 1:
        print("\n---\n".join(generator.generate(prompt, unseen=unseen, **options)))
        return
    for piece in generator.stream(prompt, unseen=unseen, **options):
        print(piece, end="", flush=True)
    print()
