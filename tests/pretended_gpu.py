"""A GPU that is only pretended, on any machine: its tensors may not meet those of the CPU, as on a real one.

torch's own FakeTensorMode cannot do this: without a driver, autograd's engine refuses a backward pass on CUDA, and the
number of rows that a fake mask selects is unknown. These tensors are real ones of the CPU, so that everything runs.
"""

from contextlib import contextmanager, nullcontext

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map_only

from seqgen.hardware import decisions, precision
from seqgen.training import adversarial

GPU, MEMORY = torch.device("cuda:0"), 2**33
# What may have tensors of both devices: it copies from one to the other.
COPIES = {Tensor.copy_, Tensor.to, Tensor.cpu, Tensor.type_as, torch._has_compatible_shallow_copy_type}
UNREADABLE = {Tensor.numpy, Tensor.__array__}
INDEXING = {Tensor.__getitem__, Tensor.__setitem__}
# What waits until a GPU has calculated: numbers that Python needs, and tensors whose size depends on others.
READING = {Tensor.item, Tensor.tolist, Tensor.cpu, Tensor.nonzero, torch.nonzero, torch.masked_select, torch.unique}
READING |= {Tensor.__bool__, Tensor.__int__, Tensor.__float__, Tensor.__index__, Tensor.masked_select}

waits: list[str] = []  # the names of what has waited for the pretended GPU


class OnGPU(torch.Tensor):
    """A tensor that says that it is on the GPU, and is refused beside one that is not."""

    @property
    def device(self):
        return GPU

    @property
    def is_cuda(self):
        return True

    @property
    def grad(self):  # which autograd makes without knowing of the pretence
        gradient = Tensor.grad.__get__(self)
        return None if gradient is None else _moved(gradient)

    @grad.setter
    def grad(self, gradient):
        Tensor.grad.__set__(self, gradient)

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if function in UNREADABLE:
            raise TypeError("can't convert cuda:0 device type tensor to numpy")
        if function not in COPIES:
            refuse_a_mixture(function, args, kwargs)
        if function in READING or (function in INDEXING and is_mask(args[1])):
            waits.append(function.__name__)
        if function is Tensor.__deepcopy__:  # torch's own would ask for an argument that is no tensor
            return _copied(args[0])
        result = super().__torch_function__(function, types, args, kwargs)
        return _plain(result) if function is Tensor.cpu else result


class _Moves(TorchFunctionMode):
    """Makes and moves tensors where `device` says."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        devices = [each for each in (*args, *kwargs.values()) if isinstance(each, torch.device | str)]
        names = {torch.device(each).type for each in devices if _is_device(each)}
        if function is Tensor.pin_memory:
            return args[0]
        # A device alone, and the arguments of a module, whose tensors follow.
        if not names or function in (torch.device, torch._C._nn._parse_to):
            return function(*args, **kwargs)
        if function in COPIES and isinstance(args[0], OnGPU) != ("cuda" in names) and not kwargs.get("non_blocking"):
            waits.append(f"{function.__name__} {names}")
        args = [torch.device("cpu") if _is_device(each) else each for each in args]
        kwargs = {name: torch.device("cpu") if _is_device(each) else each for name, each in kwargs.items()}
        return tree_map_only(Tensor, _moved if "cuda" in names else _plain, function(*args, **kwargs))


def refuse_a_mixture(function, args, kwargs):
    """Raise what torch raises for tensors of two devices; numbers of the CPU without axes go with anything."""
    tensors = [leaf for leaf in tree_leaves([args, kwargs]) if isinstance(leaf, Tensor)]
    if function in INDEXING and isinstance(args[0], OnGPU):
        tensors = [args[0], *args[2:]]  # its places may be on the CPU
    here = [each for each in tensors if isinstance(each, Tensor) and not isinstance(each, OnGPU) and each.dim()]
    if here and any(isinstance(each, OnGPU) for each in tensors):
        raise RuntimeError(f"{function.__name__}: expected all tensors on the same device, but found cuda:0 and cpu")


def is_mask(places):
    places = places if isinstance(places, tuple) else (places,)
    return any(isinstance(each, Tensor) and each.dtype == torch.bool for each in places)


@contextmanager
def pretended_gpu(monkeypatch):
    """Tensors can be made on, and moved to, the device `GPU` within the context; nothing asks its driver."""
    monkeypatch.setattr(precision, "has_bf16", lambda device: False)
    for module in (decisions, adversarial):
        monkeypatch.setattr(module, "unchanged_random_state", lambda device: nullcontext())
    monkeypatch.setattr(decisions, "wait_for", lambda device: None)
    monkeypatch.setattr(decisions, "describe_device", lambda device: {"device": str(device)})
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (MEMORY, MEMORY))
    monkeypatch.setattr(torch.backends.cudnn, "enabled", False)
    monkeypatch.setattr(nn.Module, "to", _swapping(nn.Module.to))
    waits.clear()
    with _Moves():
        yield GPU


def _swapping(move):
    """Return a `Module.to` after which the parameters are the same objects, but of the class of the device."""

    def to(module, *arguments, **options):
        torch.__future__.set_swap_module_params_on_conversion(True)
        try:
            return move(module, *arguments, **options)
        finally:
            torch.__future__.set_swap_module_params_on_conversion(False)

    return to


def _is_device(value):
    return isinstance(value, torch.device) or (isinstance(value, str) and value.split(":")[0] in ("cpu", "cuda"))


def _moved(tensor):
    return tensor if isinstance(tensor, OnGPU) else tensor.as_subclass(OnGPU)


def _plain(tensor):
    return tensor.as_subclass(Tensor) if isinstance(tensor, OnGPU) else tensor


def _copied(tensor):
    clone = tensor.detach().clone()
    return nn.Parameter(clone, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else clone
