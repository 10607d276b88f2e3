"""The models that are served, each with its name, its kind, its turns, and what can be said about it."""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seqgen.data.examples import read_examples
from seqgen.errors import InputError, nearest
from seqgen.inference.about import PROMPTS, about
from seqgen.inference.bundle import Bundle
from seqgen.inference.captioner import Captioner
from seqgen.inference.classifiers import ImageClassifier
from seqgen.inference.conditional_generator import ConditionalGenerator
from seqgen.inference.generator import Generator
from seqgen.inference.known_tokens import first_known
from seqgen.inference.translator import Translator
from seqgen.inference.usage import KINDS
from seqgen.serving.refusals import Refusal
from seqgen.serving.turns import Turns


@dataclass
class Served:
    """A model that is served.

    Args:
        name: by which requests choose it.
        bundle: the model in use.
    """

    name: str
    bundle: Bundle[Any]
    turns: Turns = field(default_factory=Turns)

    @property
    def kind(self) -> str:
        """The name of its builder."""
        return self.bundle.builder

    def description(self) -> dict[str, Any]:
        """Return what the page shows of it, as plain data."""
        found: dict[str, Any] = {"name": self.name, "kind": self.kind, "about": about(self.bundle)}
        # The options that generation with this model starts from.
        found["options"] = self.bundle.generation.to_data() if hasattr(self.bundle, "generation") else {}
        for name in ("classes", "tags"):
            if hasattr(self.bundle, name):
                found[name] = getattr(self.bundle, name)
        found["examples"] = list(map(_example, self._examples()))
        if isinstance(self.bundle, Generator):
            tokenizer, sizes = self.bundle.tokenizer, _cells(self.bundle)
            found |= {"tokens": tokenizer.kind, "cells": sizes, "example": first_known(PROMPTS, tokenizer)}
        if isinstance(self.bundle, ConditionalGenerator):
            found |= {"conditions": self.bundle.categories or None, "numbers": len(self.bundle.mean)}
        if isinstance(self.bundle, ImageClassifier | Captioner):
            found |= {"size": self.bundle.preprocessing.size, "border": self.bundle.preprocessing.border}
        if isinstance(self.bundle, Translator):
            found["attends"] = getattr(self.bundle.model.decoder, "attention", None) is not None
        return found

    def _examples(self) -> list[str | bytes]:
        """Return the examples that its run has left, where it is a run's."""
        directory = self.bundle.loaded_from
        return read_examples(directory.parent) if directory is not None and directory.name == "model" else []


def named(runs: Iterable[str], bundles: Iterable[Bundle[Any]]) -> list[Served]:
    """Return models under the last parts of their runs' names, with a number where two are the same."""
    names: list[str] = []
    for run in runs:
        path = Path(run).resolve()
        name = path.parent.name if path.name == "model" else path.name
        same = [name, *(f"{name}-{number}" for number in range(2, len(names) + 2))]
        names.append(next(one for one in same if one not in names))
    return [Served(name, bundle) for name, bundle in zip(names, bundles, strict=True)]


def chosen(models: Sequence[Served], kinds: Iterable[str], name: Any) -> Served:
    """Return the model that a request is for, one of these kinds.

    Args:
        models: that are served.
        kinds: which the address serves.
        name: as the request gives it; None where there is but one model of these kinds.

    Raises:
        InputError: a request without a name that several models could answer, or for a model of another kind.
        Refusal: there is no such model.
    """
    words = " or ".join(KINDS[kind][0] for kind in kinds)
    able = [one for one in models if one.kind in kinds]
    if name is None:
        if not able:
            raise Refusal(404, f"there must be {words}, but none is served")
        if len(able) > 1:
            raise InputError(f"model must be one of {', '.join(one.name for one in able)}, but it is missing")
        return able[0]
    if not isinstance(name, str):
        raise InputError(f"model must be a text, not {name!r}")
    for one in models:
        if one.name == name:
            if one not in able:
                raise InputError(f"model must be {words}, not {name!r}, which is {KINDS[one.kind][0]}")
            return one
    names = [one.name for one in able]
    known = ", ".join(names) or "none"
    raise Refusal(404, f"model must be one of {known}, not {name!r}{nearest(name, names)}")


def _example(given: str | bytes) -> str:
    """Return a text, or the address of an image that the page itself holds."""
    return given if isinstance(given, str) else f"data:image/jpeg;base64,{base64.b64encode(given).decode()}"


def _cells(generator: Generator) -> list[dict[str, int]] | None:
    recurrent = getattr(generator.model, "recurrent", None)
    if recurrent is None or not hasattr(generator.model, "activations"):
        return None
    return [{"size": layer.hidden_size} for layer in recurrent.stack]
