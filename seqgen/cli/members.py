"""The members of an ensemble in a command line: folders of models that follow the first one."""

import os
from itertools import takewhile

FILES = ("config.json", os.path.join("model", "config.json"), "config.yaml")  # of a model, and of runs


def members_first(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Return the leading arguments that are folders of models or runs, and the others."""
    members = list(takewhile(_is_model, arguments))
    return members, arguments[len(members) :]


def _is_model(argument: str) -> bool:
    return any(os.path.isfile(os.path.join(argument, name)) for name in FILES)
