"""An exported model as a directory: its graphs, its other parts, a manifest, what it needs, and how it is used."""

import copy
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from torch import nn

from seqgen.arguments import checked
from seqgen.errors import InputError
from seqgen.export.exporter import exported
from seqgen.export.graphs import Graph, graphs_of
from seqgen.export.manifest import is_ours, manifest_of
from seqgen.export.operators import with_operators
from seqgen.export.parity import require_parity, require_related
from seqgen.export.quantized import quantized
from seqgen.export.readme import readme
from seqgen.export.requirements import requirements
from seqgen.files import UNFINISHED
from seqgen.inference.bundle import Bundle
from seqgen.runtime.exported import MANIFEST
from seqgen.settings import unaffected
from seqgen.tasks.classifiers import TextClassifierTask
from seqgen.tasks.part_files import optional_files, part_files

AT_TIMES = optional_files(TextClassifierTask)  # files that an earlier export may have and this one not


@checked
@unaffected
def export_onnx(bundle: Bundle[Any], directory: str | Path, *, int8: bool = False) -> dict[str, Any]:
    """Write a model as ONNX graphs of any batch size and any number of steps, with all that is needed beside them.

    Each graph is compared with the model at shapes that were not exported; where one differs, nothing is written.

    Args:
        bundle: a model in use; it stays as it is.
        directory: a new or empty folder, or one with an earlier export, which is replaced as a whole.
        int8: whether the weights are integers of 8 bits: a quarter of the size and faster, but not quite the same.

    Returns:
        The manifest, as plain data.

    Raises:
        InputError: the folder holds anything else, the model has a decoder of one's own or operations that ONNX has
            not, or a graph does not give what the model gives.
        OSError: a file cannot be written.
    """
    model, graphs, traced = to_export(bundle)
    with replacing(Path(directory)) as unfinished:
        parity: dict[str, Any] = {}
        for name, graph in graphs.items():
            network = exported(name, traced[name])
            parity[name] = require_parity(name, graph, network)
            if int8:
                network = quantized(network)
                parity[name] = require_related(name, graph, network)
            (unfinished / f"{name}.onnx").write_bytes(network.SerializeToString())
        manifest = manifest_of(bundle, model, "int8" if int8 else "fp32", parity)
        write_parts(unfinished, bundle, manifest)
    return manifest


def to_export(bundle: Bundle[Any]) -> tuple[nn.Module, dict[str, Graph], dict[str, Graph]]:
    """Return a copy of a model in fp32 on the CPU, its graphs, and the same graphs made of ONNX's operators."""
    bundle.require_single("an export")
    model = copy.deepcopy(bundle.model).cpu().float().eval()
    return model, graphs_of(bundle, model), graphs_of(bundle, with_operators(model))


def write_parts(directory: Path, bundle: Bundle[Any], manifest: dict[str, Any]) -> None:
    """Write what an exported model has beside its graphs."""
    for name, content in part_files({**bundle.parts(), "config.json": bundle.config(), MANIFEST: manifest}).items():
        (directory / name).write_bytes(content)
    (directory / "requirements.txt").write_text(requirements(bundle), encoding="utf-8")
    (directory / "README.md").write_text(readme(bundle, manifest), encoding="utf-8")


@contextmanager
def replacing(directory: Path) -> Iterator[Path]:
    """Make a folder that takes the place of `directory` when it is complete; where that fails, nothing is left.

    Raises:
        InputError: `directory` has something other than an exported model, or cannot be a folder.
    """
    try:
        directory = directory.resolve()
    except (RuntimeError, ValueError) as error:  # a loop of links, or a name that no file can have
        raise InputError(f"{str(directory)!r} must be the name of a folder, but it is not: {error}") from None
    if os.path.lexists(directory) and not (is_ours(directory) or _is_empty(directory)):
        raise InputError(f"{directory} must be a new or empty folder or an exported model, but it has something else")
    directory.parent.mkdir(parents=True, exist_ok=True)
    # Of one folder for both, a kill at any moment leaves the earlier export under its own name or in there.
    aside = Path(mkdtemp(dir=directory.parent, prefix=f".{directory.name[:40]}.", suffix=UNFINISHED))
    try:
        (aside / "new").mkdir()
        yield aside / "new"
        _exchange(directory, aside / "new", aside / "old")
    finally:
        if directory.exists() or not (aside / "old").exists():  # else the earlier export is still in there
            shutil.rmtree(aside, ignore_errors=True)


def _exchange(directory: Path, new: Path, old: Path) -> None:
    """Put a new folder into the place of an earlier export, which is moved to `old`, or stays where that fails."""
    own = {path.name for path in new.iterdir()}
    others = [path.name for path in directory.iterdir() if path.name not in own] if directory.exists() else []
    if others := [name for name in others if not name.endswith((".onnx", *AT_TIMES))]:
        raise InputError(f"{directory} must have nothing but an exported model, but it has {others[0]}: move it away")
    try:
        if directory.exists():
            os.replace(directory, old)
        os.replace(new, directory)
    except BaseException:
        if old.exists() and not directory.exists():
            os.replace(old, directory)
        raise


def _is_empty(directory: Path) -> bool:
    return directory.is_dir() and not any(directory.iterdir())
