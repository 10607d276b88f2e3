"""A model as the beginning of another: with its weights, and other parts, such as more tokens or other classes."""

from typing import Any, TypeVar

import torch

from seqgen.arguments import checked
from seqgen.errors import InputError
from seqgen.inference.bundle import Bundle
from seqgen.inference.rebuilding import builder_name
from seqgen.settings import unaffected
from seqgen.tasks.parts import Part
from seqgen.text.vocabulary import Vocabulary

B = TypeVar("B", bound=Bundle[Any])

OUTPUT = ("output.weight", "output.bias")
DECODER = ("decoder.embedding.weight", *(f"decoder.{name}" for name in OUTPUT))
# The weights with a row for each token or label of a part, by the kind of the model.
TABLES: dict[str, dict[str, tuple[str, ...]]] = {
    "generator": {"tokenizer": ("embedding.weight", *OUTPUT)},
    "text_classifier": {"tokenizer": ("encoder.embedding.weight",), "classes": ("head.1.weight", "head.1.bias")},
    "image_classifier": {"classes": ("head.1.weight", "head.1.bias")},
    "tagger": {
        "vocabulary": ("encoder.embedding.weight", "encoder.embedding.words.weight"),
        "alphabet": ("encoder.embedding.characters.embedding.weight",),
        "tags": ("head.weight", "head.bias"),
    },
    "translator": {"source": ("encoder.embedding.weight",), "target": DECODER},
    "captioner": {"target": DECODER},
    "conditional_generator": {"target": DECODER, "categories": ("encoder.network.weight",)},
}


@checked
@unaffected
@torch.no_grad()
def continued(bundle: B, arguments: dict[str, Any] | None = None, **parts: Any) -> B:
    """Return the model of a bundle with other parts, to be trained further.

    A token or label that both have keeps its rows of embeddings and output layer, so that the logits of old tokens are
    the same; the rows of a new one are those of an untrained model.

    Args:
        bundle: made by seqgen's own builder.
        arguments: of the builder, in place of those of the bundle; no shape of a weight may depend on them.
        **parts: fields of the bundle, such as `tokenizer` or `classes`.

    Raises:
        InputError: a weight would have another shape, a builder of one's own made the model, or it is an ensemble.
    """
    bundle.require_single("what is trained further")
    if bundle.own_builder is not None:
        raise InputError(f"bundle must be made by seqgen's own builder, not by {builder_name(bundle.own_builder)}")
    kept = [[part.field] if isinstance(part, Part) else part.model_fields for part in bundle.files.values()]
    before = {name: getattr(bundle, name) for names in kept for name in names}
    if "ngrams" in before:  # which were fitted to the texts that the model was trained on
        before["ngrams"] = None
    model = bundle.untrained(**(before | parts), **(bundle.arguments | (arguments or {})))
    rows: dict[str, tuple[list[int], list[int]] | None] = {}
    for field, names in TABLES[bundle.builder].items():
        rows |= dict.fromkeys(names, _places(before[field], parts.get(field, before[field])))
    weights = bundle.model.state_dict()
    for name, weight in model.model.state_dict().items():
        old, new = rows.get(name) or (..., ...)
        if weights[name][old].shape != weight[new].shape:
            shapes = f"{tuple(weights[name].shape)}, not {tuple(weight.shape)}"
            raise InputError(f"a model that is trained further must keep its sizes: its {name} is of {shapes}")
        weight[new] = weights[name][old].to(weight.device)
    found: B = model
    return found


def _places(before: Any, now: Any) -> tuple[list[int], list[int]] | None:
    """Return the rows of what two vocabularies, or lists of labels, both have: in the first one, and in the second."""
    if before is now:
        return None
    first, second = _entries(before), {entry: place for place, entry in enumerate(_entries(now))}
    both = [(place, second[entry]) for place, entry in enumerate(first) if entry in second]
    return [old for old, _ in both], [new for _, new in both]


def _entries(part: Any) -> list[Any]:
    """Return what has a row each: labels, the symbols of a vocabulary, or the tokens of a tokenizer."""
    if isinstance(part, list):
        return part
    vocabulary = getattr(part, "vocabulary", part)
    return vocabulary.symbols if isinstance(vocabulary, Vocabulary) else list(range(part.vocab_size))
