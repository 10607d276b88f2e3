"""Saved models of any kind, loaded as they were saved; several as an ensemble."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from seqgen.arguments import checked
from seqgen.inference.ensemble import ensemble
from seqgen.inference.saved import find_model, used_as


@checked
def load(source: str | Path | Sequence[str | Path], *, builder: Callable[..., nn.Module] | None = None) -> Any:
    """Return a saved model in use: a `Generator`, `TextClassifier`, `Tagger`, `Translator` and so on, as it was saved.

    Which of them is known only when the file is read: `Translator.from_pretrained(source)` is the same for a type
    checker and an editor to know, and for a sentence where it is none.

    Args:
        source: run directory, its `model/`, or name of a model on the hub; or a list of these, for the `ensemble` of
            the models.
        builder: the function of one's own that built it, if one did, as in `from_pretrained`.

    Raises:
        InputError: it does not exist, is incomplete, or was saved by another version; or several cannot be an ensemble.
    """
    if not isinstance(source, str | Path):
        return ensemble([load(one, builder=builder) for one in source])
    directory = find_model(source)
    return used_as(directory).from_pretrained(directory, builder=builder)
