"""`seqgen export`."""

from pathlib import Path
from typing import Any

from seqgen.inference.saved import find_model, used_as


def export(options: dict[str, Any]) -> None:
    """Write a model as ONNX graphs, and print the files with their sizes and how near they are to the model."""
    model = find_model(options["directory"])
    from seqgen.export.directory import export_onnx

    output = Path(options["output"])
    manifest = export_onnx(used_as(model).from_pretrained(model), output, int8=options["int8"])
    for name, file in manifest["graphs"].items():
        difference = manifest["parity"]["graphs"][name]["largest_difference"]
        size = (output / file).stat().st_size / 1e6
        print(f"{output / file}  {size:.2f} MB  differs from torch by at most {difference:.2g}")
