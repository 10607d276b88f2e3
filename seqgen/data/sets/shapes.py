"""Pictures of coloured shapes: a set that is generated."""

import math
from dataclasses import dataclass

import numpy as np
import PIL.Image
import PIL.ImageDraw

from seqgen.data.labelled import Labelled

COLOURS = {
    "red": (214, 48, 49),
    "green": (46, 160, 67),
    "blue": (33, 99, 214),
    "yellow": (244, 208, 63),
    "purple": (142, 68, 173),
}
SHAPES = {"circle": 0, "triangle": 3, "square": 4, "pentagon": 5, "star": 10}  # corners
SIZE = 64  # pixels
FINER = 3  # factor by which pictures are drawn larger, for smooth edges


@dataclass(frozen=True)
class Shape:
    """A shape: its centre `x` and `y` and its `radius` as fractions of the picture's side, its `angle` in radians."""

    colour: str
    kind: str
    x: float
    y: float
    radius: float
    angle: float = 0.0

    def draw(self, canvas: PIL.ImageDraw.ImageDraw, pixels: int, shade: int = 0) -> None:
        """Draw it on a square canvas of `pixels` a side, its colour made lighter by `shade`."""
        red, green, blue = (min(max(part + shade, 0), 255) for part in COLOURS[self.colour])
        x, y, radius = self.x * pixels, self.y * pixels, self.radius * pixels
        if self.kind == "circle":
            canvas.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(red, green, blue))
            return
        corners = SHAPES[self.kind]
        points = []
        for corner in range(corners):
            out = radius * (0.45 if self.kind == "star" and corner % 2 else 1.0)
            turn = self.angle + 2 * math.pi * corner / corners
            points.append((x + out * math.sin(turn), y - out * math.cos(turn)))
        canvas.polygon(points, fill=(red, green, blue))


def draw_picture(shapes: list[Shape], generator: np.random.Generator) -> PIL.Image.Image:
    """Return a picture of these shapes in slightly varied colours, on a light, noisy background."""
    pixels = SIZE * FINER
    image = PIL.Image.new("RGB", (pixels, pixels), tuple(generator.integers(200, 256, 3).tolist()))
    canvas = PIL.ImageDraw.Draw(image)
    for shape in shapes:
        shape.draw(canvas, pixels, int(generator.integers(-25, 26)))
    small = np.asarray(image.resize((SIZE, SIZE), PIL.Image.Resampling.BOX), dtype=np.float32)
    noisy = small + generator.normal(0, 8, small.shape)
    return PIL.Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def shape_pictures(count: int = 6_000, seed: int = 0) -> Labelled:
    """Return pictures of one shape each, of random place, size and angle, with labels such as "red star"."""
    generator = np.random.default_rng(seed)
    inputs, labels, where = [], [], []
    for number in range(count):
        colour, kind = str(generator.choice(list(COLOURS))), str(generator.choice(list(SHAPES)))
        radius = generator.uniform(0.14, 0.38)
        x, y = generator.uniform(radius, 1 - radius, 2)
        shape = Shape(colour, kind, x, y, radius, generator.uniform(0, 2 * math.pi))
        inputs.append(draw_picture([shape], generator))
        labels.append(f"{colour} {kind}")
        where.append(f"picture {number}")
    return Labelled(inputs, labels, where)
