"""The processes that train together, each on its device: one, or as many as `torchrun` started."""

import os
from collections.abc import Callable
from typing import Any, TypeVar, cast

import torch
from accelerate import PartialState
from accelerate.utils import broadcast_object_list, gather_object, reduce
from torch import distributed, nn

from seqgen.errors import InputError
from seqgen.hardware.devices import find_device
from seqgen.state import State
from seqgen.training.shared_batch_norm import share_batch_norms

V = TypeVar("V")


class Processes:
    """Device and rank of this process among those that train together.

    Args:
        device: its name, as `find_device` takes it.

    Raises:
        InputError: the device is not available.
    """

    def __init__(self, device: str):
        found = find_device(device)
        if device != "auto" and "LOCAL_RANK" not in os.environ:  # there each process has a GPU of its own
            os.environ["ACCELERATE_TORCH_DEVICE"] = device
        state = PartialState(cpu=found.type == "cpu")
        self.device = state.device
        self.rank, self.world_size, self.main = state.process_index, state.num_processes, state.is_main_process

    def prepare(self, model: nn.Module) -> nn.Module:
        """Return the model to train, in all processes with the weights of the first and the same batch statistics."""
        if self.world_size > 1:
            share_batch_norms(model)
            for tensor in (*model.parameters(), *model.buffers()):
                distributed.broadcast(tensor.detach(), 0)
        return model

    def any(self, flag: bool) -> bool:
        """Return whether the flag is set in any process."""
        if self.world_size == 1:
            return flag
        return bool(reduce(torch.tensor(float(flag), device=self.device)).item())

    def gather(self, value: V) -> list[V]:
        """Return the values of all processes, by their rank."""
        values: list[V] = gather_object([value]) if self.world_size > 1 else [value]
        return values

    def require_same(self, values: dict[str, Any]) -> None:
        """Raise an InputError in all processes where one has other values than the first."""
        first, *others = self.gather(values)
        for rank, other in enumerate(others, start=1):
            for name in first:
                if other.get(name) != first[name]:
                    raise InputError(
                        f"all processes must have the same {name}, but it is {first[name]!r} in the first one and "
                        f"{other.get(name)!r} in process {rank}"
                    )

    def together(self, find: Callable[[], V]) -> list[V]:
        """Return in all processes what each of them finds, by their rank, or raise in all the first error of one.

        Raises:
            InputError: in a process.
            OSError: in a process.
        """
        found = self.gather(_found(find))
        for value in found:
            if isinstance(value, InputError | OSError):
                raise value
        return cast("list[V]", found)

    def from_main(self, find: Callable[[], V]) -> V:
        """Return in all processes what the first one finds, or raise in all of them the error that it raises there.

        Raises:
            InputError: in the first process.
            OSError: in the first process.
        """
        found = agreed(_found(find) if self.main else None)
        if isinstance(found, InputError | OSError):
            raise found
        return cast("V", found)

    def random_state(self) -> dict[str, Any]:
        """Return the states of this process's random generators."""
        on_gpu = {"cuda": torch.cuda.get_rng_state(self.device)} if self.device.type == "cuda" else {}
        return {"cpu": torch.get_rng_state(), **on_gpu}

    def share(self, saved: list[dict[str, Any]]) -> dict[str, Any]:
        """Return this process's values of those that a checkpoint has of each process, however many these were.

        The rows of hidden states are dealt anew, as `Stream` and `Documents` deal theirs; a process that was not there
        has no random state yet.
        """
        if len(saved) == self.world_size:
            return dict(saved[self.rank])
        parts = [State(*one["carry"]) for one in saved if one["carry"]]
        random = saved[self.rank]["random"] if self.rank < len(saved) else None
        if not parts:
            return {"random": random, "carry": []}
        whole = State.joined(parts)
        rows = torch.arange(whole.h.shape[1]).tensor_split(self.world_size)[self.rank]
        return {"random": random, "carry": list(whole.select(rows))}

    def load_random_state(self, state: dict[str, Any]) -> None:
        """Restore the states of this process's random generators."""
        torch.set_rng_state(state["cpu"])
        if self.device.type == "cuda":
            torch.cuda.set_rng_state(state["cuda"], self.device)


def _found(find: Callable[[], V]) -> V | InputError | OSError:
    try:
        return find()
    except (InputError, OSError) as error:
        return error


def agreed(value: V) -> V:
    """Return the value of the first process in all processes, where each measured its own."""
    values = [value]
    broadcast_object_list(values)
    return values[0]
