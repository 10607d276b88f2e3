"""The command `seqgen`: what a saved model does, from the shell. Nothing heavy is loaded before it is needed."""

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from seqgen import __version__
from seqgen.errors import InputError, nearest, run_main
from seqgen.files import read_text

LINES = 256  # of standard input that are classified together

USAGE = """usage: seqgen COMMAND ...

  generate DIRECTORY [--prompt TEXT]   write on from a prompt, or from each line of standard input
  classify DIRECTORY [INPUT ...]       name the class of texts or image files, or of each line of standard input
  tag DIRECTORY [FILE ...]             tag the words or characters of files, or of standard input

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
    from seqgen.bundle import load, read_part
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
    directory = _find(parse(parser, arguments, types)["directory"], "generate")
    # What the command line does not say is as the model's own file has it.
    usual = GenerationConfig().with_options(**read_part(directory, "generation_config.json")).to_data()
    parser.set_defaults({name: value for name, value in usual.items() if name != "suppress_tokens"})
    options = parse(parser, arguments, types)
    del options["directory"]
    writer = load(directory).to(find_device(options.pop("device")))
    prompt = options.pop("prompt")
    # Only what differs was asked for: with beams, the usual sampling was not.
    options = {name: value for name, value in options.items() if name not in usual or value != usual[name]}
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


def classify(arguments: list[str]) -> None:
    """Print the class of each text or image file with its probability, of those given or of each line read."""
    from seqgen.bundle import load
    from seqgen.devices import find_device
    from seqgen.options import new_parser, parse

    parser = new_parser(classify.__doc__ or "", prog="seqgen classify")
    parser.add_argument("directory", help="a run directory, its model/, or the name of a model on the hub")
    parser.add_argument("inputs", nargs="*", help="texts, or paths of images; by default the lines of standard input")
    parser.add_argument("--top_k", type=int, default=1, help="how many classes of each")
    parser.add_argument("--json", action="store_true", help="print a line of JSON for each")
    parser.add_argument("--device", type=str, default="cpu", help="auto, cpu, cuda and so on")
    options = parse(parser, arguments, {"top_k": int, "json": bool, "device": str})
    classifier = load(_find(options["directory"], "classify")).to(find_device(options["device"]))
    bad = 0
    for block in [options["inputs"]] if options["inputs"] else _blocks():
        for given, labels in _classified(classifier, block, options["top_k"]):
            if isinstance(labels, InputError):
                bad += 1
                print(f"error: {labels}", file=sys.stderr)
            elif options["json"]:
                print(json.dumps({"input": given, "labels": [label._asdict() for label in labels]}, ensure_ascii=False))
            else:
                cells = [cell for label in labels for cell in (label.label, f"{label.probability:.4f}")]
                print("\t".join([*cells, " ".join(given.split())]), flush=True)
    if bad:
        raise InputError(f"{bad} of the inputs could not be read")


def _classified(classifier: Any, block: list[str], top_k: int) -> Iterator[tuple[str, Any]]:
    """Yield each input with its labels, or with what is wrong with it: one bad file does not spoil the others."""
    try:
        yield from zip(block, classifier.classify(block, top_k=top_k), strict=True)
    except InputError as error:
        if len(block) == 1 or top_k < 1:
            yield block[0], error
            return
        for one in block:
            yield from _classified(classifier, [one], top_k)


def tag(arguments: list[str]) -> None:
    """Print the tag of each word or character: in colour on a terminal, else each token with its tag."""
    from seqgen.bundle import load
    from seqgen.devices import find_device
    from seqgen.options import new_parser, parse
    from seqgen.tag_printing import printed

    parser = new_parser(tag.__doc__ or "", prog="seqgen tag")
    parser.add_argument("directory", help="a run directory, its model/, or the name of a model on the hub")
    parser.add_argument("files", nargs="*", help="text files; by default standard input")
    parser.add_argument("--json", action="store_true", help="print a line of JSON for each text")
    parser.add_argument("--device", type=str, default="cpu", help="auto, cpu, cuda and so on")
    options = parse(parser, arguments, {"json": bool, "device": str})
    tagger = load(_find(options["directory"], "tag")).to(find_device(options["device"]))
    for path in options["files"] or ["-"]:
        text = sys.stdin.read() if path == "-" else read_text(Path(path))
        coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        for piece in printed(tagger, text, "json" if options["json"] else "colour" if coloured else "lines"):
            print(piece, end="")


def _find(source: str, command: str) -> Path:
    """Return the directory of a model that can do what the command is for."""
    from seqgen.bundle import find_model, used_as

    directory = find_model(source)
    kind = used_as(directory)
    if not hasattr(kind, command):
        raise InputError(f"{source} must hold a model that can {command}, but it holds one of {kind.builder}")
    return directory


def _blocks() -> Iterator[list[str]]:
    """Yield the lines of standard input, many at once unless a person types them."""
    lines: list[str] = []
    for line in _prompts():
        lines.append(line)
        if sys.stdin.isatty() or len(lines) == LINES:
            yield lines
            lines = []
    if lines:
        yield lines


def _prompts() -> Iterator[str]:
    """Yield the lines of standard input; on a terminal each is asked for."""
    while True:
        if sys.stdin.isatty():
            print("> ", end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not line:
            return
        yield line.removesuffix("\n")


def _show(writer: Any, prompt: str, options: dict[str, Any]) -> None:
    config = writer.generation.with_options(**{name: value for name, value in options.items() if name != "unseen"})
    if config.num_return_sequences > 1 or config.num_beams > 1:
        print("\n---\n".join(writer.generate(prompt, **options)))
        return
    for piece in writer.stream(prompt, **options):
        print(piece, end="", flush=True)
    print()


COMMANDS = {"generate": generate, "classify": classify, "tag": tag}

if __name__ == "__main__":
    main()
