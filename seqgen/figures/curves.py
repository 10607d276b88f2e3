"""Curves of training and validation loss: as a picture, and as SVG in a page, light or dark as this is."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from seqgen.files import writing

CURVES = {"train_loss": "training", "val_loss": "validation"}
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 480, 270, 48, 14, 10, 42  # pixels; the last four are margins
POINTS = 300  # maximum number of points of a curve in a page
STYLE = """
.curves { display: flex; flex-wrap: wrap; gap: 1rem; }
.curves svg { flex: 1 1 20rem; max-width: 34rem; min-width: 0; height: auto; font-size: 12px; }
.curves text { fill: var(--muted); } .curves line { stroke: var(--line); }
.curves polyline { fill: none; stroke-width: 2; }
.training { stroke: var(--muted); color: var(--muted); } .validation { stroke: var(--accent); color: var(--accent); }
.curves circle { stroke: none; fill: currentColor; }
"""


def loss_curves(metrics: Sequence[Mapping[str, float]], over: str) -> dict[str, np.ndarray]:
    """Return the (points, 2) of each curve of the loss that has points, without those that are not finite.

    Args:
        metrics: of updates and validations.
        over: the name of the horizontal axis: "step" or "seconds".
    """
    found: dict[str, np.ndarray] = {}
    for name, label in CURVES.items():
        points = np.array([(line[over], line[name]) for line in metrics if name in line and over in line], dtype=float)
        points = points.reshape(-1, 2)
        points = points[np.isfinite(points).all(axis=1)]
        found |= {label: points} if len(points) else {}
    return found


def draw_curves(path: Path, metrics: Sequence[Mapping[str, float]]) -> None:
    """Draw training and validation loss over the updates."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot(xlabel="step", ylabel="loss (nats)")
    for label, points in loss_curves(metrics, "step").items():
        # A line of one point would be invisible.
        axes.plot(*points.T, label=label, marker="o" if label == "validation" or len(points) == 1 else None)
    axes.grid(alpha=0.3)
    if axes.lines:
        axes.legend()
    with writing(path) as file:
        figure.savefig(file, format="png", dpi=120)


def svg_curves(metrics: Sequence[Mapping[str, float]]) -> str:
    """Return training and validation loss over the updates and over the seconds as HTML with SVG."""
    axes = {"updates": loss_curves(metrics, "step"), "seconds": loss_curves(metrics, "seconds")}
    charts = "".join(_chart(curves, label) for label, curves in axes.items() if curves)
    names = ", ".join(f'<span class="{name}">&#9679; {name}</span>' for name in axes["updates"])
    return f'<p>Loss in nats: {names}</p><div class="curves">{charts}</div>' if charts else "<p>There is none.</p>"


def _chart(curves: dict[str, np.ndarray], label: str) -> str:
    """Return a chart of curves as SVG."""
    from matplotlib.ticker import MaxNLocator

    points = np.concatenate(list(curves.values()))
    right, (lowest, highest) = points[:, 0].max() or 1, (points[:, 1].min(), points[:, 1].max())
    across, upwards = (MaxNLocator(5).tick_values(*ends) for ends in ((0, right), (lowest, highest)))

    def x(value: Any) -> Any:
        return LEFT + value / right * (WIDTH - LEFT - RIGHT)

    def y(value: Any) -> Any:
        return HEIGHT - BOTTOM - (value - upwards[0]) / (upwards[-1] - upwards[0]) * (HEIGHT - TOP - BOTTOM)

    drawn = [
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(tick):.1f}" y2="{y(tick):.1f}"/>'
        f'<text x="{LEFT - 6}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:.4g}</text>'
        for tick in upwards
    ]
    drawn += [
        f'<text x="{x(tick):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{tick:,.6g}</text>'
        for tick in across
        if tick <= right
    ]
    drawn.append(f'<text x="{x(right / 2):.1f}" y="{HEIGHT - 6}" text-anchor="middle">{label}</text>')
    for name, every in curves.items():
        some = [group.mean(axis=0) for group in np.array_split(every, min(len(every), POINTS))]
        line = " ".join(f"{x(at):.1f},{y(loss):.1f}" for at, loss in some)
        drawn.append(f'<polyline class="{name}" points="{line}"/>')
        drawn += [
            f'<circle class="{name}" cx="{x(at):.1f}" cy="{y(loss):.1f}" r="3.5">'
            f"<title>{loss:.4f} after {at:,.6g} {label}</title></circle>"
            for at, loss in (some if name == "validation" or len(some) == 1 else ())
        ]
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="loss over {label}">{"".join(drawn)}</svg>'
