"""A page in which a generator writes on the visitor's own machine, as a folder for any web server."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqgen.errors import InputError
from seqgen.export.integer_weights import with_integer_weights
from seqgen.export.web_tokenizer import web_tokenizer
from seqgen.files import write_text, writing
from seqgen.inference.about import PROMPTS, about
from seqgen.inference.generator import Generator
from seqgen.inference.known_tokens import first_known
from seqgen.serving.document import FOLDER as SHARED
from seqgen.serving.document import assembled, joined, read

if TYPE_CHECKING:
    from onnx import ModelProto

PAGE, WORKER = (Path(__file__).parent / name for name in ("page", "worker"))
# What the page has in common with that of `seqgen serve`.
PARTS = ("bars", "candidates", "element", "fields", "requests", "text", "writing", "writing_form")
GRAPH = "step.onnx"
OTHERS = "connect-src 'self'; worker-src blob:; img-src data:"
SCRIPTS = " 'self' 'wasm-unsafe-eval'"  # the runtime


def write_web(
    bundle: Generator,
    graph: "ModelProto",
    directory: Path,
    *,
    name: str,
    state_shapes: dict[str, Sequence[int | str]],
    runtime: Sequence[Path],
    data: str | None = None,
) -> None:
    """Write a page, with the network and what runs it, to a directory.

    Args:
        bundle: the generator.
        graph: its step, in fp32; the page's has integer weights.
        directory: where the files are written; `index.html` is the page.
        name: of the model, as the title of the page.
        state_shapes: the shape of each tensor of the state, with "batch" for the number of rows.
        runtime: files of onnxruntime-web.
        data: name of what the model was trained on, where that is known.

    Raises:
        InputError: the model is no generator, or has a tokenizer that a page does not know.
    """
    if not isinstance(bundle, Generator):
        raise InputError(f"a page that writes in the browser must have a generator, not a {bundle.builder}")
    tokenizer, network = web_tokenizer(bundle.tokenizer), with_integer_weights(graph).SerializeToString()
    size = len(network) + sum(path.stat().st_size for path in runtime)
    model = {
        "name": name,
        "about": about(bundle) + (f"; trained on {data}" if data else ""),
        "megabytes": max(1, round(size / 1e6)),
        "example": first_known(PROMPTS, bundle.tokenizer),
        "tokens": bundle.tokenizer.kind,
        "options": _options(bundle),
        "graph": GRAPH,
        "state_shapes": state_shapes,
        "tokenizer": tokenizer,
    }
    with writing(directory / GRAPH) as file:
        file.write(network)
    write_text(directory / "model.json", json.dumps(model, ensure_ascii=False))
    write_text(directory / "index.html", web_page())
    for path in runtime:
        with writing(directory / path.name) as file, path.open("rb") as source:
            shutil.copyfileobj(source, file)


def web_page() -> str:
    """Return the page, which loads the model and what runs it from its own folder, and nothing from elsewhere."""
    style = joined([SHARED / "style.css"])
    script = joined([*(SHARED / f"{part}.js" for part in PARTS), *PAGE.glob("*.js")])
    page = assembled(read(PAGE / "index.html"), style, script, OTHERS, scripts=SCRIPTS)
    for place, text in (('content=""', f'content="{page.policy}"'), ('id="worker">', f'id="worker">{worker()}')):
        page = page._replace(html=page.html.replace(place, text, 1))
    return page.html


def worker() -> str:
    """Return the script that reads prompts and writes."""
    return joined(WORKER.glob("*.js"))


def _options(bundle: Generator) -> dict[str, Any]:
    """Return the options that the page starts from; it always samples, of one token where the model would not."""
    options = bundle.generation.to_data()
    return options if bundle.generation.do_sample else options | {"top_k": 1}
