"""A confusion matrix as a picture, and in a page."""

from pathlib import Path

import numpy as np

from seqgen.figures.section import Section
from seqgen.figures.tables import matrix, table
from seqgen.files import writing
from seqgen.metrics.classification import Answered

MOST = 40  # maximum number of classes of a matrix in a page, which beyond has the pairs that are confused most often


def draw_confusion(path: Path, answered: Answered) -> None:
    """Draw the confusion matrix as fractions of each target class, with the counts where they fit."""
    from matplotlib.figure import Figure

    counts, names = answered.confusion, answered.classes
    size = 3 + 0.45 * min(len(names), 40)
    figure = Figure(figsize=(size, size), layout="constrained")
    axes = figure.add_subplot(xlabel="predicted", ylabel="target")
    fractions = _fractions(counts)
    axes.imshow(fractions, cmap="Blues", vmin=0, vmax=1)
    ticks = np.arange(len(names))
    axes.set_xticks(ticks, names, rotation=90)
    axes.set_yticks(ticks, names)
    for (right, answer), count in np.ndenumerate(counts) if len(names) <= 20 else ():
        if count:
            colour = "white" if fractions[right, answer] > 0.5 else "black"
            axes.text(answer, right, f"{count:,}", ha="center", va="center", color=colour, fontsize=8)
    with writing(path) as file:
        figure.savefig(file, format="png", dpi=120)


def confusion_section(answered: Answered) -> Section:
    """Return precision, recall and F1 of each class, and the confusion matrix, in which a row is a target class."""
    counts, names = answered.confusion, answered.classes
    classes = table(("class", "precision", "recall", "F1", "examples"), answered.by_class())
    if len(names) <= MOST:
        drawn = "<p>Rows are the right classes, columns the predicted ones.</p>" + matrix(
            names, names, _fractions(counts), counts, "confusion matrix"
        )
    else:
        wrong = counts - np.diag(np.diag(counts))
        pairs = zip(*np.unravel_index(np.argsort(-wrong, axis=None, kind="stable")[:MOST], wrong.shape), strict=True)
        rows = [(names[right], names[answer], int(wrong[right, answer])) for right, answer in pairs]
        drawn = table(("right", "predicted", "examples"), [row for row in rows if row[-1]])
    folded = f"<details><summary>Precision and recall of each class</summary>{classes}</details>"
    return Section("Classes", answered.table(), drawn + folded)


def _fractions(counts: np.ndarray) -> np.ndarray:
    """Return the counts as fractions of each target class."""
    return np.asarray(counts / counts.sum(axis=1, keepdims=True).clip(1))
