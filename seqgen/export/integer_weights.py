"""Weights of a graph as integers of 8 bits, which the runtime turns into numbers again when it loads the graph.

Only the file is smaller: all is calculated in fp32, since in browsers products of integers are slower than those.
"""

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from onnx import ModelProto

LEAST = 1024  # weights of a matrix that is worth it
LARGEST = 127


def with_integer_weights(model: "ModelProto") -> "ModelProto":
    """Return a graph whose large matrices are integers from -127 to 127, with a factor for each row.

    A weight changes by at most 1/254 of the largest one of its row.
    """
    from onnx import ModelProto, TensorProto, helper, numpy_helper

    changed = ModelProto()
    changed.CopyFrom(model)
    kept, nodes = [], []
    for initializer in model.graph.initializer:
        name, weights = initializer.name, numpy_helper.to_array(initializer)
        row = weights.shape[1:] if weights.ndim == 4 else weights.shape[-1:]  # of a convolution, all of an output
        if weights.dtype != np.float32 or weights.size < LEAST or weights.size == math.prod(row):
            kept.append(initializer)
            continue
        factors = np.abs(weights).max(axis=tuple(range(-len(row), 0)), keepdims=True) / LARGEST
        integers = np.rint(weights / np.where(factors == 0, 1, factors)).astype(np.int8)
        kept += [
            numpy_helper.from_array(integers, f"{name}.integers"),
            numpy_helper.from_array(factors.astype(np.float32), f"{name}.factors"),
        ]
        nodes += [
            helper.make_node("Cast", [f"{name}.integers"], [f"{name}.numbers"], to=TensorProto.FLOAT),
            helper.make_node("Mul", [f"{name}.numbers", f"{name}.factors"], [name]),
        ]
    del changed.graph.initializer[:], changed.graph.node[:]
    changed.graph.initializer.extend(kept)
    changed.graph.node.extend([*nodes, *model.graph.node])
    return changed
