"""A page of images with generated captions, reference captions, and the attention weights of each word."""

from html import escape
from pathlib import Path

import PIL.Image

from seqgen.data.captioned import Captioned
from seqgen.data.images import read_image
from seqgen.figures.attention import heated
from seqgen.figures.page import page, picture
from seqgen.files import write_text
from seqgen.inference.captioner import Captioner
from seqgen.tasks.captioner import Caption

SIDE, SMALL = 224, 84  # pixels a side of an image, and of the one above a word
FIRST = 6  # images in the report

LEGEND = "The brighter a place, the larger its attention weight for the word below. Below them: reference captions."
STYLE = """
article { display: flex; flex-wrap: wrap; gap: 1.5rem; margin-bottom: 2.5rem; align-items: flex-start;
  overflow-wrap: anywhere; }
article > div { flex: 1; min-width: 16rem; }
.caption { font-size: 1.2rem; margin-top: 0; }
.references { color: var(--muted); padding-left: 1.2rem; }
figure { display: inline-block; width: 84px; margin: 0 .3rem .3rem 0; vertical-align: top; text-align: center;
  font-size: .8rem; }
figure img { display: block; }
"""


def write_page(path: Path, captioner: Captioner, images: Captioned) -> str:
    """Caption images, and write the page as a single file; return the first of them as HTML."""
    title = f"Captions of {path.parent.name}"
    captions = captioner.caption(images.images, return_attention=True)
    squares = [PIL.Image.fromarray(captioner.preprocessing.fit(read_image(image))) for image in images.images]
    articles = [f"<p>{LEGEND}</p>", *map(_article, squares, captions, images.captions)]
    write_text(path, page(title, "\n".join(articles), style=STYLE))
    more = f'<p><a href="{escape(path.name)}">All {len(captions)} in {escape(path.name)}</a></p>'
    return "\n".join([*articles[: 1 + FIRST], more])


def _article(image: PIL.Image.Image, caption: Caption, references: list[str]) -> str:
    heat, small = caption.attention, image.resize((SMALL, SMALL))
    words = (
        ""
        if heat is None
        else "".join(
            f"<figure>{picture(heated(small, weights), piece)}<figcaption>{escape(piece)}</figcaption></figure>"
            for piece, weights in zip(heat.pieces, heat.weights, strict=True)
        )
    )
    listed = "".join(f"<li>{escape(reference)}</li>" for reference in references)
    text = escape(caption.text)
    return (
        f"<article>{picture(image.resize((SIDE, SIDE)), text)}<div><p class='caption'>{text}</p>"
        f"<div>{words}</div><ul class='references'>{listed}</ul></div></article>"
    )
