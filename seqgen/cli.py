"""The command `seqgen`: what a saved model does, from the shell. Nothing heavy is loaded before it is needed."""

import sys
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from seqgen import __version__
from seqgen.errors import InputError, nearest, run_main

USAGE = """usage: seqgen COMMAND ...

  generate DIRECTORY [--prompt TEXT]   write on from a prompt, or from each line of standard input

`seqgen COMMAND --help` tells the options of a command. DIRECTORY is a run directory, its model/ or the name of a
model on the hub."""


def main() -> None:
    """Run the command line of this process."""
    run_main(lambda: run_command(sys.argv[1:]))


def run_command(arguments: list[str]) -> None:
    """Run one command.

    Raises:
        InputError: there is no such command, or what follows it is wrong.
    """
    if not arguments or arguments[0] in ("-h", "--help"):
        print(USAGE)
    elif arguments[0] == "--version":
        print(f"seqgen {__version__}")
    elif arguments[0] in COMMANDS:
        COMMANDS[arguments[0]](arguments[1:])
    else:
        raise InputError(f"there is no command {arguments[0]!r}{nearest(arguments[0], COMMANDS)}; see seqgen --help")


def generate(arguments: list[str]) -> None:
    """Write on from a prompt, or from each line of standard input, and show the text as it is written."""
    from seqgen.bundle import find_model, load, read_part
    from seqgen.devices import find_device
    from seqgen.generation.config import GenerationConfig
    from seqgen.options import new_parser, parse
    from seqgen.writer import Unseen

    parser = new_parser(generate.__doc__ or "", prog="seqgen generate")
    parser.add_argument("directory", help="a run directory, its model/, or the name of a model on the hub")
    parser.add_argument("--prompt", type=str, help="the beginning of the text; by default each line of standard input")
    parser.add_argument("--unseen", type=Unseen, default="error", help="what to do with unknown characters or words")
    parser.add_argument("--device", type=str, default="cpu", help="auto, cpu, cuda and so on")
    parser.add_argument("--stop_strings", nargs="+", default=[], help="end as soon as one of these was written")
    parser.add_class_arguments(GenerationConfig, skip={"stop_strings", "suppress_tokens"})
    own = {"prompt": str, "unseen": Unseen, "device": str}
    types = {field.name: field.type for field in fields(GenerationConfig)} | own
    directory = find_model(parse(parser, arguments, types)["directory"])
    # What the command line does not say is as the model's own file has it.
    usual = GenerationConfig().with_options(**read_part(directory, "generation_config.json")).to_data()
    parser.set_defaults({name: value for name, value in usual.items() if name != "suppress_tokens"})
    options = parse(parser, arguments, types)
    del options["directory"]
    writer = load(directory).to(find_device(options.pop("device")))
    prompt = options.pop("prompt")
    if prompt is not None:
        _show(writer, prompt, options)
        return
    for number, line in enumerate(_prompts(), start=1):
        try:
            _show(writer, line, options)
        except InputError as error:
            if not sys.stdin.isatty():
                raise InputError(f"standard input, line {number}: {error}") from None
            print(f"error: {error}", file=sys.stderr)  # a person can just try again


def _prompts() -> Iterator[str]:
    """Yield the lines of standard input; on a terminal each is asked for."""
    while True:
        if sys.stdin.isatty():
            print("prompt> ", end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not line:
            return
        yield line.removesuffix("\n")


def _show(writer: Any, prompt: str, options: dict[str, Any]) -> None:
    if options["num_return_sequences"] > 1:
        print("\n---\n".join(writer.generate(prompt, **options)))
        return
    for piece in writer.stream(prompt, **options):
        print(piece, end="", flush=True)
    print()


COMMANDS = {"generate": generate}

if __name__ == "__main__":
    main()
