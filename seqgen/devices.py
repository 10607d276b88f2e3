"""Where a model is put."""

import os

import torch

from seqgen.errors import InputError


def find_device(name: str) -> torch.device:
    """Return the device of a name such as "cpu" or "cuda:1"; "auto" is the best there is.

    Raises:
        InputError: there is no such device here.
    """
    if name == "auto":
        return torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"--device must be auto or one that is here, but {name!r} is not: {reason}") from None
    return device


def use_huge_pages() -> None:
    """Have torch ask Linux for huge pages: in small ones, a third of a training step's time goes into page faults.

    Torch looks at this once, when it makes its first tensor, so call it before that.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")


def calculates_in_bf16(device: torch.device) -> bool:
    """Return whether a device has arithmetic of its own for bf16, so that this is fast."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and any("bf16" in name and has for name, has in torch.cpu.get_capabilities().items())
