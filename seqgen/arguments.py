"""Arguments of public functions, checked against their annotations: a wrong one is an error of one sentence."""

import collections.abc
import inspect
import numbers
import os
import reprlib
import types
import typing
from collections.abc import Callable
from functools import cache, wraps
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

from seqgen.errors import InputError

T = TypeVar("T")


class Rule(NamedTuple):
    """The rule of an annotation: in words, and as a function of a value that keeps to it or not."""

    words: str
    kept: Callable[[Any], bool]


ANYTHING = Rule("anything", lambda value: True)
PLAIN = {
    str: Rule("a text", lambda value: isinstance(value, str)),
    bool: Rule("true or false", lambda value: type(value).__name__ in ("bool", "bool_")),
    int: Rule("a whole number", lambda value: isinstance(value, numbers.Integral) and not isinstance(value, bool)),
    float: Rule("a number", lambda value: isinstance(value, numbers.Real) and not isinstance(value, bool)),
    type(None): Rule("None", lambda value: value is None),
    Path: Rule("a path", lambda value: isinstance(value, os.PathLike)),
    Any: ANYTHING,
    object: ANYTHING,
}


def checked(thing: T) -> T:
    """Return a function that checks its arguments; or a class whose construction and public methods do.

    Only the construction of modules is checked: their forward passes are torch's business, and run in inner loops.

    Raises:
        InputError: by the function, for an argument that its annotation does not allow.
    """
    if not isinstance(thing, type):
        return cast("T", _checked(cast("Callable[..., Any]", thing)))
    for name, method in list(vars(thing).items()):
        if name in ("__init__", "__new__") or not (name.startswith("_") or hasattr(thing, "forward")):
            if isinstance(method, classmethod):
                setattr(thing, name, classmethod(_checked(method.__func__)))
            elif inspect.isfunction(method):
                setattr(thing, name, _checked(method))
    return thing


def _checked(function: Callable[..., Any]) -> Callable[..., Any]:
    own = inspect.unwrap(function)
    places = list(inspect.signature(own).parameters)
    taking_more = [one.name for one in inspect.signature(own).parameters.values() if one.kind is one.VAR_POSITIONAL]

    @cache
    def rules() -> dict[str, Rule]:
        hints = typing.get_type_hints(own)
        found = {name: rule(hints[name]) for name in places if name in hints}
        return {name: one for name, one in found.items() if one is not ANYTHING and name not in taking_more}

    @wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        of = rules()
        for name, value in (*zip(places, arguments, strict=False), *options.items()):
            if name in of and not of[name].kept(value):
                raise InputError(f"{name} must be {of[name].words}, not {_shown(value)}")
        return function(*arguments, **options)

    return call


def _shown(value: Any) -> str:
    if isinstance(value, str | bytes | int | float | list | tuple | dict | type(None)):
        return " ".join(reprlib.repr(value).split())
    return _with_article(type(value).__name__)


@cache
def rule(annotation: Any) -> Rule:
    """Return the rule of an annotation."""
    kind: Any
    kind, parts = typing.get_origin(annotation) or annotation, typing.get_args(annotation)
    if kind in PLAIN:
        return PLAIN[kind]
    if kind in (typing.Union, types.UnionType):
        return _any_of([rule(part) for part in parts])
    if kind is typing.Literal:  # the function itself knows the nearest word
        kinds = tuple({type(part) for part in parts})
        return Rule(f"one of {', '.join(map(str, parts))}", lambda value: isinstance(value, kinds))
    if isinstance(annotation, TypeVar):
        return ANYTHING if annotation.__bound__ is None else rule(annotation.__bound__)
    if not isinstance(kind, type):
        return ANYTHING
    if kind is collections.abc.Callable:
        return Rule("a function", callable)
    if getattr(kind, "_is_protocol", False) and kind.__module__.startswith("seqgen"):
        return _with_methods(kind)
    if issubclass(kind, collections.abc.Mapping):
        return Rule("a dictionary", lambda value: isinstance(value, collections.abc.Mapping))
    if kind.__module__ in ("builtins", "collections.abc") and issubclass(kind, collections.abc.Iterable):
        each = rule(parts[0]) if parts and (kind is not tuple or parts[1:] == (...,)) else ANYTHING
        return _many(each, counted=issubclass(kind, collections.abc.Sequence)) if kind is not bytes else _a(kind)
    return _a(kind)


def _a(kind: type) -> Rule:
    if hasattr(kind, "forward"):  # a module of one's own may stand in for another
        return Rule(f"a module, such as {_with_article(kind.__name__)}", lambda value: hasattr(value, "forward"))
    return Rule(_with_article(kind.__name__), lambda value: isinstance(value, kind))


def _with_article(noun: str) -> str:
    noun = {"ndarray": "array"}.get(noun, noun)
    return f"{'an' if noun[0] in 'AEIOaeio' else 'a'} {noun}"


def _any_of(rules: list[Rule]) -> Rule:
    if ANYTHING in rules:
        return ANYTHING
    kept = [one.kept for one in rules]
    return Rule(" or ".join(one.words for one in rules), lambda value: any(one(value) for one in kept))


def _many(each: Rule, *, counted: bool) -> Rule:
    """Return the rule of a list or, where it need not be counted, of whatever gives one value after the other.

    The values are looked at where they are in memory, but not those that a generator makes or a file holds.
    """
    needed = ("__len__", "__getitem__") if counted else ("__iter__",)

    def kept(values: Any) -> bool:
        if isinstance(values, str | bytes | collections.abc.Mapping) or not all(hasattr(values, one) for one in needed):
            return False
        in_memory = (isinstance(values, list | tuple) or hasattr(values, "ndim")) and each is not ANYTHING
        return getattr(values, "ndim", 1) > 0 and (not in_memory or all(map(each.kept, values)))

    words = "a list" if counted else "a list or a generator"
    return Rule(words if each is ANYTHING else f"{words}, each {each.words}", kept)


def _with_methods(protocol: type) -> Rule:
    names = {
        name
        for kind in protocol.__mro__
        if getattr(kind, "_is_protocol", False) and kind.__module__.startswith("seqgen")
        for name, part in vars(kind).items()
        if callable(getattr(part, "__func__", part)) and (not name.startswith("_") or name == "__call__")
    }
    shown = " and ".join(sorted(names - {"__call__"})) or "a call"
    words = f"a {protocol.__name__}, an object with {shown}"
    return Rule(words, lambda value: all(hasattr(value, name) for name in names) and not isinstance(value, type))
