"""The training loop as a generator: it makes the updates, and its caller logs, validates, saves and stops."""

import math
import time
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, distributed, nn
from torch.optim import Optimizer

from seqgen.arguments import checked
from seqgen.errors import NonFiniteLoss
from seqgen.settings import gradients, within
from seqgen.state import AnyState
from seqgen.training.losses import LossFunction, next_token
from seqgen.training.optimizers import scale_and_clip, set_learning_rates
from seqgen.training.schedules import Schedule
from seqgen.training.transfer import transfer


@checked
class Progress(NamedTuple):
    """The progress of training; a resumed run starts from the one that was saved."""

    steps: int = 0  # updates
    seconds: float = 0.0  # of wall-clock, with the time of the caller between updates
    training_seconds: float = 0.0  # of forward and backward passes and updates alone
    tokens: int = 0  # or examples: what the loss counts

    @property
    def rate(self) -> float:
        """Tokens (or examples) per second of training alone."""
        return self.tokens / max(self.training_seconds, 1e-9)


class Step(NamedTuple):
    """One update: `loss` is its mean in nats per token (or example), `carry` the hidden state for the next batch."""

    progress: Progress
    loss: float
    tokens: int
    learning_rate: float
    carry: AnyState | None
    last: bool

    @property
    def number(self) -> int:
        """The number of this update, from 1."""
        return self.progress.steps


@checked
@within(gradients)
def train_steps(
    model: nn.Module,
    batches: Iterable[Any],
    optimizers: Optimizer | list[Optimizer],
    schedule: Schedule,
    *,
    loss_function: LossFunction = next_token,
    clip: float = 1.0,
    accumulate: int = 1,
    progress: Progress = Progress(),  # noqa: B008  (a tuple cannot be changed)
    carry: AnyState | None = None,
) -> Iterator[Step]:
    """Yield after each update until the schedule ends, or the caller stops iterating.

    Args:
        model: trained in place, on its own device; each update puts it into training mode. Where `torch.distributed`
            runs several processes, their gradients are summed here, so leave the model unwrapped.
        batches: `Batch` or any object with `to`, which moves it to the model's device; enough for the schedule.
            For a GPU each is made during the update before it, so that resumed training is the same only if they do not
            draw from torch's random numbers.
        optimizers: one, or several, each with its own part of the weights.
        schedule: the end of training, and the learning rate until then.
        loss_function: of the model, a batch, and the state after the batch before it.
        clip: maximum gradient norm; the gradient is a mean over tokens.
        accumulate: batches accumulated per update.
        progress: of a resumed run; its batches must start there, too.
        carry: hidden state of a resumed run.

    Raises:
        NonFiniteLoss: before an update whose loss or gradient is not finite.
        ValueError: the batches ended before the schedule.
    """
    optimizers = [optimizers] if isinstance(optimizers, Optimizer) else optimizers
    parameters: list[Tensor] = [parameter for parameter in model.parameters() if parameter.requires_grad]
    device = parameters[0].device
    iterator, ready = iter(batches), list[Any]()
    began = time.perf_counter() - progress.seconds
    while schedule.progress(progress.steps, progress.seconds) < 1:
        started = time.perf_counter()
        model.train()
        done = schedule.progress(progress.steps, progress.seconds)
        learning_rate = set_learning_rates(optimizers, schedule.factor(done), done)
        total, count = torch.zeros(2, dtype=torch.float32, device=device)
        for _ in range(accumulate):  # one batch in memory at a time
            if (batch := ready.pop() if ready else next(iterator, None)) is None:
                raise ValueError(f"the batches ended after step {progress.steps}, before the schedule did")
            loss = loss_function(model, batch.to(device), carry)
            torch.autograd.backward(loss.total)
            carry = None if loss.carry is None else loss.carry.detach()
            total, count = total + loss.total.detach(), count + loss.count
        total, count, seconds = _over_processes(parameters, total, count, time.perf_counter() - began)
        norm = scale_and_clip(parameters, count, clip)
        numbers = torch.stack([total / count, norm, count])
        if device.type == "cuda":  # while the GPU calculates, the next batch is made, and sent to it
            ready = [None if (batch := next(iterator, None)) is None else batch.to(device)]
        # All numbers in one transfer, because each transfer waits for the GPU.
        mean, norm, tokens = numbers.tolist()
        if not math.isfinite(mean + norm):
            raise NonFiniteLoss(
                f"the loss is {mean} and the gradient norm {norm} at step {progress.steps + 1} with learning rate "
                f"{learning_rate:.3g}: try a smaller learning rate, a longer warm-up, or fp32 instead of bf16"
            )
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        torch.clear_autocast_cache()  # of weights before this update, which a surrounding autocast would go on with
        progress = Progress(
            progress.steps + 1,
            seconds,
            progress.training_seconds + time.perf_counter() - started,
            progress.tokens + int(tokens),
        )
        last = schedule.progress(progress.steps, progress.seconds) >= 1
        yield Step(progress, mean, int(tokens), learning_rate, carry, last)


def _over_processes(
    parameters: list[Tensor], total: Tensor, count: Tensor, seconds: float
) -> tuple[Tensor, Tensor, float]:
    """Sum gradients, loss and count over processes; the largest time counts, so that all end after the same update."""
    if not distributed.is_initialized() or distributed.get_world_size() == 1:
        return total, count, seconds
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    # Not by torch's wrapper of models, which hides their layers from the losses, and sends while a CPU calculates.
    transfer(distributed.all_reduce, [*gradients, total, count])
    clock = torch.tensor(seconds, dtype=torch.float64, device=total.device)
    distributed.all_reduce(clock, op=distributed.ReduceOp.MAX)
    return total, count, clock.item()
