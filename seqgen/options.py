"""A command's options as dataclasses: a mistyped one is an error of one sentence."""

import logging
import re
from argparse import ArgumentError
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from jsonargparse import ArgumentParser, get_loader, set_loader, set_parsing_settings
from yaml import YAMLError

from seqgen.arguments import rule
from seqgen.errors import InputError, nearest

logging.getLogger("jsonargparse").setLevel(logging.ERROR)
set_parsing_settings(docstring_parse_attribute_docstrings=True)
_load_yaml = get_loader("yaml")


def _load(text: str) -> Any:
    """Return a value as YAML reads it, but of the texts that it takes for nothing, such as "~" or "#1", only "null"."""
    value = _load_yaml(text)
    return text if value is None and text.strip() not in ("", "null") else value


set_loader("yaml", _load, (YAMLError,))


def new_parser(description: str, **options: Any) -> ArgumentParser:
    """Return a parser that raises instead of exiting, takes no abbreviations, and shows the first paragraph."""
    return ArgumentParser(
        exit_on_error=False,
        allow_abbrev=False,
        description=description.split("\n\n")[0],
        **options,
    )


def require_values(parser: ArgumentParser, values: dict[str, Any], types: dict[str, Any]) -> None:
    """Raise an InputError where values that were saved are not those that options of these types can have."""
    try:
        parser.parse_object({name: value for name, value in values.items() if name in types}, defaults=False)
    except ArgumentError as error:
        raise InputError(_sentence(str(error), types)) from None
    require_no_null(values, types)


def require_no_null(values: dict[str, Any], types: dict[str, Any]) -> None:
    """Raise an InputError where a value is null that options of its type cannot have: jsonargparse takes it for any."""
    for name, value in values.items():
        if name in types and not rule(types[name]).kept(value):
            raise InputError(f"--{name} must be {_type_name(types[name])}, not {value!r}")


def parse(
    parser: ArgumentParser, arguments: list[str], types: dict[str, Any], *, defaults: bool = True
) -> dict[str, Any]:
    """Return the values of all options.

    Args:
        parser: from `new_parser`.
        arguments: of the command line.
        types: the type of each option.
        defaults: whether to return options that were not given, too, with their defaults.

    Raises:
        InputError: an unknown option, or a value of another type.
    """
    arguments = _in_brackets(_options_first(parser, arguments), types)
    try:
        values: dict[str, Any] = parser.parse_args(arguments, defaults=defaults).clone(with_meta=False).as_dict()
    except ArgumentError as error:
        raise InputError(_sentence(str(error), types)) from None
    return values


OPTION = re.compile(r"--?[A-Za-z][\w-]*(=.*)?", flags=re.DOTALL)  # other words, such as "-1", are values or texts


def _options_first(parser: ArgumentParser, arguments: list[str]) -> list[str]:
    """Return the options before the other arguments, between which argparse would not take them."""
    if all(action.option_strings for action in parser._actions):
        return arguments
    taken = {name: action.nargs for action in parser._actions for name in action.option_strings}
    words, options, others = list(arguments), list[str](), list[str]()
    while words:
        word = words.pop(0)
        if word == "--":
            others += words
            break
        if not OPTION.fullmatch(word):
            others.append(word)
            continue
        options.append(word)
        values = 0 if "=" in word else {0: 0, "+": len(words)}.get(taken.get(word), 1)
        while values and words and words[0] != "--" and not OPTION.fullmatch(words[0]):
            options.append(words.pop(0))
            values -= 1
    return [*options, "--", *others] if others else options


def _in_brackets(arguments: list[str], types: dict[str, Any]) -> list[str]:
    """Return the values of an option that takes a list in brackets, where they were given without."""
    found: list[str] = []
    for word in arguments:
        name, sign, value = (found[-1] if found else "").partition("=")
        if OPTION.fullmatch(word) or not str(types.get(name.strip("-"), "")).startswith("list["):
            found.append(word)
        elif not sign:
            found[-1] = f"{name}={word}"
        else:
            found[-1] = f"{name}={value.rstrip(',')},{word}"
    return [_bracketed(word, types) for word in found]


def _bracketed(word: str, types: dict[str, Any]) -> str:
    name, _, value = word.partition("=")
    is_list = name.startswith("--") and str(types.get(name.strip("-"), "")).startswith("list[")
    return f"{name}=[{value}]" if is_list and value and not value.startswith("[") else word


def _sentence(message: str, types: dict[str, Any]) -> str:
    if unknown := re.search(r"unrecognized arguments: (\S+)|Option '(\S+)' is not accepted", message):
        option = unknown[1] or f"--{unknown[2]}"
        if not option.startswith("-"):
            return f"options must begin with --, but there is {option!r}"
        return f"there is no option {option}{nearest(option.strip('-'), types, prefix='--')}"
    if missing := re.search(r"arguments are required: ([\w, -]+)", message):
        return f"{missing[1].split(',')[0]} must be given, but it is missing"
    if bare := re.search(r"argument (--\w+).*: expected", message):
        return f"{bare[1]} must have a value after it, but it has none"
    name = re.search(r'Parser key "(\w+)"', message)
    value = re.search(r"value: (.*)$", message)
    if name and value and name[1] in types:
        words, is_list = choices(types[name[1]]), str(types[name[1]]).startswith("list[")
        rule = f"{'a list of' if is_list else 'one of'} {', '.join(words)}" if words else _type_name(types[name[1]])
        return f"--{name[1]} must be {rule}, not {value[1]!r}{nearest(value[1], words)}"
    return " ".join(re.sub(r'^Parser key "(\w+)":', r"--\1:", message).split())


def choices(annotation: Any) -> list[str]:
    """Return the words of a Literal, also of an optional one or of a list."""
    return [word for word in _parts(annotation) if isinstance(word, str)]


def _parts(annotation: Any) -> Iterator[Any]:
    for part in getattr(annotation, "__args__", ()):
        yield part
        yield from _parts(part)


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
        return f"a list, each {words.get(text[5:-1], text[5:-1])}"
    return " or ".join(words.get(part, part) for part in text.split(" | "))


def config_files(arguments: list[str]) -> list[str]:
    """Return the files that the arguments of a command name by `--config`."""
    after = [value for word, value in pairwise(arguments) if word == "--config"]
    return after + [word.removeprefix("--config=") for word in arguments if word.startswith("--config=")]
