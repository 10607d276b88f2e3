"""Splits of the data for training, validation and test."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

import numpy as np

from seqgen.data.captioned import Captioned
from seqgen.data.columns import Columns, text_hashes
from seqgen.data.labelled import Labelled
from seqgen.data.parallel import Parallel
from seqgen.data.store import fingerprint
from seqgen.data.tagged import Tagged
from seqgen.errors import InputError

FRACTION = 0.1  # of all examples, for validation, and again for the test
MOST_LABELLED = 10_000  # examples for each; more would take time without a more precise result
MOST_WRITTEN = 1000  # pairs or images, for each of which a text is generated
MOST_TOKENS = 250_000  # of a text, or of its documents
LEAST = 20  # tokens of a text, or documents, of which two are for validation
LEAST_HELD_BACK = 2  # tokens of a text, or documents, to validate or to test on


D = TypeVar("D", bound=Columns)


@dataclass(frozen=True)
class Splits(Generic[D]):
    """The examples to train on, to validate on, and to test on."""

    train: D
    valid: D
    test: D

    @property
    def fingerprint(self) -> str:
        """A hash of the training and validation examples."""
        return fingerprint([self.train.fingerprint, self.valid.fingerprint])

    @property
    def sizes(self) -> str:
        """The numbers of examples, as text."""
        return f"{len(self.train):,} to train on, {len(self.valid):,} to validate on, {len(self.test):,} to test on"


@dataclass(frozen=True)
class LabelledSplits(Splits[Labelled]):
    """Labelled examples, and the names of the classes in order."""

    classes: list[str]

    @cached_property
    def frequencies(self) -> np.ndarray:
        """The (classes,) numbers of training examples."""
        return np.bincount(self.train.targets(self.classes), minlength=len(self.classes))


@dataclass(frozen=True)
class TaggedSplits(Splits[Tagged]):
    """Tagged sequences, and the names of the tags in order."""

    tags: list[str]

    @cached_property
    def frequencies(self) -> np.ndarray:
        """The (tags,) numbers of training tokens."""
        counts = Counter(tag for row in self.train.tags for tag in row)
        return np.array([counts[tag] for tag in self.tags])


def split_labelled(
    data: Labelled, valid: Labelled | None, test: Labelled | None, seed: int, groups: Sequence[str] | None = None
) -> LabelledSplits:
    """Hold back a tenth of each class for validation and a tenth for the test, unless they are given.

    Args:
        data: to train on, and to hold back from.
        valid: to validate on.
        test: to test on.
        seed: random seed.
        groups: the group of each example; a group is in one split only. By default equal inputs are a group.

    Raises:
        InputError: fewer than two classes, a class with a single example, or a class without training examples.
    """
    counts = Counter(data.labels)
    for label, count in counts.items():
        if count == 1:
            where = data.where[next(number for number, one in enumerate(data.labels) if one == label)]
            raise InputError(f"{where}: a class must have at least two examples, but {label!r} has only this one")
    classes = sorted(counts)
    if len(classes) < 2:
        raise InputError(f"there must be at least two classes, but there are {len(classes)}: {classes}")
    targets, train, parts = data.targets(classes), np.arange(len(data)), {}
    keys: np.ndarray | None = None
    for name, given, number in (("test", test, 0), ("valid", valid, 1)):
        if given is None:
            keys = text_hashes(data.inputs if groups is None else groups) if keys is None else keys
            generator = np.random.default_rng([seed, number])
            sampled = _stratified(targets, keys, train, generator)
            train, given = np.setdiff1d(train, sampled, assume_unique=True), data.chosen(sampled)
        given.targets(classes)
        if not len(given):
            raise InputError(
                f"the classes must have enough examples to hold a tenth back for the {name} part, but the largest has "
                f"{max(counts.values())}: give --{name}"
            )
        parts[name] = given
    train_part = data if len(train) == len(data) else data.chosen(train)
    return LabelledSplits(train_part, parts["valid"], parts["test"], classes)


def _stratified(
    targets: np.ndarray, keys: np.ndarray, numbers: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    """Sample whole groups of each class until they have a tenth of its examples; one group of each class is left."""
    fraction = min(FRACTION, MOST_LABELLED / max(len(numbers), 1))
    sampled = []
    for target in range(int(targets.max()) + 1):
        mine = numbers[targets[numbers] == target]
        groups, sizes = _ranked(keys[mine])
        order = generator.permutation(len(sizes))[1:]
        before = np.cumsum(sizes[order]) - sizes[order]
        taken = order[before < fraction * len(mine) - 0.5]
        sampled.append(mine[np.isin(groups, taken)])
    return np.sort(np.concatenate(sampled))


def _ranked(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the group of each key, numbered in the order of their first keys, and the sizes of the groups."""
    _, first, groups, sizes = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
    rank = np.empty(len(first), np.int64)
    order = np.argsort(first)
    rank[order] = np.arange(len(first))
    return rank[groups], sizes[order]


