"""A check that a saved model could be loaded: that its builder makes it again of plain data."""

import json
from collections.abc import Callable
from typing import Any

from torch import nn

from seqgen.errors import InputError


def builder_name(builder: Callable[..., Any]) -> str:
    """Return the name of a function of one's own, as a saved model records it; nothing ever imports it."""
    return f"{builder.__module__}:{getattr(builder, '__qualname__', type(builder).__qualname__)}"


def require_plain(arguments: dict[str, Any]) -> None:
    """Raise an InputError where arguments would not come back from a JSON file as they are."""
    try:
        same = json.loads(json.dumps(arguments)) == arguments
    except (TypeError, ValueError):
        same = False
    if not same:
        raise InputError(
            f"arguments must be plain data (text, numbers, true or false, None, lists and dictionaries of these), "
            f"not {arguments}"
        )


def difference(model: nn.Module, again: nn.Module) -> str:
    """Return the first difference between two models, in parts or in shapes of weights, as a clause; "" for none."""
    one, other = _described(model), _described(again)
    for name in one | other:
        if one.get(name) != other.get(name):
            part = f"its {name}" if name else "the model"
            return f"{part} is {one.get(name, 'missing')}, and the one built again {other.get(name, 'missing')}"
    return ""


def _described(model: nn.Module) -> dict[str, str]:
    parts = {name: f"{type(part).__module__}.{type(part).__qualname__}" for name, part in model.named_modules()}
    return parts | {name: f"of shape {tuple(weight.shape)}" for name, weight in model.state_dict().items()}
