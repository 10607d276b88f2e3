"""Pictures of where a model looked."""

import warnings
from pathlib import Path

from seqgen.files import writing
from seqgen.text_translator import Looks


def draw_attention(path: Path, looks: Looks) -> None:
    """Draw the weights of each written piece (a row) over the pieces that were read (the columns)."""
    from matplotlib.figure import Figure

    width, height = 2 + 0.28 * len(looks.source), 1.5 + 0.28 * len(looks.target)
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(looks.weights, cmap="Greys", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(looks.source)), [_visible(piece) for piece in looks.source], rotation=90)
    axes.set_yticks(range(len(looks.target)), [_visible(piece) for piece in looks.target])
    axes.xaxis.tick_top()
    path.parent.mkdir(parents=True, exist_ok=True)
    with writing(path) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about letters that the font lacks
        figure.savefig(file, format="png", dpi=120)


def _visible(piece: str) -> str:
    """Return a piece with its spaces shown, and with no formula, which a dollar sign would begin."""
    shown = piece.replace(" ", "\u2423").replace("$", r"\$")
    return shown if shown.isprintable() else ascii(shown)[1:-1]