def split_tagged(data: Tagged, valid: Tagged | None, test: Tagged | None, seed: int) -> TaggedSplits:
    """Hold back a tenth of the sequences for the test and a tenth for validation, unless they are given.

    Raises:
        InputError: there are too few sequences, fewer than two tags, or a tag without training examples.
    """
    order = np.random.default_rng(seed).permutation(len(data))
    held_back = min(max(round(FRACTION * len(data)), 1), MOST_LABELLED)
    if len(data) - held_back * ((valid is None) + (test is None)) < 1:
        raise InputError(f"there must be enough sequences to hold some back, but there are {len(data)}")
    if test is None:
        test, order = data.chosen(order[:held_back]), order[held_back:]
    if valid is None:
        valid, order = data.chosen(order[:held_back]), order[held_back:]
    train = data.chosen(np.sort(order))
    tags = sorted({tag for row in train.tags for tag in row})
    if len(tags) < 2:
        raise InputError(f"there must be at least two tags, but there are {len(tags)}: {tags}")
    for part in (valid, test):
        part.require_known(tags)
    return TaggedSplits(train, valid, test, tags)


def split_parallel(data: Parallel, valid: Parallel | None, test: Parallel | None, seed: int) -> Splits[Parallel]:
    """Hold back a tenth (at most 1,000 pairs) for validation, and again for the test, unless they are given.

    Pairs of the same source sentence are in one split only, so that no sentence is both trained and tested on.

    Raises:
        InputError: there are fewer than 10 different sentences for each missing split, or a split is empty.
    """
    missing = [name for name, part in (("valid", valid), ("test", test)) if part is None]
    parts = {"train": data, "valid": valid, "test": test}
    if missing:
        groups, sizes = _ranked(text_hashes(" ".join(source.split()) for source in data.sources))
        if len(sizes) < 10 * len(missing):
            raise InputError(
                f"there must be at least {10 * len(missing)} different sentences to split, not {len(sizes)}"
            )
        order = np.random.default_rng(seed).permutation(len(sizes))
        size = min(int(len(data) * FRACTION), MOST_WRITTEN)
        counted = np.cumsum(sizes[order])
        cuts = [int(np.searchsorted(counted, size * place)) + 1 for place in range(1, len(missing) + 1)]
        for name, of_part in zip([*missing, "train"], np.split(order, cuts), strict=True):
            parts[name] = data.chosen(np.flatnonzero(np.isin(groups, of_part)))
    whole = {name: part for name, part in parts.items() if part is not None and len(part)}
    for name in parts:
        if name not in whole:
            raise InputError(f"the part to {name} on must have at least one pair, but its file is empty")
    return Splits(**whole)


def split_captioned(parts: dict[str, Captioned], seed: int) -> Splits[Captioned]:
    """Hold back a tenth (at most 1,000 images) of the split "train" for each of "valid" and "test" that is missing.

    Raises:
        InputError: there are fewer than 10 images for each missing split.
    """
    train, missing = parts["train"], [part for part in ("valid", "test") if part not in parts]
    if missing:
        if len(train) < 10 * len(missing):
            raise InputError(f"there must be at least {10 * len(missing)} images to split, not {len(train)}")
        order = np.random.default_rng(seed).permutation(len(train))
        size = min(max(int(len(train) * FRACTION), 1), MOST_WRITTEN)
        held_back = {part: train.chosen(order[size * place :][:size]) for place, part in enumerate(missing)}
        parts = parts | held_back | {"train": train.chosen(sorted(order[size * len(missing) :].tolist()))}
    return Splits(parts["train"], parts["valid"], parts["test"])


def split_stream(
    tokens: np.ndarray | Sequence[int], valid: np.ndarray | Sequence[int] | None = None
) -> tuple[np.ndarray | Sequence[int], np.ndarray]:
    """Return the beginning of a text for training, and its last tenth (at most 250,000 tokens) for validation.

    Args:
        tokens: (length,) numbers.
        valid: (length,) numbers of another text to validate on, so that nothing is held back.

    Raises:
        InputError: the text has fewer than 20 tokens.
    """
    if len(tokens) < LEAST:
        raise InputError(f"a text to train on must have at least {LEAST} tokens, but this one has {len(tokens)}")
    if valid is not None:
        return tokens, np.asarray(valid)
    cut = len(tokens) - min(int(len(tokens) * FRACTION), MOST_TOKENS)
    return tokens[:cut], np.asarray(tokens[cut:])


def split_documents(lengths: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of the documents for training, and of a random tenth (at most 250,000 tokens) for validation.

    Random, because lists are often sorted: the last names of an alphabet are not a fair sample of all names.

    Args:
        lengths: (documents,) number of tokens of each.
        seed: random seed.

    Raises:
        InputError: there are fewer than 20 documents.
    """
    if len(lengths) < LEAST:
        raise InputError(f"there must be at least {LEAST} documents to train on, but there are {len(lengths)}")
    order = np.random.default_rng(seed).permutation(len(lengths))
    held_back = max(1, min(int(len(lengths) * FRACTION), int(np.searchsorted(lengths[order].cumsum(), MOST_TOKENS))))
    return np.sort(order[held_back:]), np.sort(order[:held_back])
