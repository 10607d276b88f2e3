"""Devices, and the precision of calculations on them."""

import os
import time

import torch
from torch import nn

from seqgen.errors import InputError


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
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"--device must be auto or an available device, but {name!r} is not: {reason}") from None
    return device


def use_huge_pages() -> None:
    """Let torch use Linux's huge pages: with small ones, page faults take a third of the time of an update.

    Torch reads this setting when it makes its first tensor, so call this function before that.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")


def calculates_in_bf16(device: torch.device) -> bool:
    """Return whether a device has native bf16 arithmetic, so that it is fast."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and any("bf16" in name and has for name, has in torch.cpu.get_capabilities().items())


def find_precision(name: str, device: torch.device) -> str:
    """Return "fp32" or "bf16"; "auto" measures which of them is faster on the device.

    Raises:
        InputError: bf16 is asked for, but the device has no LSTM in bf16.
    """
    if name == "bf16" and not has_bf16(device):
        raise InputError(f"--precision must be fp32 or auto on {device}, which has no LSTM in bf16 here")
    return faster_precision(device) if name == "auto" else name


def has_bf16(device: torch.device) -> bool:
    """Return whether a device has an LSTM in bf16: some processors have matrix products only."""
    try:
        with torch.autocast(device.type, torch.bfloat16), torch.no_grad():
            nn.LSTM(1, 1).to(device)(torch.zeros(1, 1, 1, device=device))
    except RuntimeError:
        return False
    return True


def faster_precision(device: torch.device, size: int = 768, rounds: int = 8) -> str:
    """Return "bf16" where matrix products are measured to be clearly faster in it than in fp32, else "fp32".

    The two take turns and the minimum of each counts, so that other load on the machine has no influence. After a small
    product the large ones are skipped where bf16 is emulated, which takes up to 40 times as long as fp32.
    """
    precisions = torch.float32, torch.bfloat16
    fp32, bf16 = (_fastest_product(device, dtype, size // 6, repeats=3) for dtype in precisions)
    if bf16 > 4 * fp32 and device.type == "cpu":
        return "fp32"
    turns = [[_fastest_product(device, dtype, size, repeats=3) for dtype in precisions] for _ in range(rounds)]
    fp32, bf16 = (min(seconds) for seconds in zip(*turns, strict=True))
    return "bf16" if bf16 * 1.5 < fp32 else "fp32"


def _fastest_product(device: torch.device, dtype: torch.dtype, size: int, repeats: int) -> float:
    try:
        matrix = torch.randn(size, size, generator=torch.Generator().manual_seed(0)).to(device, dtype)
        seconds = []
        for _ in range(repeats):
            began = time.perf_counter()
            (matrix @ matrix)[0, 0].item()
            seconds.append(time.perf_counter() - began)
    except RuntimeError:  # a device without this type at all
        return float("inf")
    return min(seconds)
