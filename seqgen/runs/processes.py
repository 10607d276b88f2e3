"""The processes that train together, each on its device: one, or as many as `torchrun` started."""

import os
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import torch
from accelerate import Accelerator, PartialState
from accelerate.utils import broadcast_object_list, gather_object
from torch import nn

from seqgen.devices import find_device, find_precision

V = TypeVar("V")


class Processes:
    """Device, precision and rank of this process among those that train together.

    Args:
        device: its name, as `find_device` takes it.
        precision: "fp32", "bf16", or "auto", which measures the faster one.

    Raises:
        InputError: the device is not available, or cannot calculate in this precision.
    """

    def __init__(self, device: str, precision: str):
        found = find_device(device)
        if device != "auto" and "LOCAL_RANK" not in os.environ:  # there each process has a GPU of its own
            os.environ["ACCELERATE_TORCH_DEVICE"] = device
        PartialState(cpu=found.type == "cpu")
        self.precision = agreed(find_precision(precision, found))
        mixed = "bf16" if self.precision == "bf16" else "no"
        self.accelerator = Accelerator(mixed_precision=mixed, cpu=found.type == "cpu")
        self.device = self.accelerator.device
        self.rank, self.world_size = self.accelerator.process_index, self.accelerator.num_processes
        self.main = self.accelerator.is_main_process

    def prepare(self, model: nn.Module) -> nn.Module:
        """Return the model to train: the same one, or wrapped so that gradients are summed over all processes."""
        return self.accelerator.prepare(model) if self.world_size > 1 else model

    def autocast(self) -> AbstractContextManager[None]:
        """Return a context in which matrix products are calculated in the precision of the run."""
        context: AbstractContextManager[None] = self.accelerator.autocast()
        return context

    def any(self, flag: bool) -> bool:
        """Return whether the flag is set in any process."""
        if self.world_size == 1:
            return flag
        return bool(self.accelerator.reduce(torch.tensor(float(flag), device=self.device)).item())

    def gather(self, value: V) -> list[V]:
        """Return the values of all processes, by their rank."""
        values: list[V] = gather_object([value]) if self.world_size > 1 else [value]
        return values

    def random_state(self) -> dict[str, Any]:
        """Return the states of this process's random generators."""
        on_gpu = {"cuda": torch.cuda.get_rng_state(self.device)} if self.device.type == "cuda" else {}
        return {"cpu": torch.get_rng_state(), **on_gpu}

    def load_random_state(self, state: dict[str, Any]) -> None:
        """Restore the states of this process's random generators."""
        torch.set_rng_state(state["cpu"])
        if self.device.type == "cuda":
            torch.cuda.set_rng_state(state["cuda"], self.device)


def agreed(value: V) -> V:
    """Return the value of the first process in all processes, where each measured its own."""
    values = [value]
    broadcast_object_list(values)
    return values[0]
