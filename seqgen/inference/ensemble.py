"""An ensemble: several models of a kind in use as one, whose probabilities are the mean of theirs."""

import dataclasses
from collections.abc import Sequence
from typing import Any, cast

from torch import Tensor, nn

from seqgen.arguments import checked
from seqgen.errors import InputError
from seqgen.generation.ensemble import DecoderEnsemble, pooled
from seqgen.inference.answers import AnswerBundle
from seqgen.inference.bundle import Bundle
from seqgen.inference.encoder_decoder import EncoderDecoderBundle
from seqgen.models import EncoderDecoder
from seqgen.protocols import Encoder
from seqgen.state import Memories

OF_FIRST = ("generation_config.json", "word_ngrams.json")  # parts in which members may differ: those of the first count


class AnswerEnsemble(nn.ModuleList):
    """Classifiers or taggers of the same inputs and answers as one."""

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return the logits of the mean of the members' probabilities."""
        return pooled([member(*inputs) for member in self])


class EncoderEnsemble(nn.ModuleList):
    """Encoders of the same inputs as one."""

    def forward(self, *inputs: Tensor) -> Memories:
        """Return the memories of all members."""
        return Memories(member(*inputs) for member in self)


@checked
def ensemble(bundles: Sequence[Bundle[Any]]) -> Any:
    """Return models of a kind in use as one of this kind, whose probabilities are the mean of theirs at every step.

    The models may differ in cell, sizes and all else within them, but not in vocabulary, labels and preprocessing. The
    options of generation and the n-grams are those of the first. An ensemble is not saved: its members are.

    Args:
        bundles: at least one, such as those of runs that differ in their random seed.

    Raises:
        InputError: there is none, or they are not alike, which the error names.
    """
    members = [member for bundle in bundles for member in bundle.members or [bundle]]
    if not members:
        raise InputError("an ensemble must have at least one model, but there is none")
    names = [str(member.loaded_from or f"model {number}") for number, member in enumerate(members, start=1)]
    for name, member in zip(names, members, strict=True):
        _require_alike(names[0], members[0], name, member)
    models = [member.model for member in members]
    options: dict[str, Any] = {"arguments": {}, "own_builder": None, "loaded_from": None, "members": tuple(members)}
    return dataclasses.replace(members[0], model=_as_one(members[0], models), **options)


def _as_one(kind: Bundle[Any], models: list[Any]) -> nn.Module:
    if isinstance(kind, AnswerBundle):
        return AnswerEnsemble(models)
    if isinstance(kind, EncoderDecoderBundle):
        encoder = EncoderEnsemble([model.encoder for model in models])
        return EncoderDecoder(cast("Encoder", encoder), DecoderEnsemble([model.decoder for model in models]))
    return DecoderEnsemble(models)


def _require_alike(name: str, bundle: Bundle[Any], other_name: str, other: Bundle[Any]) -> None:
    """Raise an InputError where two models have other inputs or other answers."""
    kinds = bundle.builder, other.builder
    if len(set(kinds)) > 1 or type(bundle) is not type(other):
        found = f"{name} is of kind {kinds[0]} and {other_name} of kind {kinds[1]}"
        raise InputError(f"the members of an ensemble must be of one kind, but {found}")
    one, two = bundle.parts(), other.parts()
    for file in one:
        if file not in OF_FIRST and one[file] != two[file]:
            part = file.removesuffix(".json").replace("_", " ")
            raise InputError(
                f"the members of an ensemble must have the same {part}, but {name} and {other_name} differ in it: "
                "train them on the same data with the same vocabulary"
            )
    if bundle.device != other.device:
        devices = f"{name} is on {bundle.device} and {other_name} on {other.device}"
        raise InputError(f"the members of an ensemble must be on one device, but {devices}")
