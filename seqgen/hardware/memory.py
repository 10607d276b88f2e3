"""The memory of this machine, and the refusal, in one sentence, of what would not fit it."""

import math
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import psutil
import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from seqgen.arguments import checked
from seqgen.errors import InputError

P = ParamSpec("P")
T = TypeVar("T")

CPU = torch.device("cpu")
FLOAT = 4  # bytes of a number
CONTAINER = Path("/sys/fs/cgroup/memory.max")  # the limit of a container, where there is one
NEW = {torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn}  # what layers make their weights with


def available_memory(device: torch.device = CPU) -> int:
    """Return the bytes of a device's memory that are available."""
    if device.type == "cuda":
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)  # but kept by torch
        return unused + int(torch.cuda.mem_get_info(device)[0])
    available: int = psutil.virtual_memory().available
    with suppress(OSError, ValueError):
        available = min(available, int(CONTAINER.read_text()))
    return available


def require_memory(needed: int, of: str, available: int | None = None, *, device: torch.device = CPU) -> None:
    """Raise an InputError where something would not fit the memory.

    Args:
        needed: bytes that it takes at least.
        of: what it is, the beginning of the sentence.
        available: bytes that there are for it; by default those that are available now.
        device: whose memory it takes.
    """
    available = available_memory(device) if available is None else available
    if needed > available:
        raise InputError(
            f"{of} must fit the memory, but it takes at least {_gigabytes(needed)} and there are "
            f"{_gigabytes(available)}: choose smaller sizes"
        )


def within_memory(builder: Callable[P, T]) -> Callable[P, T]:
    """Return a builder of models that checks its arguments and the memory that the weights take.

    Raises:
        InputError: by the builder, for an argument of another type, or before it builds what does not fit the memory.
    """

    @wraps(builder)
    def build(*arguments: P.args, **options: P.kwargs) -> T:
        with _Counting():  # no memory is used of what is not written to
            builder(*arguments, **options)
        return builder(*arguments, **options)

    return checked(build)


class NothingDrawn(TorchFunctionMode):
    """A context in which modules are made fast: the initial weights of torch's modules are not drawn at random."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if getattr(function, "__module__", "") == nn.init.__name__ and "tensor" in kwargs:
            return kwargs["tensor"]
        if function in (torch.Tensor.normal_, torch.Tensor.uniform_):
            return args[0]
        if function in (torch.rand, torch.randn):
            return torch.zeros(*args, **kwargs)
        if function is torch.linalg.qr:  # which makes orthogonal weights of normal ones, and takes most of the time
            return args[0], args[0]
        return function(*args, **kwargs)


class _Counting(NothingDrawn):
    """A context in which the bytes of new tensors are counted, up to those that are available."""

    def __init__(self) -> None:
        super().__init__()
        self.available, self.needed = available_memory(), 0

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if function in NEW:
            size = args[0] if args and not isinstance(args[0], int) else args or kwargs["size"]
            self.needed += FLOAT * math.prod(each for each in size if isinstance(each, int))
            require_memory(self.needed, "a model of these sizes", self.available)
        return super().__torch_function__(function, types, args, kwargs)


def _gigabytes(number: int) -> str:
    tenths = number // 10**8  # in whole numbers: a size may be larger than any float
    return f"{tenths // 10:,}.{tenths % 10} GB"
