"""`seqgen export`."""

import sys
from pathlib import Path
from typing import Any

from seqgen.cli.trained import trained_options
from seqgen.errors import InputError
from seqgen.inference.bundle import Bundle
from seqgen.inference.card import names_only
from seqgen.inference.saved import find_model, used_as


def export(options: dict[str, Any]) -> None:
    """Write a model as ONNX graphs, or as a page in which it writes, and print what was written."""
    if options["web"] and options["int8"]:
        raise InputError("int8 must be left out with web: the weights of a page are integers of 8 bits always")
    if options["onnxruntime_web"] is not None and not options["web"]:
        raise InputError(f"onnxruntime_web must be given with web, not alone: {options['onnxruntime_web']!r}")
    model = find_model(options["directory"])
    write = _page if options["web"] else _graphs
    write(used_as(model).from_pretrained(model), Path(options["output"]), options)


def _graphs(bundle: Bundle[Any], output: Path, options: dict[str, Any]) -> None:
    """Print the files with their sizes and how near they are to the model."""
    from seqgen.export.directory import export_onnx

    manifest = export_onnx(bundle, output, int8=options["int8"])
    for name, file in manifest["graphs"].items():
        difference = manifest["parity"]["graphs"][name]["largest_difference"]
        size = (output / file).stat().st_size / 1e6
        print(f"{output / file}  {size:.2f} MB  differs from torch by at most {difference:.2g}")


def _page(bundle: Bundle[Any], output: Path, options: dict[str, Any]) -> None:
    """Print the page, the size of its folder, and how to look at it."""
    from seqgen.export.web import export_web

    place = Path(options["directory"]).resolve()
    name = place.parent.name if place.name == "model" else place.name
    data = trained_options(options["directory"]).get("data")
    known = None if data in (None, "-") else names_only(str(data))
    export_web(bundle, output, name=name, data=known, onnxruntime_web=options["onnxruntime_web"])
    size = sum(path.stat().st_size for path in output.iterdir()) / 1e6
    print(f"{output / 'index.html'}  {size:.1f} MB with all files of its folder")
    print(f"any web server shows it: python -m http.server --directory {output}", file=sys.stderr)
