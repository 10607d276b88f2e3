"""A graph in onnxruntime: called with arrays, or bound to arrays that it reads and writes in place."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from seqgen.errors import InputError

Arrays = dict[str, np.ndarray]

SILENT = 4  # onnxruntime's own lines beside an error of ours


class Graph:
    """A graph of an exported model.

    Args:
        path: of the file.
        inputs: names of the inputs that it must have, in this order; by default it may have any.
        outputs: names of the outputs that it must have.
        threads: number of threads that it calculates with; by default all that this process may use.

    Raises:
        InputError: onnxruntime is not installed, or the file is missing, damaged or another graph.
    """

    def __init__(
        self, path: Path, inputs: tuple[str, ...] = (), outputs: tuple[str, ...] = (), threads: int | None = None
    ):
        onnxruntime = _onnxruntime()
        if not path.is_file():
            raise InputError(f"{path.parent} must hold a whole exported model, but it lacks {path.name}")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or _usable()
        options.log_severity_level = SILENT
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # for others' sake
        try:
            self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime has an error of its own for each kind of damage
            raise InputError(f"{path} must be a graph as it was exported, but it is damaged: {_line(error)}") from None
        self.path = path
        self.inputs = {one.name: one.shape for one in self._session.get_inputs()}
        self.outputs = {one.name: one.shape for one in self._session.get_outputs()}
        if (inputs and (*self.inputs,) != inputs) or not {*outputs} <= {*self.outputs}:
            wanted, found = (
                " ".join((*given, "to", *out)) for given, out in ((inputs, outputs), (self.inputs, self.outputs))
            )
            raise InputError(f"{path} must be a graph from {wanted}, but it is one from {found}")
        for one in self._session.get_outputs():
            kind = "tensor(bool)" if one.name == "mask" else "tensor(float)"
            if one.name in outputs and (one.type != kind or len(one.shape) < 2):
                raise InputError(f"{path} must have {one.name} as a {kind} of two axes or more, not a {one.type}")

    def __call__(self, *arrays: np.ndarray, **named: np.ndarray) -> Arrays:
        """Return the outputs by their names for inputs in their order, or by theirs.

        Raises:
            InputError: the graph does not take such inputs.
        """
        given = dict(zip(self.inputs, arrays, strict=False)) | named
        found = self._tried(lambda: self._session.run(None, given))
        return dict(zip(self.outputs, found, strict=True))

    def bound(self, inputs: Arrays, outputs: Arrays) -> Callable[[], None]:
        """Return a function that calculates from these arrays into those, whatever they hold then."""
        binding, run = self._session.io_binding(), self._session.run_with_iobinding

        def bind() -> None:
            for name, array in inputs.items():
                binding.bind_input(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)
            for name, array in outputs.items():
                binding.bind_output(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)

        self._tried(bind)

        def calculate(_kept: Any = (inputs, outputs)) -> None:  # as long as the function, for only addresses are bound
            try:
                run(binding)
            except Exception as error:
                raise self._unfit(error) from None

        return calculate

    def _tried(self, calculate: Callable[[], Any]) -> Any:
        try:
            return calculate()
        except Exception as error:
            raise self._unfit(error) from None

    def _unfit(self, error: Exception) -> InputError:
        return InputError(f"{self.path} must calculate as it was exported, but it does not: {_line(error)}")


def _usable() -> int:
    """Return the number of cores that this process may use; 0, which is onnxruntime's own choice, on some systems."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0


def _onnxruntime() -> Any:
    try:
        import onnxruntime  # type: ignore[import-untyped, unused-ignore]
    except ImportError:
        raise InputError("an exported model needs onnxruntime, which is missing: pip install onnxruntime") from None
    return onnxruntime


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
