"""The options of a command that uses a saved model: how they are declared, and read from a command line."""

from argparse import SUPPRESS
from dataclasses import fields
from typing import Any

from seqgen.cli.members import members_first
from seqgen.generation.config import GenerationConfig
from seqgen.options import new_parser, parse

WHERE = "run directory, its model/, name of a model on the hub, or exported model"
MEMBERS = "; folders of models before them are further members of an ensemble"
TEXTS = "{}, or text files to read line by line; by default standard input"
ENCODING = "encoding of text files, such as latin-1 or utf-16; by default as the model was trained, else utf-8"
LISTS = {"stop_strings", "suppress_tokens", "force_words"}  # options of generation that are declared by themselves


class CommandParser:
    """The options of a command, with the type of each.

    Args:
        name: of the command.
        description: what it does, in one sentence.
    """

    def __init__(self, name: str, description: str):
        self.parser = new_parser(description, prog=f"seqgen {name}")
        self.types: dict[str, Any] = {}
        self.flags: set[str] = set()
        self.generation: set[str] = set()
        self.inputs = ""
        self.parser.add_argument("directory", help=WHERE)

    def words(self, name: str, rule: str) -> None:
        """Add the arguments that are no options."""
        self.parser.add_argument(name, nargs="*", help=rule).required = False

    def words_after_models(self, name: str, rule: str) -> None:
        """Add the arguments that are no options, before which further models may stand."""
        self.inputs = name
        self.words(name, f"{rule}{MEMBERS}")

    def option(self, name: str, kind: Any, default: Any, rule: str) -> None:
        """Add an option with a value."""
        self.types[name] = kind
        self.parser.add_argument(f"--{name}", type=kind, default=default, help=rule)

    def flag(self, name: str, rule: str) -> None:
        """Add an option without a value."""
        self.types[name] = bool
        self.flags.add(name)
        self.parser.add_argument(f"--{name}", action="store_true", help=rule)

    def texts(self, name: str, kind: str) -> None:
        """Add the arguments that are texts or text files, and the flag for arguments that look like files."""
        self.words_after_models(name, TEXTS.format(kind))
        self.flag("text", "take every argument for a text, even where a file has this name")
        self.option("encoding", str | None, None, ENCODING)

    def generation_options(self) -> None:
        """Add the options of generation, whose defaults are in the model's own file."""
        self.parser.add_class_arguments(GenerationConfig, skip=LISTS)
        rule = "words or phrases that every text must have; needs several beams, and -- before a prompt after it"
        self.parser.add_argument("--force_words", nargs="+", default=SUPPRESS, help=rule)
        self.types["force_words"] = str
        self.generation = {field.name for field in fields(GenerationConfig)}
        self.types |= {field.name: field.type for field in fields(GenerationConfig) if field.name not in LISTS}
        for action in self.parser._actions:
            if action.dest in self.generation:
                action.default, action.help = SUPPRESS, f"{action.help}; by default as in the model"

    def parse(self, arguments: list[str]) -> dict[str, Any]:
        """Return the options of a command line; "generation" has those of generation, as far as they were given.

        "members" has the folders of models that stand before texts or images.

        Raises:
            InputError: an unknown option, or a value of another type.
        """
        given = parse(self.parser, arguments, self.types, defaults=False)
        generation = {name: value for name, value in given.items() if name in self.generation}
        defaults: dict[str, Any] = self.parser.get_defaults().as_dict()
        options = defaults | given | {"generation": generation, "members": []}
        if self.inputs and not options.get("text"):
            options["members"], options[self.inputs] = members_first(options[self.inputs])
        return options
