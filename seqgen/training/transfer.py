"""Tensors sent between processes in one transfer: each transfer waits for all processes."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor


def transfer(operation: Callable[[Tensor], Any], tensors: Sequence[Tensor]) -> None:
    """Apply an operation between processes to tensors in place, to all of them at once.

    Args:
        operation: of a flat tensor in place, such as `torch.distributed.all_reduce`.
        tensors: of one data type and device; in all processes of the same shapes.
    """
    if not tensors:
        return
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    operation(flat)
    parts = torch.split(flat, [tensor.numel() for tensor in tensors])
    torch._foreach_copy_(list(tensors), [part.view_as(tensor) for part, tensor in zip(parts, tensors, strict=True)])
