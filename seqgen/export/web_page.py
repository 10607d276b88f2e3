"""The page in which a generator writes: one HTML file with the style and the parts that it shares with the server's."""

from pathlib import Path

from seqgen.serving.document import FOLDER as SHARED
from seqgen.serving.document import assembled, joined, read

PAGE, WORKER = (Path(__file__).parent / name for name in ("page", "worker"))
PARTS = ("bars", "candidates", "element", "fields", "requests", "text", "writing", "writing_form")
FROM_ITS_FOLDER = " 'self' 'wasm-unsafe-eval'"  # scripts of the runtime
OTHERS = "connect-src 'self'; worker-src blob:; img-src data:"


def web_page() -> str:
    """Return the page, which loads the model and what runs it from its own folder, and nothing from elsewhere."""
    style = joined([SHARED / "style.css"])
    script = joined([*(SHARED / f"{part}.js" for part in PARTS), *PAGE.glob("*.js")])
    page = assembled(read(PAGE / "index.html"), style, script, OTHERS, scripts=FROM_ITS_FOLDER)
    html = page.html.replace('content=""', f'content="{page.policy}"', 1)
    return html.replace('id="worker">', f'id="worker">{worker()}', 1)


def worker() -> str:
    """Return the script that reads prompts and writes."""
    return joined(WORKER.glob("*.js"))
