"""A page in which a generator writes on the visitor's own machine, as a folder for any web server."""

import json
import shutil
from pathlib import Path
from typing import Any

from seqgen.arguments import checked
from seqgen.errors import InputError
from seqgen.export.directory import replacing, to_export, write_parts
from seqgen.export.exporter import exported
from seqgen.export.integer_weights import with_integer_weights
from seqgen.export.manifest import manifest_of
from seqgen.export.onnxruntime_web import runtime_files
from seqgen.export.parity import require_parity, require_related
from seqgen.export.web_page import web_page
from seqgen.export.web_tokenizer import web_tokenizer
from seqgen.inference.about import PROMPTS, about
from seqgen.inference.bundle import Bundle
from seqgen.inference.generator import Generator
from seqgen.inference.known_tokens import first_known
from seqgen.settings import unaffected


@checked
@unaffected
def export_web(
    bundle: Bundle[Any],
    directory: str | Path,
    *,
    name: str = "seqgen",
    data: str | None = None,
    onnxruntime_web: str | Path | None = None,
) -> None:
    """Write a folder with `index.html`, a page in which a generator writes, and all that it loads.

    The folder is an exported model, too, without the graph that reads many tokens at once.

    Args:
        bundle: a generator in use; it stays as it is.
        directory: a new one, an empty one, or an earlier export, which is replaced as a whole.
        name: of the model, as the title of the page.
        data: name of what the model was trained on, where the page shall say it.
        onnxruntime_web: folder of the npm package; by default that in `node_modules` here or in a folder above.

    Raises:
        InputError: the model is no generator, has parts that ONNX or a page has not, or its graph does not give what
            it gives; there is no such package; or the directory has something else.
        OSError: a file cannot be written.
    """
    if not isinstance(bundle, Generator):
        raise InputError(f"a page that writes in the browser must have a generator, not one of kind {bundle.builder}")
    tokenizer, runtime = web_tokenizer(bundle.tokenizer), runtime_files(onnxruntime_web)
    model, graphs, traced = to_export(bundle)
    graph = graphs["step"]
    with replacing(Path(directory)) as unfinished:
        network = exported("step", traced["step"])
        require_parity("step", graph, network)
        network = with_integer_weights(network)  # which in browsers is faster than arithmetic in int8
        manifest = manifest_of(bundle, model, "int8", {"step": require_related("step", graph, network)})
        write_parts(unfinished, bundle, manifest)
        size = (unfinished / "step.onnx").write_bytes(network.SerializeToString())
        for path in runtime:
            shutil.copyfile(path, unfinished / path.name)
        shown = {
            "name": name,
            "about": f"{about(bundle)} in {size / 1e6:.1f} MB" + (f"; trained on {data}" if data else ""),
            "megabytes": round((size + sum(path.stat().st_size for path in runtime)) / 1e6),
            "example": first_known(PROMPTS, bundle.tokenizer),
            "tokens": bundle.tokenizer.kind,
            "options": _options(bundle),
            "state_shapes": manifest["state_shapes"],
            "tokenizer": tokenizer,
        }
        (unfinished / "model.json").write_text(json.dumps(shown, ensure_ascii=False), encoding="utf-8")
        (unfinished / "index.html").write_text(web_page(), encoding="utf-8")


def _options(generator: Generator) -> dict[str, Any]:
    """Return the options that the page starts from; it always samples, of one token where the model would not."""
    options = generator.generation.to_data()
    return options if generator.generation.do_sample else options | {"top_k": 1}
