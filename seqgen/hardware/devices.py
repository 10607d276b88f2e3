"""Devices by name, and what they are."""

import os
import platform
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor

from seqgen.errors import InputError
from seqgen.hardware.memory import available_memory

# What makes libraries of a processor leave out some of its instructions.
LIMITS = ("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "MKL_ENABLE_INSTRUCTIONS")


def find_device(name: str) -> torch.device:
    """Return the device of a name such as "cpu" or "cuda:1"; "auto" is an accelerator, or the CPU without one.

    Raises:
        InputError: the device is not available.
    """
    if name == "auto":
        return torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        accelerator = torch.accelerator.current_accelerator(check_available=True)
        others = (
            [f"{accelerator.type}:{number}" for number in range(torch.accelerator.device_count())]
            if accelerator
            else []
        )
        raise InputError(
            f"--device must be one of {', '.join(['auto', 'cpu', *others])} on this machine, not {name!r}"
        ) from None
    return device


def use_huge_pages() -> None:
    """Let torch use Linux's huge pages: with small ones, page faults take a third of the time of an update.

    Torch reads this setting when it makes its first tensor, so call this function before that.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")


def describe_device(device: torch.device) -> dict[str, Any]:
    """Return what the speed of calculations depends on, as plain data: the device, its threads and torch's version."""
    described: dict[str, Any] = {"torch": torch.__version__, "device": device.type}
    if device.type == "cuda":
        return described | {"name": torch.cuda.get_device_name(device)}
    capabilities = torch.cpu.get_capabilities()
    return described | {
        "name": capabilities.get("cpu_name") or platform.processor() or platform.machine(),
        "cores": capabilities.get("num_physical_cores") or os.cpu_count(),
        "threads": torch.get_num_threads(),
        "instructions": sorted(name for name, has in capabilities.items() if has is True),
        "used": torch.backends.cpu.get_cpu_capability(),
        "limits": {name: os.environ[name] for name in LIMITS if name in os.environ},
    }


def unchanged_random_state(device: torch.device) -> AbstractContextManager[None]:
    """Return a context after which torch's random numbers go on as before it."""
    context: AbstractContextManager[None] = torch.random.fork_rng([device] if device.type == "cuda" else [])
    return context


def moved(tensor: Tensor, device: torch.device | str) -> Tensor:
    """Return a tensor on a device; a GPU copies it from pinned memory while the program goes on."""
    if torch.device(device).type != "cuda":
        return tensor.to(device)
    return (tensor.pin_memory() if tensor.device.type == "cpu" else tensor).to(device, non_blocking=True)


def memory_of(device: torch.device) -> int:
    """Return the bytes of a device's memory that are available."""
    if device.type != "cuda":
        return available_memory()
    unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)  # but kept by torch
    return unused + int(torch.cuda.mem_get_info(device)[0])


def wait_for(device: torch.device) -> None:
    """Wait until a device has finished what it was given; the CPU always has."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)
