"""A generator of torch's that writes with onnxruntime: exported when first asked to, and when its weights change."""

import zlib
from tempfile import TemporaryDirectory
from threading import Lock
from typing import TYPE_CHECKING, Literal, get_args
from weakref import WeakKeyDictionary

import torch
from torch import nn

from seqgen.errors import InputError, nearest
from seqgen.runtime.decoder import Decoder
from seqgen.runtime.exported import Exported
from seqgen.runtime.generator import Generator

if TYPE_CHECKING:
    from seqgen.inference.generator import Generator as TorchGenerator

Runtime = Literal["torch", "onnx", "onnx-int8"]

# The decoder of each model and runtime, and the checksum of the weights that it has.
_exported: WeakKeyDictionary[nn.Module, dict[str, tuple[int, Decoder]]] = WeakKeyDictionary()
_exporting = Lock()  # torch's exporter is for one thread at a time


def require_runtime(runtime: Runtime) -> None:
    """Raise an InputError for an unknown runtime."""
    if runtime not in get_args(Runtime):
        known = get_args(Runtime)
        raise InputError(f"runtime must be one of {', '.join(known)}, not {runtime!r}{nearest(runtime, known)}")


def in_onnxruntime(generator: "TorchGenerator", runtime: Runtime) -> Generator:
    """Return a generator in onnxruntime, with the weights as they are now.

    Raises:
        InputError: the model cannot be exported, or a package for that is not installed.
    """
    with _exporting:
        kept, weights = _exported.setdefault(generator.model, {}), _checksum(generator.model)
        if runtime not in kept or kept[runtime][0] != weights:
            from seqgen.export.directory import export_onnx  # of packages that torch's own runtime does not need

            with TemporaryDirectory() as directory:
                export_onnx(generator, directory, int8=runtime == "onnx-int8")
                kept[runtime] = weights, Exported(directory).decoder()
    return Generator(tokenizer=generator.tokenizer, generation=generator.generation, decoder=kept[runtime][1])


def _checksum(model: nn.Module) -> int:
    """Return a checksum of all weights of a model, which takes a millisecond a megabyte."""
    total = 0
    for tensor in model.state_dict().values():
        total = zlib.crc32(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy(), total)
    return total
