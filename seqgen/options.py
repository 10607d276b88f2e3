"""A command's options as dataclasses: a mistyped one is an error of one sentence."""

import logging
import re
from argparse import ArgumentError
from collections.abc import Iterator
from typing import Any

from jsonargparse import ArgumentParser, set_parsing_settings

from seqgen.errors import InputError, nearest

logging.getLogger("jsonargparse").setLevel(logging.ERROR)
set_parsing_settings(docstring_parse_attribute_docstrings=True)


def new_parser(description: str, **options: Any) -> ArgumentParser:
    """Return a parser that raises instead of exiting, takes no abbreviations, and shows the first paragraph."""
    return ArgumentParser(
        exit_on_error=False,
        allow_abbrev=False,
        description=description.split("\n\n")[0],
        **options,
    )


def parse(
    parser: ArgumentParser, arguments: list[str], types: dict[str, Any], *, defaults: bool = True
) -> dict[str, Any]:
    """Return the values of all options.

    Args:
        parser: from `new_parser`.
        arguments: of the command line.
        types: the type of each option, for error messages.
        defaults: whether to return options that were not given, too, with their defaults.

    Raises:
        InputError: an unknown option, or a value of another type.
    """
    try:
        values: dict[str, Any] = parser.parse_args(arguments, defaults=defaults).clone(with_meta=False).as_dict()
    except ArgumentError as error:
        raise InputError(_sentence(str(error), types)) from None
    return values


def _sentence(message: str, types: dict[str, Any]) -> str:
    if unknown := re.search(r"unrecognized arguments: (\S+)|Option '(\S+)' is not accepted", message):
        option = unknown[1] or f"--{unknown[2]}"
        if not option.startswith("-"):
            return f"options must begin with --, but there is {option!r}"
        return f"there is no option {option}{nearest(option.strip('-'), types, prefix='--')}"
    if missing := re.search(r"arguments are required: ([\w, -]+)", message):
        return f"{missing[1].split(',')[0]} must be given, but it is missing"
    name = re.search(r'Parser key "(\w+)"', message)
    value = re.search(r"value: (.*)$", message)
    if name and value and name[1] in types:
        words = [choice for choice in _choices(types[name[1]]) if isinstance(choice, str)]
        rule = f"one of {', '.join(words)}" if words else _type_name(types[name[1]])
        return f"--{name[1]} must be {rule}, not {value[1]!r}{nearest(value[1], words)}"
    return " ".join(re.sub(r'^Parser key "(\w+)":', r"--\1:", message).split())


def _choices(annotation: Any) -> Iterator[Any]:
    """Yield the values of a Literal, also of an optional one."""
    for choice in getattr(annotation, "__args__", ()):
        yield choice
        yield from _choices(choice)


def _type_name(annotation: Any) -> str:
    text = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    words = {
        "int": "a whole number",
        "float": "a number",
        "bool": "true or false",
        "str": "text",
        "None": "null",
    }
    if text.startswith("list["):
        return f"a list in brackets like '[a, b]', each {words.get(text[5:-1], text[5:-1])}"
    return " or ".join(words.get(part, part) for part in text.split(" | "))
