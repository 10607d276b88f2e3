"""Properties of a text that cells of a network follow, beside what the best of as many would reach by chance."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import rankdata

from seqgen.arguments import checked
from seqgen.errors import InputError
from seqgen.metrics.text_properties import Kind, TextProperty, text_properties

LEAST_TOKENS = 100  # of a text
LEAST_OTHERS = 10  # tokens of each half without a property's most frequent value
ROLLS = 100  # of each property along the text
CHANCE = 0.5  # the AUC of what tells nothing


@checked
class Followed(NamedTuple):
    """The cell that follows a property of a text best, chosen on the first half of the text and scored on the second.

    `layer` and `cell` are numbered from 0; `sign` is 1 where the cell is larger, and -1 where it is smaller, the larger
    the property. `auc` is the area under the curve of the receiver operating characteristic of the second half.
    `null_mean` and `null_high` are the mean and the 95 % quantile of the same for properties that have nothing to do
    with the text, and `current_token` is the AUC of a table of the current token alone.
    """

    property: str
    kind: Kind
    layer: int
    cell: int
    sign: int
    auc: float
    null_mean: float
    null_high: float
    current_token: float

    def direction(self) -> str:
        """Return the change of the cell where the property grows: "larger" or "smaller"."""
        return "larger" if self.sign > 0 else "smaller"


@checked
def followed_properties(
    tokens: Sequence[str], cells: np.ndarray, properties: Sequence[TextProperty] | None = None
) -> list[Followed]:
    """Return the cell that follows each property of a text best: remembered ones first, those told best first.

    How well is the distance of the AUC above the null's 95 % quantile and, of what is remembered, above what the
    current token alone tells.

    The cell is chosen by its AUC on the first half of the text, and scored on the second half. The null repeats this
    with the property rolled along each half by 100 distances: it has the same runs, but elsewhere. Of a number, such as
    a depth, the AUC is 0.5 + 0.5 cov(r, s) / var(s) with the ranks r of the cell and s of the number, equal ones
    sharing their mean: the usual AUC for two values, and 1 where the cell orders tokens as the number does.

    Args:
        tokens: the text in pieces.
        cells: (layers, tokens, cells) activations after each token.
        properties: by default those of `text_properties`; those with hardly any other value than one are left out.

    Raises:
        InputError: fewer than 100 tokens, another number of them in `cells` or a property, or numbers that are not
            finite.
    """
    properties = text_properties(tokens) if properties is None else properties
    _require_fitting(len(tokens), cells, properties)
    half, width = len(tokens) // 2, cells.shape[2]
    rows = np.moveaxis(cells, 1, 2).reshape(-1, len(tokens))
    first, second = (rankdata(rows[:, part], axis=1) for part in (slice(0, half), slice(half, 2 * half)))
    distances = np.linspace(0.1 * half, 0.9 * half, ROLLS).astype(int)
    found = []
    for one in properties:
        halves = one.values[:half], one.values[half : 2 * half]
        if min(map(_others, halves)) < LEAST_OTHERS:
            continue
        chosen_on, scored_on = (_centred(values) for values in halves)
        aucs = _auc(first @ _rolled(chosen_on, distances).T, chosen_on)
        best = np.abs(aucs - CHANCE).argmax(axis=0)
        signs = np.where(np.take_along_axis(aucs, best[None], axis=0)[0] < CHANCE, -1, 1)
        products = (second[best] * _rolled(scored_on, distances)).sum(axis=1)
        auc, *null = _auc(signs * products, scored_on).tolist()
        layer, cell = divmod(int(best[0]), width)
        chance = float(np.mean(null)), float(np.quantile(null, 0.95))
        alone = _of_current_token(np.asarray(tokens[: 2 * half]), halves[0], scored_on)
        found.append(Followed(one.name, one.kind, layer, cell, int(signs[0]), auc, *chance, alone))
    return sorted(found, key=lambda row: (row.kind == "current", -_surplus(row)))


def _surplus(row: Followed) -> float:
    return row.auc - (row.null_high if row.kind == "current" else max(row.null_high, row.current_token))


def _require_fitting(count: int, cells: np.ndarray, properties: Sequence[TextProperty]) -> None:
    if count < LEAST_TOKENS:
        raise InputError(f"a text must have at least {LEAST_TOKENS} tokens to find what cells follow, not {count}")
    if cells.ndim != 3 or cells.shape[1] != count or not cells.size or cells.dtype.kind not in "fiub":
        raise InputError(f"cells must be numbers, (layers, {count} tokens, cells), not {cells.dtype} {cells.shape}")
    for one in properties:
        if one.values.shape != (count,):
            raise InputError(f"the values of a property must be ({count} tokens,), not {one.values.shape}: {one.name}")
    for name, values in [("cells", cells), *((f"the values of {one.name}", one.values) for one in properties)]:
        if not np.isfinite(values).all():
            raise InputError(f"{name} must be finite, but some are not")


def _others(values: np.ndarray) -> int:
    """Return the number of values other than the most frequent one."""
    return len(values) - int(np.unique(values, return_counts=True)[1].max())


def _centred(values: np.ndarray) -> np.ndarray:
    """Return the ranks of values, less their mean; equal values share the mean of theirs."""
    return np.asarray(rankdata(values) - (len(values) + 1) / 2)


def _rolled(values: np.ndarray, distances: np.ndarray) -> np.ndarray:
    """Return the (1 + distances, tokens) values themselves, and rolled by each distance."""
    places = np.arange(len(values)) - np.array([0, *distances])[:, None]
    return np.asarray(values[places % len(values)])


def _auc(products: np.ndarray, centred: np.ndarray) -> np.ndarray:
    """Return the AUC for sums of products of a cell's ranks and the centred ranks of a property."""
    return np.asarray(CHANCE + 0.5 * products / (centred @ centred))


def _of_current_token(tokens: np.ndarray, values: np.ndarray, scored_on: np.ndarray) -> float:
    """Return the AUC of a table of the mean rank that a property has for each token in the first half."""
    half, ranks = len(values), _centred(values)
    numbers = np.unique(tokens, return_inverse=True)[1]
    counts = np.bincount(numbers[:half], minlength=numbers.max() + 1)
    means = np.bincount(numbers[:half], ranks, minlength=len(counts)) / np.maximum(counts, 1)
    return float(_auc(_centred(means[numbers[half:]]) @ scored_on, scored_on))
