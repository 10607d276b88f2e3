"""The skeleton of a page: one file with its styles, scripts and pictures, which requests nothing from elsewhere."""

import base64
import io
from html import escape

import PIL.Image

POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
STYLE = """
:root { --text: #1d2129; --muted: #5f6673; --ground: #fff; --panel: #f4f5f7; --line: #d9dce2; --accent: #2457c5; }
@media screen { :root { color-scheme: light dark; } }
@media screen and (prefers-color-scheme: dark) { :root { --text: #e6e8ec; --muted: #9aa1ad; --ground: #16181d;
  --panel: #21242b; --line: #3a3f49; --accent: #86adff; } }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem;
  color: var(--text); background: var(--ground); }
a { color: var(--accent); }
pre, .text { font-family: ui-monospace, monospace; white-space: break-spaces; overflow-wrap: anywhere;
  background: var(--panel); padding: .75rem 1rem; border-radius: .4rem; }
table { border-collapse: collapse; }
th, td { padding: .25rem .75rem .25rem 0; text-align: left; border-bottom: 1px solid var(--line); }
.muted { color: var(--muted); }
"""


def page(title: str, body: str, *, style: str = "", script: str = "") -> str:
    """Return a whole page, light or dark as the reader's system is, that can load nothing but what is in it.

    Args:
        title: as text, which is also the heading.
        body: as HTML, after the heading.
        style: CSS after that of all pages, whose colours are the variables in `STYLE`.
        script: JavaScript that runs when the page is there.
    """
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><title>{escape(title)}</title>'
        f"<style>{STYLE}{style}</style></head>\n<body><h1>{escape(title)}</h1>\n{body}\n"
        + (f"<script>\n{script}\n</script>\n" if script else "")
        + "</body></html>\n"
    )


def picture(image: PIL.Image.Image, text: str) -> str:
    """Return an image as an element in the page itself, described by a text."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=80)
    data = base64.b64encode(file.getvalue()).decode()
    size = f'width="{image.width}" height="{image.height}"'
    return f'<img src="data:image/jpeg;base64,{data}" {size} alt="{escape(text)}">'
