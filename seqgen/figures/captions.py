"""A page of images with generated captions, reference captions, and the attention weights of each word."""

import base64
import html
import io
from pathlib import Path

import PIL.Image

from seqgen.data.captioned import Captioned
from seqgen.data.images import read_image
from seqgen.figures.attention import heated
from seqgen.files import write_text
from seqgen.inference.captioner import Caption, Captioner

SIDE, SMALL = 224, 84  # pixels a side of an image, and of the one above a word

LEGEND = "The brighter a place, the larger its attention weight for the word below. Grey: reference captions."
STYLE = """
body { font-family: sans-serif; max-width: 60rem; margin: 2rem auto; color: #222; background: #fff; }
article { display: flex; gap: 1.5rem; margin-bottom: 2.5rem; }
.caption { font-size: 1.2rem; margin-top: 0; }
.references { color: #666; padding-left: 1.2rem; }
figure { display: inline-block; margin: 0 .3rem .3rem 0; text-align: center; font-size: .8rem; }
figure img { display: block; }
"""


def write_page(path: Path, captioner: Captioner, images: Captioned) -> None:
    """Caption images, and write the page as a single file."""
    title = f"Captions of {path.parent.name}"
    captions = captioner.caption(images.images, return_attention=True)
    squares = [PIL.Image.fromarray(captioner.preprocessing.fit(read_image(image))) for image in images.images]
    body = "\n".join(map(_article, squares, captions, images.captions))
    write_text(
        path,
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{STYLE}</style></head>\n<body><h1>{html.escape(title)}</h1>\n<p>{LEGEND}</p>\n{body}\n</body></html>\n",
    )


def _article(image: PIL.Image.Image, caption: Caption, references: list[str]) -> str:
    heat, small = caption.attention, image.resize((SMALL, SMALL))
    words = (
        ""
        if heat is None
        else "".join(
            f"<figure>{_image(heated(small, weights), piece)}<figcaption>{html.escape(piece)}</figcaption></figure>"
            for piece, weights in zip(heat.pieces, heat.weights, strict=True)
        )
    )
    listed = "".join(f"<li>{html.escape(reference)}</li>" for reference in references)
    text = html.escape(caption.text)
    return (
        f"<article>{_image(image.resize((SIDE, SIDE)), text)}<div><p class='caption'>{text}</p>"
        f"<div>{words}</div><ul class='references'>{listed}</ul></div></article>"
    )


def _image(image: PIL.Image.Image, text: str) -> str:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=80)
    data = base64.b64encode(file.getvalue()).decode()
    return f'<img src="data:image/jpeg;base64,{data}" width="{image.width}" alt="{html.escape(text)}">'
