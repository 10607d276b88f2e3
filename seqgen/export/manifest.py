"""The manifest of an exported model: its kind, its graphs, the state of its decoder, and how near it is to torch."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from torch import nn

from seqgen import __version__
from seqgen.export.exporter import OPSET
from seqgen.export.graphs import decoder_of, state_shapes
from seqgen.export.parity import TRIED
from seqgen.inference.bundle import Bundle
from seqgen.runtime.exported import FORMAT, MANIFEST


def manifest_of(bundle: Bundle[Any], model: nn.Module, weights: str, parity: dict[str, Any]) -> dict[str, Any]:
    """Return the manifest as plain data.

    Args:
        bundle: a model in use.
        model: its network.
        weights: "fp32" or "int8".
        parity: of each graph by its name, the largest difference that was found.
    """
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "library": "seqgen",
        "version": __version__,
        "kind": bundle.builder,
        "weights": weights,
        "graphs": {name: f"{name}.onnx" for name in parity},
        "opset": OPSET,
        "parity": {"shapes": TRIED, "graphs": parity},
    }
    if "step" not in parity:
        return manifest
    decoder = decoder_of(model)
    shapes = state_shapes(decoder)
    return manifest | {"state": list(shapes), "state_shapes": shapes, "vocab_size": decoder.output.out_features}


def is_ours(directory: Path) -> bool:
    """Return whether the manifest of a folder is seqgen's; other programs have a file of this name, too."""
    with suppress(OSError, ValueError):
        found = json.loads((directory / MANIFEST).read_bytes())
        return isinstance(found, dict) and found.get("library") == "seqgen"
    return False
