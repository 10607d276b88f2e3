"""The named arguments of the functions that answer requests."""

import inspect
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from seqgen.errors import InputError, nearest
from seqgen.generation.config import GenerationConfig

OPTIONS = [field.name for field in fields(GenerationConfig)]


def require_names(function: Callable[..., Any], given: dict[str, Any]) -> None:
    """Raise an InputError where a name is none of the function's arguments, or one that must be given is missing.

    A function that takes any options takes those of `GenerationConfig`. Types are the function's own to check.
    """
    parameters = inspect.signature(function).parameters.values()
    named = [one for one in parameters if one.kind is one.KEYWORD_ONLY]
    known = [one.name for one in named] + OPTIONS * any(one.kind is one.VAR_KEYWORD for one in parameters)
    for name in given:
        if name not in known:
            raise InputError(f"there is no option {name!r}{nearest(name, known)}")
    for one in named:
        if one.default is one.empty and one.name not in given:
            raise InputError(f"{one.name} must be given, but it is missing")
