"""An exported model as a directory: its manifest, its graphs, and its other parts as plain data."""

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from seqgen.errors import InputError
from seqgen.runtime.decoder import Decoder
from seqgen.runtime.graph import Graph
from seqgen.tasks.part_files import read_parts
from seqgen.tasks.schemas import read_object
from seqgen.tasks.task import Task

FORMAT = 1
MANIFEST = "manifest.json"


class Manifest(BaseModel):
    """`manifest.json`: the kind of model, its graphs by their names, and the state of its decoder, if it has one."""

    model_config = ConfigDict(strict=True, extra="ignore")

    format: int
    library: Literal["seqgen"]
    kind: str
    weights: Literal["fp32", "int8"]
    graphs: dict[str, str]
    state_shapes: dict[str, list[int | str]] = {}
    vocab_size: int = 0


def is_exported(directory: str | Path) -> bool:
    """Return whether a directory holds an exported model."""
    return os.path.isfile(os.path.join(directory, MANIFEST))


class Exported:
    """An exported model's files.

    Args:
        directory: that was exported.

    Raises:
        InputError: the manifest is missing, damaged, or of another format.
    """

    def __init__(self, directory: str | Path):
        self.directory = Path(directory)
        if not is_exported(directory):
            raise InputError(
                f"{directory} must hold an exported model, but it lacks {MANIFEST}: seqgen export makes one"
            )
        path = self.directory / MANIFEST
        made_by = read_object(path).get("format")
        if made_by != FORMAT:
            raise InputError(
                f"{path} must be of format {FORMAT}, but it is of format {made_by!r}, exported by another version of "
                "seqgen: export the model again"
            )
        self.manifest = Manifest.model_validate(read_object(path, Manifest))

    def fields(self, task: type[Task]) -> dict[str, Any]:
        """Return the parts of a model, by the names of their fields.

        Raises:
            InputError: one is missing or damaged.
        """
        parts = read_parts(self.directory, task, "a whole exported model")
        try:
            return task.fields(parts)
        except InputError as error:
            raise InputError(f"{self.directory}: {error}") from None

    def graph(
        self,
        name: str,
        inputs: tuple[str, ...] = (),
        outputs: tuple[str, ...] = ("logits",),
        threads: int | None = None,
    ) -> Graph:
        """Return a graph, which has these inputs and outputs.

        Raises:
            InputError: it is missing or damaged, or has others.
        """
        file = self.manifest.graphs.get(name, "")
        if file != f"{name}.onnx":  # a path, too, would leave the directory
            raise InputError(f"{self.directory / MANIFEST} must have a graph {name}, {name}.onnx, not {file!r}")
        return Graph(self.directory / file, inputs, outputs, threads)

    def decoder(self, *memory: str) -> Decoder:
        """Return the decoder, with the inputs that its memory has.

        Raises:
            InputError: a graph is missing or damaged.
        """
        shapes = self.manifest.state_shapes
        beside, after = (*shapes, *memory), ("logits", *(f"next_{name}" for name in shapes))
        # One row's products are too small to divide among threads.
        step = self.graph("step", ("tokens", *beside), after, threads=1)
        has_read = "read" in self.manifest.graphs  # one with input feeding has none
        read = self.graph("read", ("tokens", "lengths", *beside), after) if has_read else None
        for name, shape in shapes.items():
            if [one for one in step.inputs[name] if isinstance(one, int)] != [one for one in shape if one != "batch"]:
                raise InputError(f"{step.path} must have a state {name} of the shape {shape}, not {step.inputs[name]}")
        require_logits(step, self.manifest.vocab_size, MANIFEST)
        return Decoder(step, read, shapes, self.manifest.vocab_size)


def require_logits(graph: Graph, count: int, part: str) -> None:
    """Raise an InputError where a graph has not as many logits as a part of the model has tokens, classes or tags."""
    found = graph.outputs["logits"][-1]
    if found != count:
        raise InputError(f"{graph.path} must have the {count} logits that {part} says, but it has {found}")
