"""The weights of a saved model: compared with a model while it is built, and finite when written and when read."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_parameter_registration_hook
from torch.nn.utils import get_total_norm

from seqgen.errors import InputError
from seqgen.files import writing
from seqgen.inference.saved import Stored

# A builder may make parameters that it does not keep, such as the classifier of a network whose features are used.
TIMES, AND_PARAMETERS, AND_NUMBERS = 4, 1_000, 1 << 28


def save_weights(model: nn.Module, path: Path) -> None:
    """Write the weights of a model; shared ones are written once.

    Raises:
        InputError: a weight is not finite.
        OSError: the file cannot be written.
    """
    require_finite_weights(model)
    state = model.state_dict()
    # safetensors refuses tensors that share memory.
    once = {tensor.data_ptr(): name for name, tensor in reversed(state.items())}
    with writing(path) as file:
        file.write(safetensors.torch.save({name: state[name].cpu().contiguous() for name in once.values()}))


def load_weights(model: nn.Module, path: Path, header: dict[str, Stored]) -> None:
    """Load the weights of a model from a file, which has this header.

    Raises:
        InputError: the model has weights of other shapes, or a weight is not finite.
    """
    if different := _misfit(model, header):
        raise InputError(f"the model of config.json must have the weights of the file, but {different}")
    safetensors.torch.load_model(model, path)
    require_finite_weights(model)


def require_finite_weights(model: nn.Module) -> None:
    """Raise an InputError where the weights of a model, or the statistics of its normalizations, are not finite."""
    if not finite(model):
        name = next(name for name, tensor in model.state_dict().items() if not tensor.isfinite().all())
        raise InputError(f"weights must be finite, but {name} is not: the training diverged, or the file is damaged")


def finite(model: nn.Module) -> bool:
    """Return whether all weights of a model, and the statistics of its normalizations, are finite."""
    numbers = [tensor for tensor in model.state_dict().values() if tensor.is_floating_point()]
    return bool(get_total_norm(numbers, norm_type=float("inf")).isfinite())


@contextmanager
def building(header: dict[str, Stored]) -> Iterator[None]:
    """A context in which a model is built, in this thread, for a file with this header.

    Nothing is calculated with a parameter before its module registers it, so that its memory is not used yet.

    Raises:
        InputError: as soon as the model has far more parameters than the file.
    """
    thread, left = threading.get_ident(), TIMES * len(header) + AND_PARAMETERS
    numbers_left = TIMES * sum(prod(one.shape) for one in header.values()) + AND_NUMBERS

    def count(module: nn.Module, name: str, parameter: Any) -> None:
        nonlocal left, numbers_left
        if threading.get_ident() == thread and isinstance(parameter, Tensor):
            left, numbers_left = left - 1, numbers_left - parameter.numel()
            if left < 0 or numbers_left < 0:
                raise InputError("the model of config.json must have the weights of the file, but it has far more")

    hook = register_module_parameter_registration_hook(count)
    try:
        yield
    finally:
        hook.remove()


def _misfit(model: nn.Module, header: dict[str, Stored]) -> str:
    """Return the first difference between the weights of a model and those of a file, as a clause; "" for none."""
    state = model.state_dict()
    named = [*model.named_parameters(), *model.named_buffers()]  # of shared ones the first name alone
    unique = {name for name, _ in named}
    for name, tensor in state.items():
        if name in header and header[name] != (tuple(tensor.shape), tensor.is_floating_point()):
            wanted, found = Stored(tuple(tensor.shape), tensor.is_floating_point()), header[name]
            return f"{name} is {wanted} in the model, and {found} in the file"
        if name in unique and name not in header:
            return f"the file lacks {name}"
    return next((f"the file has {name}, which is unknown" for name in header if name not in state), "")
