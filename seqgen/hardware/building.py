"""Models that are built: within the memory of this machine, and without drawing weights that are replaced at once."""

import math
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from seqgen.arguments import checked
from seqgen.hardware.memory import FLOAT, available_memory, require_memory

P = ParamSpec("P")
T = TypeVar("T")

NEW = {torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn}  # what layers make their weights with


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
