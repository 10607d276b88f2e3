"""A page of pictures with what a captioner said, what people said, and where it looked for each word."""

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

SIDE, SMALL = 224, 84  # pixels of a picture, and of one for a word

LEGEND = "The brighter a place, the more it was looked at for the word below. Grey: what people said."
STYLE = """
body { font-family: sans-serif; max-width: 60rem; margin: 2rem auto; color: #222; background: #fff; }
article { display: flex; gap: 1.5rem; margin-bottom: 2.5rem; }
.said { font-size: 1.2rem; margin-top: 0; }
.people { color: #666; padding-left: 1.2rem; }
figure { display: inline-block; margin: 0 .3rem .3rem 0; text-align: center; font-size: .8rem; }
figure img { display: block; }
"""


def write_page(path: Path, captioner: Captioner, images: Captioned) -> None:
    """Caption images, and write the page as one file that needs no other."""
    title = f"What {path.parent.name} says"
    said = captioner.caption(images.images, return_attention=True)
    squares = [PIL.Image.fromarray(captioner.preprocessing.fit(read_image(image))) for image in images.images]
    body = "\n".join(map(_article, squares, said, images.captions))
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
    people = "".join(f"<li>{html.escape(reference)}</li>" for reference in references)
    said = html.escape(caption.text)
    return (
        f"<article>{_image(image.resize((SIDE, SIDE)), said)}<div><p class='said'>{said}</p>"
        f"<div>{words}</div><ul class='people'>{people}</ul></div></article>"
    )


def _image(image: PIL.Image.Image, text: str) -> str:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=80)
    data = base64.b64encode(file.getvalue()).decode()
    return f'<img src="data:image/jpeg;base64,{data}" width="{image.width}" alt="{html.escape(text)}">'
