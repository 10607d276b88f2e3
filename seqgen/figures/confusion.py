"""A confusion matrix as a picture."""

from pathlib import Path

import numpy as np

from seqgen.files import writing
from seqgen.metrics.classification import Answered


def draw_confusion(path: Path, answered: Answered) -> None:
    """Draw the confusion matrix as fractions of each target class, with the counts where they fit."""
    from matplotlib.figure import Figure

    counts, names = answered.confusion, answered.classes
    size = 3 + 0.45 * min(len(names), 40)
    figure = Figure(figsize=(size, size), layout="constrained")
    axes = figure.add_subplot(xlabel="predicted", ylabel="target")
    fractions = counts / counts.sum(axis=1, keepdims=True).clip(1)
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
