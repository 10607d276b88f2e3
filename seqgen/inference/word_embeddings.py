"""Embeddings that begin with pretrained word vectors."""

from typing import Any, NamedTuple

import torch
from torch import nn

from seqgen.data.vectors import read_vectors
from seqgen.errors import InputError
from seqgen.inference.bundle import Bundle
from seqgen.inference.continuation import TABLES
from seqgen.symbols import SYMBOLS
from seqgen.text.vocabulary import Vocabulary

PARTS = ("tokenizer", "vocabulary", "source", "target")  # of a bundle, with words; an alphabet has none


class Initialized(NamedTuple):
    """The weights of embeddings that begin with word vectors.

    `found` of `words` different words of the data have vectors.
    """

    weights: list[nn.Parameter]
    found: int
    words: int


@torch.no_grad()
def initialize_embeddings(
    bundle: Bundle[Any], place: str, *, deviation: float | None = None, added: int = 0
) -> Initialized:
    """Set the embeddings of the words that a file has vectors for; those of other words stay as they are.

    A word that the file has only in lower case has that vector.

    Args:
        bundle: with a vocabulary of words, and embeddings of the vectors' size.
        place: a text file of word vectors.
        deviation: standard deviation that the vectors are scaled to: the larger, the less training changes them; by
            default that of the untrained embeddings.
        added: number of words that the vocabulary has of the file, and not of the data; they are not counted.

    Raises:
        InputError: the tokens are not words, none has a vector, the sizes differ, or the file is damaged.
    """
    tables = _tables(bundle)
    words = {word for vocabulary in tables.values() for word in vocabulary.symbols[len(SYMBOLS) :]}
    read = read_vectors(place, words | {word.lower() for word in words})
    rows = {word: row for row, word in enumerate(read.words)}
    place_of = {word: rows.get(word, rows.get(word.lower())) for word in words}
    known = {word: row for word, row in place_of.items() if row is not None}
    if len(known) <= added:
        none = f"it has none of all {len(words) - added:,}"
        raise InputError(f"{place} must have vectors of the model's words, but {none}")
    vectors, weights = torch.from_numpy(read.vectors), []
    if not vectors.std() > 0:
        raise InputError(f"{place} must have vectors that differ, but those of the model's words have the same values")
    for name, vocabulary in tables.items():
        weight = bundle.model.get_parameter(name)
        if weight.shape[1] != vectors.shape[1]:
            sizes = f"{weight.shape[1]}, and the vectors in {place} {vectors.shape[1]}"
            raise InputError(f"embedding_size must be the size of the vectors, but it is {sizes}")
        pairs = [(number, known[word]) for word, number in vocabulary.numbers.items() if word in known]
        if pairs:
            numbers, chosen = map(list, zip(*pairs, strict=True))
            weight[numbers] = (vectors[chosen] * ((deviation or weight.std()) / vectors.std())).to(weight)
        weights.append(weight)
    return Initialized(weights, len(known) - added, len(words) - added)


def _tables(bundle: Bundle[Any]) -> dict[str, Vocabulary]:
    """Return the vocabulary of each embedding of words, by the name of its weights."""
    tables: dict[str, Vocabulary] = {}
    present = dict(bundle.model.named_parameters())
    for part, names in TABLES[bundle.builder].items():
        fitted = getattr(bundle, part)
        vocabulary = getattr(fitted, "vocabulary", fitted)
        if part not in PARTS or getattr(fitted, "kind", "") == "char" or getattr(bundle, "alphabet", 0) is None:
            continue
        if isinstance(vocabulary, Vocabulary):
            tables |= {name: vocabulary for name in names if name in present and "embedding" in name}
    if not tables:
        raise InputError(f"vectors must be for a model of words, but the tokens of this {bundle.builder} are smaller")
    return tables
