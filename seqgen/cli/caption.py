"""`seqgen caption`."""

import json
import sys
from typing import Any

import PIL.Image

from seqgen.cli.inputs import Line, best, blocks, lines, numbered, open_model
from seqgen.data.images import Image, read_image
from seqgen.errors import InputError
from seqgen.figures.attention import draw_heat
from seqgen.tasks.captioner import Caption, CaptionerTask

FILES = 16  # images of a batch; photographs are large


def caption(options: dict[str, Any]) -> None:
    """Print a caption of each image file, or of each path on standard input."""
    asked = best(options) | {"minimum_bayes_risk": options["minimum_bayes_risk"]}
    captioner: CaptionerTask = open_model(options, "caption")
    given = map(Line, options["images"]) if options["images"] else lines([])
    bad = read = 0
    for block in blocks(iter(given), FILES):
        images = [_read(line.text) for line in block]
        good: list[Image] = [image for image in images if not isinstance(image, InputError)]
        found = captioner.caption(good, return_attention=bool(options["attention"]), **asked)
        each = len(found) // max(len(good), 1)
        for (path, _), image in zip(block, images, strict=True):
            read += 1
            if isinstance(image, InputError):
                bad += 1
                print(f"error: {image}", file=sys.stderr)
                # Still a line for each image.
                print(json.dumps({"image": path, "error": str(image)}, ensure_ascii=False) if options["json"] else "")
                continue
            mine, found = found[:each], found[each:]
            _show(path, mine, json_lines=options["json"], scores=options["scores"])
            if mine[0].attention:
                square = PIL.Image.fromarray(captioner.preprocessing.fit(image))
                draw_heat(numbered(options["attention"], read), square, mine[0].attention)
        sys.stdout.flush()
    if bad:
        raise InputError(f"{bad} of the images could not be read")


def _read(path: str) -> PIL.Image.Image | InputError:
    try:
        return read_image(path)
    except InputError as error:
        return error


def _show(path: str, found: list[Caption], *, json_lines: bool, scores: bool) -> None:
    if json_lines:
        captions = [{"text": one.text, "score": one.score} for one in found]
        print(json.dumps({"image": path, "captions": captions}, ensure_ascii=False))
        return
    for one in found:
        print("\t".join([*([f"{one.score:.4f}"] if scores else []), one.text, path]))
