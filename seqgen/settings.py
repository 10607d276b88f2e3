"""Settings of torch that a program may have changed: a model in use answers as without them, and leaves them as it was.

Modules in a training loop of one's own obey them, as all modules do: autocast, the default dtype, the default device.
"""

import inspect
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, TypeVar, cast

import torch
from torch import nn

F = TypeVar("F", bound=Callable[..., Any])

CPU = torch.device("cpu")
_ours = ContextVar("ours", default=False)  # whether the settings are those of `usual_settings`


@contextmanager
def usual_settings() -> Iterator[None]:
    """Calculate in fp32 and on the CPU where nothing else is said, without autocast, and with what can be trained.

    Within another such context this changes nothing: there it is our own code that chose other settings.
    """
    if _ours.get():
        yield
        return
    with ExitStack() as settings:
        settings.callback(_ours.reset, _ours.set(True))
        if (dtype := torch.get_default_dtype()) is not torch.float32:
            settings.callback(torch.set_default_dtype, dtype)
            torch.set_default_dtype(torch.float32)
        if torch.get_default_device() != CPU:
            settings.enter_context(CPU)
        if torch.is_inference_mode_enabled():
            settings.enter_context(torch.inference_mode(False))
        for kind in ("cpu", "cuda", "mps"):
            if torch.is_autocast_enabled(kind):
                settings.enter_context(torch.autocast(kind, enabled=False))
        yield


@contextmanager
def gradients() -> Iterator[None]:
    """Record what gradients need, also where that is turned off."""
    with torch.inference_mode(False), torch.enable_grad():
        yield


def within(context: Callable[[], AbstractContextManager[None]]) -> Callable[[F], F]:
    """Return a decorator of functions and generator functions that run within a context, but not their caller."""

    def decorate(function: F) -> F:
        @wraps(function)
        def call(*arguments: Any, **options: Any) -> Any:
            with context():
                return function(*arguments, **options)

        @wraps(function)
        def generate(*arguments: Any, **options: Any) -> Iterator[Any]:
            values = function(*arguments, **options)
            try:
                while True:
                    with context():
                        value = next(values)
                    yield value
            except StopIteration:
                return
            finally:
                values.close()

        return cast("F", generate if inspect.isgeneratorfunction(inspect.unwrap(function)) else call)

    return decorate


unaffected = within(usual_settings)


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """Return a context in which a model is in evaluation mode; afterwards each of its modules is as before."""
    training = [module for module in model.modules() if module.training] if isinstance(model, nn.Module) else []
    for module in training:
        module.training = False
    try:
        yield
    finally:
        for module in training:
            module.training = True
