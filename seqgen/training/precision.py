"""Whether bf16 arithmetic is worth using here."""

import time

import torch


def faster_precision(device: torch.device, size: int = 768, rounds: int = 8) -> str:
    """Return "bf16" where matrix products are clearly faster in it than in fp32, else "fp32": it is measured.

    The two take turns and the fastest of each counts, so that other work on the machine does not decide.
    """
    turns = [
        [_fastest_product(device, dtype, size, repeats=3) for dtype in (torch.float32, torch.bfloat16)]
        for _ in range(rounds)
    ]
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
