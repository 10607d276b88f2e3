"""The rates of a device: how many calculations it does in a second."""

import time

import torch

from seqgen.hardware.devices import unchanged_random_state, wait_for

SIZES = (128, 256, 512, 1024, 2048, 4096, 8192)  # rows and columns of a matrix


def product_rate(device: torch.device, dtype: torch.dtype, rounds: int = 3, longest: float = 0.2) -> float:
    """Return the FLOP per second of products of square matrices, the largest that take `longest` seconds.

    Args:
        device: that calculates them.
        dtype: of the matrices.
        rounds: number of products of each size, of which the fastest counts: other programs interrupt any of them.
        longest: seconds of a product; the first size is measured however long it takes.
    """
    for size in SIZES:
        with unchanged_random_state(device):
            matrix = torch.randn(size, size, device=device).to(dtype)
        seconds = min(_seconds(matrix) for _ in range(rounds))
        if 8 * seconds > longest:  # the next one takes eight times as long
            break
    return 2 * size**3 / seconds


def _seconds(matrix: torch.Tensor) -> float:
    began = time.perf_counter()
    matrix @ matrix
    wait_for(matrix.device)
    return time.perf_counter() - began
