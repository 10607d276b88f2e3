"""The page as one HTML document, put together from its files, and the policy that lets it load nothing else."""

import base64
import hashlib
import re
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / "page"


class Document(NamedTuple):
    """An HTML document, and its Content-Security-Policy, which names its style and its script by their hashes."""

    html: str
    policy: str


def document() -> Document:
    """Return the page: `index.html` with styles and scripts, in the order of their names and without indentation."""
    html = (FOLDER / "index.html").read_text(encoding="utf-8")
    style, script = (
        "\n".join(
            re.sub("(?m)^ +", "", path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob(f"*.{suffix}"))
        )
        for suffix in ("css", "js")
    )
    for text, place in ((style, "<style></style>"), (script, '<script type="module"></script>')):
        begin, _, end = place.partition("><")
        html = html.replace(place, f"{begin}>{text}<{end}")
    policy = (
        f"default-src 'none'; connect-src 'self'; img-src 'self' data: blob:; style-src {_hash(style)}; "
        f"script-src {_hash(script)}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return Document(html, policy)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
