"""An exported model as a directory: its graphs, its other parts, a manifest, and what it needs."""

import copy
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from torch import nn

from seqgen import __version__
from seqgen.arguments import checked
from seqgen.errors import InputError
from seqgen.export.exporter import OPSET, exported
from seqgen.export.graphs import decoder_of, graphs_of, state_shapes
from seqgen.export.operators import with_operators
from seqgen.export.parity import TRIED, require_parity, require_related
from seqgen.export.quantized import quantized
from seqgen.inference.bundle import Bundle
from seqgen.settings import unaffected

FORMAT = 1
MANIFEST = "manifest.json"


@checked
@unaffected
def export_onnx(bundle: Bundle[Any], directory: str | Path, *, int8: bool = False) -> None:
    """Write a model as ONNX graphs with all that is needed to use them without torch.

    Args:
        bundle: a model in use; it stays as it is.
        directory: a new one, an empty one, or an earlier export, which is replaced as a whole.
        int8: whether weights have eight bits in place of 32: a quarter of the size, faster, and not quite the same.

    Raises:
        InputError: the directory has something else, the model has parts that ONNX has not, or a graph does not give
            what the model gives.
        OSError: a file cannot be written.
    """
    model = copy.deepcopy(bundle.model).cpu().float().eval()
    graphs, traced = graphs_of(bundle, model), graphs_of(bundle, with_operators(model))
    with _replacing(Path(directory)) as unfinished:
        measured: dict[str, Any] = {}
        for name, graph in graphs.items():
            proto = exported(name, traced[name])
            content = proto.SerializeToString()
            measured[name] = {"largest_difference": require_parity(name, graph, content)}
            if int8:
                content = quantized(proto)
                measured[name] = require_related(name, graph, content)._asdict()
            (unfinished / f"{name}.onnx").write_bytes(content)
        manifest = _manifest(bundle, model, "int8" if int8 else "fp32", measured)
        config = {"format": 2, "library": "seqgen", "builder": bundle.builder, "arguments": bundle.arguments}
        for name, data in {**bundle.parts(), "config.json": config, MANIFEST: manifest}.items():
            (unfinished / name).write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _manifest(bundle: Bundle[Any], model: nn.Module, weights: str, measured: dict[str, Any]) -> dict[str, Any]:
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "library": "seqgen",
        "version": __version__,
        "kind": bundle.builder,
        "weights": weights,
        "graphs": {name: f"{name}.onnx" for name in measured},
        "opset": OPSET,
        "parity": {"shapes": TRIED, "graphs": measured},
    }
    if "step" in measured:
        decoder = decoder_of(model)
        shapes = state_shapes(decoder)
        manifest |= {"state": list(shapes), "state_shapes": shapes, "vocab_size": decoder.output.out_features}
    return manifest


@contextmanager
def _replacing(directory: Path) -> Iterator[Path]:
    """Return a folder that takes the place of `directory` when it is complete; if it fails, nothing is left."""
    if directory.exists() and not (
        directory.is_dir() and ((directory / MANIFEST).is_file() or not any(directory.iterdir()))
    ):
        raise InputError(f"{directory} must be a new folder or an earlier export, but it has something else")
    directory.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(mkdtemp(dir=directory.parent, prefix=f".{directory.name[:40]}.", suffix=".unfinished"))
    try:
        yield unfinished
        os.chmod(unfinished, 0o755)
        if directory.exists():
            shutil.rmtree(directory)
        os.replace(unfinished, directory)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
