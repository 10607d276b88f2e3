"""Scenes of coloured shapes with captions that can be verified: a set that is generated."""

import re
from dataclasses import dataclass

import numpy as np

from seqgen.data.captioned import Captioned
from seqgen.data.sets.shapes import COLOURS, Shape, draw_picture

SCENES = "scenes"
KINDS = ("circle", "triangle", "square", "star")
SIZES = {"small": (0.12, 0.15), "large": (0.2, 0.24)}  # radii, as fractions of a picture's side
CLEAR = 0.2  # minimum distance along an axis, as a fraction of the side, where a caption has a relation
COUNTS = {"train": 8000, "valid": 200, "test": 1000}
EACH = 4  # captions

_PHRASE = rf"an? (?:({'|'.join(SIZES)}) )?({'|'.join(COLOURS)}) ({'|'.join(KINDS)})"
_CAPTION = re.compile(rf"{_PHRASE}(?: (above|below|left of|right of) {_PHRASE})?")


@dataclass(frozen=True)
class Scenes(Captioned):
    """Pictures with captions, and the shapes in each picture."""

    worlds: list[list[Shape]]

    def known_truth(self, captions: list[str]) -> dict[str, float]:
        """Return the fraction of captions, one for each picture, that are true."""
        true = [is_true(*pair) for pair in zip(captions, self.worlds, strict=True)]
        return {"true_captions": float(np.mean(true))}


def scenes(part: str, seed: int = 0) -> Scenes:
    """Return the pictures of a split, with one shape, or with two different ones.

    Args:
        part: "train", "valid" or "test".
        seed: random seed.
    """
    generator = np.random.default_rng([seed, list(COUNTS).index(part)])
    worlds = [_scene(generator) for _ in range(COUNTS[part])]
    captions = [[_caption(shapes, generator) for _ in range(EACH)] for shapes in worlds]
    pictures = [draw_picture(shapes, generator) for shapes in worlds]
    return Scenes(pictures, captions, [f"scene {number}" for number in range(1, len(worlds) + 1)], worlds)


def is_true(caption: str, shapes: list[Shape]) -> bool:
    """Return whether a caption has the form of these captions, and describes the shapes correctly."""
    found = _CAPTION.fullmatch(caption)
    if found is None:
        return False
    first, relation, second = found.groups()[:3], found[4], found.groups()[4:]
    if relation is None:
        return any(_fits(first, shape) for shape in shapes)
    return any(
        _fits(first, one) and _fits(second, other) and _distance(one, relation, other) > 0
        for one in shapes
        for other in shapes
        if one is not other
    )


def _scene(generator: np.random.Generator) -> list[Shape]:
    count = 1 if generator.random() < 0.2 else 2
    shapes: list[Shape] = []
    while len(shapes) < count:
        size = str(generator.choice(list(SIZES)))
        radius = generator.uniform(*SIZES[size])
        x, y = generator.uniform(radius, 1 - radius, 2)
        colour, kind = str(generator.choice(list(COLOURS))), str(generator.choice(list(KINDS)))
        shape = Shape(colour, kind, x, y, radius, generator.uniform(-0.2, 0.2))
        apart = all(np.hypot(one.x - x, one.y - y) > one.radius + radius for one in shapes)
        different = all((one.colour, one.kind) != (colour, kind) for one in shapes)
        clear = all(max(abs(one.x - x), abs(one.y - y)) > CLEAR for one in shapes)
        if apart and different and clear:
            shapes.append(shape)
    return shapes


def _caption(shapes: list[Shape], generator: np.random.Generator) -> str:
    """Return a random description of a scene: beginning with either shape, with or without sizes."""
    order = generator.permutation(len(shapes))
    words = [_phrase(shapes[place], sized=generator.random() < 0.7) for place in order]
    if len(shapes) == 1:
        return words[0]
    one, other = shapes[order[0]], shapes[order[1]]
    relations = [name for name in ("above", "below", "left of", "right of") if _distance(one, name, other) > CLEAR]
    return f"{words[0]} {generator.choice(relations)} {words[1]}"


def _phrase(shape: Shape, *, sized: bool) -> str:
    return f"a {_size(shape)} {shape.colour} {shape.kind}" if sized else f"a {shape.colour} {shape.kind}"


def _size(shape: Shape) -> str:
    return next(name for name, (_, largest) in SIZES.items() if shape.radius <= largest)


def _fits(words: tuple[str | None, ...], shape: Shape) -> bool:
    size, colour, kind = words
    return (colour, kind) == (shape.colour, shape.kind) and size in (None, _size(shape))


def _distance(one: Shape, relation: str, other: Shape) -> float:
    """Return how far one shape is above, below, left of or right of the other."""
    down, right = one.y - other.y, one.x - other.x
    return {"above": -down, "below": down, "left of": -right, "right of": right}[relation]
