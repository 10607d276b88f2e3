"""Recurrent sequence models: the same few parts write, classify, tag, caption and translate.

The names below are loaded when they are first used, so that importing the package costs next to nothing.
"""

import pkgutil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqgen.bundle import load
    from seqgen.data.documents import Documents
    from seqgen.data.stream import Stream
    from seqgen.errors import InputError
    from seqgen.nn.decoder import RecurrentDecoder
    from seqgen.nn.recurrent import Recurrent
    from seqgen.patterns import generator
    from seqgen.state import Memory, State
    from seqgen.text.bytes import ByteTokenizer
    from seqgen.text.characters import CharacterTokenizer
    from seqgen.text.words import WordTokenizer
    from seqgen.training.loop import train_steps
    from seqgen.training.losses import evaluate, next_token
    from seqgen.training.optimizers import optimizers
    from seqgen.training.schedules import Schedule
    from seqgen.writer import Writer

__version__ = "0.1.0"

_HOMES = {
    "ByteTokenizer": "seqgen.text.bytes",
    "CharacterTokenizer": "seqgen.text.characters",
    "Documents": "seqgen.data.documents",
    "InputError": "seqgen.errors",
    "Memory": "seqgen.state",
    "Recurrent": "seqgen.nn.recurrent",
    "RecurrentDecoder": "seqgen.nn.decoder",
    "Schedule": "seqgen.training.schedules",
    "State": "seqgen.state",
    "Stream": "seqgen.data.stream",
    "WordTokenizer": "seqgen.text.words",
    "Writer": "seqgen.writer",
    "evaluate": "seqgen.training.losses",
    "generator": "seqgen.patterns",
    "load": "seqgen.bundle",
    "next_token": "seqgen.training.losses",
    "optimizers": "seqgen.training.optimizers",
    "train_steps": "seqgen.training.loop",
}

__all__ = [
    "ByteTokenizer",
    "CharacterTokenizer",
    "Documents",
    "InputError",
    "Memory",
    "Recurrent",
    "RecurrentDecoder",
    "Schedule",
    "State",
    "Stream",
    "WordTokenizer",
    "Writer",
    "evaluate",
    "generator",
    "load",
    "next_token",
    "optimizers",
    "train_steps",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return pkgutil.resolve_name(f"{_HOMES[name]}:{name}")


def __dir__() -> list[str]:
    return [*globals(), *_HOMES]
