"""The exporter: a graph as ONNX has it."""

import io
import warnings
from contextlib import redirect_stdout

import torch

from seqgen.errors import InputError
from seqgen.export.graphs import Graph

try:
    import onnxruntime  # noqa: F401  (all three are found here, before anything is calculated)
    import onnxscript  # noqa: F401  (which torch imports)
    from onnx import ModelProto
except ModuleNotFoundError as error:
    raise InputError(
        f'exporting a model needs {error.name}, which is not installed: pip install "seqgen[export]"'
    ) from None

OPSET = 18  # whose recurrent operators onnxruntime quantizes
TRACED = {"batch": 3, "time": 5, "positions": 7, "words": 4, "characters": 6}  # lengths of axes while tracing


def exported(name: str, graph: Graph) -> ModelProto:
    """Return a graph as a `ModelProto`.

    Args:
        name: in the message of an error.
        graph: whose recurrent layers are operators.

    Raises:
        InputError: torch cannot export it.
    """
    given = graph.draw(TRACED)
    axes = {one: torch.export.Dim(one) for one in TRACED}
    any_length = {
        name: {place: axes[one] for place, one in enumerate(of.shape) if isinstance(one, str)}
        for name, of in graph.inputs.items()
    }
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")  # about axes of the same name, which are meant
            program = torch.onnx.export(
                graph.calculate,
                kwargs={"given": given},
                input_names=list(given),
                output_names=list(graph.calculate(given)),
                dynamic_shapes={"given": any_length},
                opset_version=OPSET,
                dynamo=True,
                verbose=False,
            )
    except Exception as error:  # tracing runs the model's own code, which may do anything
        reason = " ".join(str(error.__cause__ or error).split())[:300]
        raise InputError(
            f"a model to export must be made of operations that ONNX has, but its {name} is not: {reason}"
        ) from None
    assert program is not None
    model: ModelProto = program.model_proto
    return model
