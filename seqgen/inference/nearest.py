"""Vectors of inputs that are most similar to others, by the cosine of the angle between them."""

from typing import NamedTuple

import numpy as np

from seqgen.arguments import checked
from seqgen.errors import InputError


class Nearest(NamedTuple):
    """The most similar vectors of each, the most similar first: (vectors, count) row numbers, and their cosines."""

    rows: np.ndarray
    similarities: np.ndarray


@checked
def nearest_vectors(vectors: np.ndarray, among: np.ndarray | None = None, *, count: int = 1) -> Nearest:
    """Return the most similar vectors of each vector, by the cosine of their angle.

    Args:
        vectors: (vectors, size), such as those of `TextClassifier.embed`.
        among: the (others, size) vectors that are looked among; by default the same ones, each without itself.
        count: number of similar vectors of each; all where there are fewer.

    Raises:
        InputError: the arrays are not of this shape, differ in size or have values that are not finite, or `count` is
            below 1.
    """
    if count < 1:
        raise InputError(f"count must be at least 1, not {count}")
    others = vectors if among is None else among
    for name, array in (("vectors", vectors), ("among", others)):
        if array.ndim != 2 or not array.shape[1] or not np.isfinite(array).all():
            raise InputError(
                f"{name} must be a (vectors, size) array of finite numbers, not one of shape {array.shape}"
            )
    if vectors.shape[1] != others.shape[1]:
        raise InputError(f"among must have vectors of size {vectors.shape[1]}, not {others.shape[1]}")
    kept = max(min(count, len(others) - (among is None)), 0)
    if not kept or not len(vectors):
        return Nearest(np.zeros((len(vectors), kept), np.int64), np.zeros((len(vectors), kept), np.float32))
    from sklearn.neighbors import NearestNeighbors  # which takes a second

    search = NearestNeighbors(n_neighbors=kept, metric="cosine").fit(_scaled(others))
    distances, rows = search.kneighbors(None if among is None else _scaled(vectors))
    return Nearest(rows, (1 - distances).astype(np.float32))


def _scaled(vectors: np.ndarray) -> np.ndarray:
    """Return the vectors with 1 as the largest of their values, so that no square is out of range."""
    largest = np.abs(vectors).max(axis=1, keepdims=True)
    scaled: np.ndarray = vectors / np.where(largest, largest, 1)
    return scaled
