"""Updates of the plain loop and, calculated as a recipe's run does, of seqgen's, and the time of optimizers in them."""

import copy
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from measuring import VOCABULARY, wait
from torch import nn
from torch.optim import Optimizer

from seqgen import patterns
from seqgen.batches.windows import Batch
from seqgen.hardware.devices import unchanged_random_state
from seqgen.hardware.precision import Calculation, Precision, fastest_calculation, using_threads
from seqgen.nn.decoder import RecurrentDecoder
from seqgen.symbols import UNK
from seqgen.training.loop import train_steps
from seqgen.training.losses import Loss, LossFunction
from seqgen.training.schedules import Schedule


def generator(device: torch.device, **sizes: Any) -> RecurrentDecoder:
    """Return a network, always with the same weights."""
    torch.manual_seed(0)
    return patterns.generator(VOCABULARY, **sizes).to(device)


def window(rows: int, steps: int, device: torch.device) -> Batch:
    """Return a batch of random text that goes on from the one before."""
    tokens = torch.randint(UNK + 1, VOCABULARY, (rows, steps + 1), generator=torch.Generator().manual_seed(0))
    return Batch(tokens[:, :-1].contiguous(), tokens[:, 1:].contiguous(), starts=False).to(device)


def plain_update(plain: nn.Module, batch: Batch) -> Callable[[], None]:
    """Return an update of the usual loop: fp32, carried state, AdamW, gradient clipping, the loss read each time."""
    optimizer = torch.optim.AdamW(plain.parameters(), lr=1e-3)
    state: Any = None

    def update() -> None:
        nonlocal state
        logits, state = plain(batch.inputs, state)
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), batch.targets.flatten())
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(plain.parameters(), 1.0)
        optimizer.step()
        loss.item()
        state = tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()

    return update


def calculation(
    precision: Precision, name: str, model: nn.Module, batch: Any, loss_function: LossFunction
) -> Calculation:
    """Return how updates are calculated: by all threads, or for "auto" as a run decides by a step without update.

    Args:
        precision: "fp32", "bf16" or "auto".
        name: of the network and its batch, under which the decision is kept.
        model: of which a copy makes the step.
        batch: on the model's device.
        loss_function: of the updates.
    """
    if precision != "auto":
        return Calculation(precision, torch.get_num_threads())
    device = next(model.parameters()).device
    with unchanged_random_state(device):
        copied = copy.deepcopy(model).train()

        def step() -> None:
            torch.autograd.backward(loss_function(copied, batch, None).total)
            copied.zero_grad()

        parameters = sum(parameter.numel() for parameter in model.parameters())
        return fastest_calculation(f"benchmark of {parameters:,} parameters, {name}", step, device)[0]


def updates(
    model: nn.Module,
    batches: Iterator[Any],
    optimizers: list[Optimizer],
    calculated: Calculation,
    loss_function: LossFunction,
) -> Callable[[], None]:
    """Return a function that makes the next update."""
    device = next(model.parameters()).device

    def in_precision(*arguments: Any) -> Loss:
        # Not around the steps: a run's optimizers choose a precision of their own.
        with calculated.autocast(device):
            return loss_function(*arguments)

    schedule = Schedule(max_steps=10**9, decay="none")
    steps = train_steps(model, batches, optimizers, schedule, loss_function=in_precision)

    def update() -> None:
        with using_threads(calculated.threads):
            next(steps)

    return update


def seconds_of(optimizers: list[Optimizer]) -> list[float]:
    """Return a list to which each update will add the seconds that all optimizers take."""
    seconds: list[float] = []
    began = 0.0

    def begin(*_: Any) -> None:
        nonlocal began
        wait()
        began = time.perf_counter()

    def end(*_: Any) -> None:
        wait()
        seconds.append(time.perf_counter() - began)

    optimizers[0].register_step_pre_hook(begin)
    optimizers[-1].register_step_post_hook(end)
    return seconds
