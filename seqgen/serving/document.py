"""A page as one HTML document, put together from its files, and the policy that lets it load nothing else."""

import base64
import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / "page"


class Document(NamedTuple):
    """An HTML document, and its Content-Security-Policy, which names its style and its script by their hashes."""

    html: str
    policy: str


def document() -> Document:
    """Return the page: `index.html` with styles and scripts, in the order of their names."""
    style, script = (joined(FOLDER.glob(f"*.{suffix}")) for suffix in ("css", "js"))
    others = "connect-src 'self'; img-src 'self' data: blob:; frame-ancestors 'none'"
    return assembled(read(FOLDER / "index.html"), style, script, others)


def joined(paths: Iterable[Path]) -> str:
    """Return the text of files in the order of their names and without indentation."""
    return "\n".join(re.sub("(?m)^ +", "", read(path)) for path in sorted(paths, key=lambda path: path.name))


def read(path: Path) -> str:
    """Return the text of a page's file."""
    return path.read_text(encoding="utf-8")


def assembled(html: str, style: str, script: str, others: str, *, scripts: str = "") -> Document:
    """Return a page with its style and its script.

    Args:
        html: has an empty element for each of them.
        style: as CSS.
        script: as JavaScript.
        others: directives of the policy for what else the page may load.
        scripts: sources of further scripts, as the policy names them.
    """
    for text, place in ((style, "<style></style>"), (script, '<script type="module"></script>')):
        html = html.replace(place, place.replace("><", f">{text}<"))
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}{scripts}; {others}; "
        "base-uri 'none'; form-action 'none'"
    )
    return Document(html, policy)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
