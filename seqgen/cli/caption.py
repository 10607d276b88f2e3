"""`seqgen caption`."""

import json
import sys
from pathlib import Path

import PIL.Image

from seqgen.cli.inputs import best, blocks, generation_options, model_parser
from seqgen.data.images import Image, read_image
from seqgen.errors import InputError
from seqgen.figures.attention import draw_heat
from seqgen.hardware.devices import find_device
from seqgen.inference.bundle import load
from seqgen.inference.captioner import Caption, Captioner

FILES = 16  # images of a batch; photographs are large


def caption(arguments: list[str]) -> None:
    """Print a caption of each image file, or of each path on standard input."""
    parser = model_parser("caption", caption.__doc__)
    parser.add_argument("images", nargs="*", help="image files; by default the lines of standard input")
    parser.add_argument("--nbest", type=int, default=1, help="number of captions of each image, best first")
    parser.add_argument("--attention", type=str, help="picture file for the attention weights; for one image")
    parser.add_argument("--scores", action="store_true", help="print the score and a tab before each caption")
    parser.add_argument("--json", action="store_true", help="print a line of JSON for each image")
    own = {"nbest": int, "attention": str, "scores": bool, "json": bool, "device": str}
    directory, options, asked = generation_options(parser, arguments, own, "caption")
    asked |= best(options["nbest"])
    if options["attention"] and len(options["images"]) != 1:
        raise InputError(f"--attention must be with one image, but there are {len(options['images'])}")
    captioner: Captioner = load(directory).to(find_device(options["device"]))
    if options["attention"]:
        asked["return_attention"] = True
    bad, given = 0, options["images"]
    for block in [given[begin : begin + FILES] for begin in range(0, len(given), FILES)] or blocks(FILES):
        images = [_read(path) for path in block]
        good: list[Image] = [image for image in images if not isinstance(image, InputError)]
        found = captioner.caption(good, **asked)
        each = len(found) // max(len(good), 1)
        for path, image in zip(block, images, strict=True):
            if isinstance(image, InputError):
                bad += 1
                print(f"error: {image}", file=sys.stderr)
                # Still a line for each image.
                print(json.dumps({"image": path, "error": str(image)}, ensure_ascii=False) if options["json"] else "")
                continue
            mine, found = found[:each], found[each:]
            _show(path, mine, json_lines=options["json"], scores=options["scores"])
            if options["attention"] and mine[0].attention:
                square = PIL.Image.fromarray(captioner.preprocessing.fit(image))
                draw_heat(Path(options["attention"]), square, mine[0].attention)
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
