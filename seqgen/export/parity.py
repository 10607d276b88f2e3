"""Parity: the same inputs to torch and to onnxruntime, of shapes that were not exported, give the same outputs."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnxruntime
import torch
from onnx import ModelProto

from seqgen.errors import InputError
from seqgen.export.graphs import Graph
from seqgen.export.inputs import Axes

TRIED: list[Axes] = [  # lengths of axes
    {"batch": 1, "time": 1, "positions": 1, "words": 1, "characters": 1},
    {"batch": 2, "time": 12, "positions": 3, "words": 6, "characters": 15},
    {"batch": 5, "time": 37, "positions": 23, "words": 11, "characters": 2},
]
CLOSE = (
    1e-3  # the largest difference of fp32, as a share of the largest number of an output, or of 1 where that is less
)
RELATED = 0.5  # the largest difference of int8: standard deviation of the error, as a share of that of the output
SEED = 0


def require_parity(name: str, graph: Graph, model: ModelProto) -> dict[str, float]:
    """Return the largest absolute difference between a graph in torch and in onnxruntime.

    Raises:
        InputError: it is too large, or an output is not finite.
    """
    largest = 0.0
    for axes, output, torchs, onnx in _outputs(graph, model):
        difference = _largest(torchs - onnx)
        if not difference <= CLOSE * max(1.0, _largest(torchs)):  # of a number that is not finite, too
            raise InputError(
                f"an exported graph must give what the model gives, but {output} of {name} differs by "
                f"{difference:.2g} for {_words(graph, axes)}: export another model"
            )
        largest = max(largest, difference)
    return {"largest_difference": largest}


def require_related(name: str, graph: Graph, model: ModelProto) -> dict[str, float]:
    """Return how far a graph in int8 is from torch's fp32.

    Raises:
        InputError: an output has nothing to do with torch's, or is not finite.
    """
    largest, share = 0.0, 0.0
    for axes, output, torchs, onnx in _outputs(graph, model):
        error, spread = float(np.std(torchs - onnx)), float(np.std(torchs))
        if not error <= RELATED * spread + 1e-6:
            raise InputError(
                f"a graph in int8 must be near the model, but {output} of {name} has an error of {error:.2g} with a "
                f"standard deviation of {spread:.2g} for {_words(graph, axes)}: export it without --int8"
            )
        largest = max(largest, _largest(torchs - onnx))
        share = max(share, error / (spread + 1e-6))
    return {"largest_difference": largest, "largest_error": share}


def _outputs(graph: Graph, model: ModelProto) -> Iterator[tuple[Axes, str, np.ndarray, np.ndarray]]:
    """Yield each output, as torch and as onnxruntime calculate it, for inputs of each of the shapes."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(SEED)
        for axes in TRIED:
            given = graph.draw(axes)
            expected = graph.calculate(given)
            found: list[Any] = session.run(list(expected), {name: one.numpy() for name, one in given.items()})
            for (name, one), other in zip(expected.items(), found, strict=True):
                yield axes, name, one.numpy().astype(np.float64), other.astype(np.float64)


def _largest(numbers: np.ndarray) -> float:
    return float(np.abs(numbers).max())


def _words(graph: Graph, axes: Axes) -> str:
    named = {name for one in graph.inputs.values() for name in one.shape if isinstance(name, str)}
    return ", ".join(f"{name} {length}" for name, length in axes.items() if name in named)
