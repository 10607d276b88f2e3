"""Pictures of attention weights, and their tables in a page."""

import math
import warnings
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

from seqgen.figures.tables import matrix
from seqgen.files import writing
from seqgen.tasks.captioner import Heat
from seqgen.tasks.translator import Alignment, Translation

MOST = 5_000  # weights of a table, beyond which nobody looks at it
DARKEST = 0.25  # brightness of an image where the attention weight is zero


def draw_attention(path: Path, alignment: Alignment) -> None:
    """Draw the attention weights of each target piece (a row) over the source pieces (the columns)."""
    from matplotlib.figure import Figure

    width, height = 2 + 0.28 * len(alignment.source), 1.5 + 0.28 * len(alignment.target)
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(alignment.weights, cmap="Greys", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(alignment.source)), [_visible(piece) for piece in alignment.source])
    axes.set_yticks(range(len(alignment.target)), [_visible(piece) for piece in alignment.target])
    axes.xaxis.tick_top()
    for tick, piece in zip(axes.get_xticklabels(), alignment.source, strict=True):
        tick.set_rotation(90 if len(piece) > 2 else 0)  # a single character is read upright
    _save(path, figure)


def aligned(sources: Sequence[str], translations: Sequence[Translation]) -> str:
    """Return translations with their attention weights as HTML: target pieces in rows, source pieces in columns.

    It is empty where there are no attention weights.
    """
    shown = []
    for source, (text, _, alignment) in zip(sources, translations, strict=True):
        if alignment is not None:
            shown.append(f"<p>{escape(source)}<br>&rarr; <b>{escape(text)}</b></p>")
        if alignment is not None and alignment.weights.size <= MOST:
            rows, columns = (list(map(_spaced, side)) for side in (alignment.target, alignment.source))
            shown.append(matrix(rows, columns, alignment.weights, label=f"attention of {text}"))
    return "".join(shown)


def draw_heat(path: Path, image: PIL.Image.Image, heat: Heat) -> None:
    """Draw an image once for each piece of its caption, brighter where its attention weights are larger."""
    from matplotlib.figure import Figure

    columns = min(max(len(heat.pieces), 1), 5)  # an empty caption has none
    rows = max(math.ceil(len(heat.pieces) / columns), 1)
    figure = Figure(figsize=(2.2 * columns, 2.5 * rows), layout="constrained")
    for place, (piece, weights) in enumerate(zip(heat.pieces, heat.weights, strict=True), start=1):
        axes = figure.add_subplot(rows, columns, place, title=_visible(piece.strip() or piece))
        axes.imshow(heated(image, weights))
        axes.set_axis_off()
    _save(path, figure)


def heated(image: PIL.Image.Image, weights: np.ndarray) -> PIL.Image.Image:
    """Return an image, brighter where the (rows, columns) attention weights are larger."""
    relative = PIL.Image.fromarray((255 * weights / weights.max()).astype(np.uint8))
    mask = np.asarray(relative.resize(image.size, PIL.Image.Resampling.BICUBIC), dtype=np.float32)[:, :, None] / 255
    pixels = np.asarray(image.convert("RGB"), dtype=np.float32) * (DARKEST + (1 - DARKEST) * mask)
    return PIL.Image.fromarray(pixels.astype(np.uint8))


def _save(path: Path, figure: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with writing(path) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about letters that the font lacks
        figure.savefig(file, format="png", dpi=120)


def _visible(piece: str) -> str:
    """Return a piece with visible spaces, and with dollar signs escaped, which would begin a formula."""
    return _spaced(piece).replace("$", r"\$")


def _spaced(piece: str) -> str:
    """Return a piece with visible spaces."""
    shown = piece.replace(" ", "\u2423")
    return shown if shown.isprintable() else ascii(shown)[1:-1]
