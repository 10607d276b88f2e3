"""Images of any kind and size as arrays of one size."""

import io
import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import PIL.Image
import PIL.ImageOps

from seqgen.arguments import checked
from seqgen.errors import InputError

# A path, the bytes of a file, an image of PIL's, or a (height, width, 3) array of bytes.
Image = str | Path | bytes | PIL.Image.Image | np.ndarray

SUFFIXES = {".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".ppm", ".pgm"}
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "PPM")  # of others, one starts a program: EPS Ghostscript
MOST_PIXELS = 25_000_000  # more, of a file made to fill the memory, would take gigabytes
# Beginnings of what takes long, however small: scans of a JPEG, comments in a PPM of text.
SCANS, EACH_PIXEL = 100, 16  # of a JPEG at most, and so often each pixel of as many as are allowed: all take a second
LOOKED_AT = 25_000_000  # bytes
COMMENTS, EACH = 50, 20_000  # of a PPM in text, and further ones in so many bytes


@checked
class Preprocessing(NamedTuple):
    """The preprocessing of images for a model, with which it is saved.

    The middle square is cropped, without a `border` that is a fraction of its side, and resized to `size` pixels a
    side; then `mean` is subtracted from red, green and blue, which are 0 to 1, and the result divided by `deviation`.
    """

    size: int
    mean: list[float] = [0.5, 0.5, 0.5]  # noqa: RUF012  (a tuple's default, which nothing changes)
    deviation: list[float] = [0.25, 0.25, 0.25]  # noqa: RUF012
    interpolation: str = "bilinear"
    border: float = 0.0

    def fit(self, image: PIL.Image.Image) -> np.ndarray:
        """Return the (size, size, 3) bytes of the middle square of an image."""
        how = PIL.Image.Resampling[self.interpolation.upper()]
        return np.asarray(PIL.ImageOps.fit(image, (self.size, self.size), how, bleed=self.border))

    def normalize(self, images: np.ndarray) -> np.ndarray:
        """Return normalized (batch, 3, size, size) images, as float32, for (batch, size, size, 3) bytes."""
        mean, deviation = np.array(self.mean, np.float32), np.array(self.deviation, np.float32)
        normalized: np.ndarray = (images.astype(np.float32) / np.float32(255) - mean) / deviation
        return normalized.transpose(0, 3, 1, 2)

    def pixels(self, images: Sequence[PIL.Image.Image]) -> np.ndarray:
        """Return images of any size as one normalized (batch, 3, size, size) array."""
        return self.normalize(np.stack([self.fit(image) for image in images]))


def image_files(folder: str | Path) -> list[Path]:
    """Return the image files in a folder and in those within it, in the order of their paths."""
    return sorted(path for path in Path(folder).rglob("*") if path.suffix.lower() in SUFFIXES)


def read_image(source: Image, formats: tuple[str, ...] = FORMATS) -> PIL.Image.Image:
    """Return an image in red, green and blue, upright; of an animated one the first frame.

    Args:
        source: a path, the bytes of a file, an image of PIL's, or a (height, width, 3) array of bytes.
        formats: those that a file may have, by Pillow's names.

    Raises:
        InputError: it cannot be read, has another format, or is too large.
    """
    name = str(source) if isinstance(source, str | os.PathLike) else f"an image given as {type(source).__name__}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about large images, which have a limit, and about odd metadata
            image = _open(source, formats)
            return _in_colour(PIL.ImageOps.exif_transpose(image))
    except FileNotFoundError:
        raise InputError(f"{name}: an image must be a file, but it does not exist") from None
    except PIL.Image.DecompressionBombError:
        raise InputError(f"{name}: an image must have at most {MOST_PIXELS:,} pixels, but it has more") from None
    except Exception as error:  # every decoder has errors of its own
        unknown = isinstance(error, PIL.UnidentifiedImageError)
        reason = f"its format is none of {', '.join(formats)}" if unknown else _line(error)
        raise InputError(f"{name}: an image must be whole, but it does not decode ({reason})") from None


def _open(source: Image, formats: tuple[str, ...]) -> PIL.Image.Image:
    if isinstance(source, PIL.Image.Image):
        return source
    if isinstance(source, np.ndarray):
        return PIL.Image.fromarray(source)
    if not isinstance(source, bytes) and os.path.exists(source) and not os.path.isfile(source):
        raise ValueError("it is no file")  # a pipe would wait for ever
    image = PIL.Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=formats)
    if image.width * image.height > MOST_PIXELS:
        raise PIL.Image.DecompressionBombError
    _require_quick(image)
    image.load()
    return image


def _require_quick(image: Any) -> None:
    """Raise a ValueError for a small file made to keep the decoder busy for minutes."""
    if image.format not in ("JPEG", "MPO", "PPM"):
        return
    image.fp.seek(0)
    start = image.fp.read(LOOKED_AT)
    if image.format != "PPM":
        most = min(SCANS, EACH_PIXEL * MOST_PIXELS // max(image.width * image.height, 1))
        if start.count(b"\xff\xda") > most:
            raise ValueError(f"one of its size must have at most {most} scans, but it has more")
    elif start[:2] in (b"P1", b"P2", b"P3") and start.count(b"#") > COMMENTS + len(start) // EACH:
        raise ValueError(f"it has more than {COMMENTS} comments")


def _in_colour(image: PIL.Image.Image) -> PIL.Image.Image:
    if image.mode.startswith("I") or image.mode == "F":  # 16 bits or more, which Pillow's own conversion cuts off
        values = np.nan_to_num(np.asarray(image).astype(np.float32), copy=False, posinf=0, neginf=0)
        values /= 257 if values.max() > 255 else 1
        image = PIL.Image.fromarray(values.clip(0, 255, out=values).astype(np.uint8))
    if "A" in image.getbands() or "transparency" in image.info:
        image = image if image.mode == "RGBA" else image.convert("RGBA")
        white = PIL.Image.new("RGBA", image.size, "white")
        image = PIL.Image.alpha_composite(white, image)
    return image.convert("RGB")


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
