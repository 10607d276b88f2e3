"""Which optimizer trains which weights."""

import torch
from torch import nn
from torch.optim import AdamW, Muon, Optimizer

from seqgen.errors import InputError

LEARNING_RATES = {"muon": 0.05, "adamw": 0.004}
ADAMW_BESIDE_MUON = 0.2  # its learning rate as a share of Muon's


def optimizers(model: nn.Module, name: str, learning_rate: float | None = None) -> list[Optimizer]:
    """Return the optimizers of a model, each with its weights.

    Args:
        model: the model.
        name: "adamw" (Loshchilov and Hutter 2019) for all weights, or "muon" (Jordan et al. 2024) for the recurrent
            and input matrices of recurrent layers with AdamW for the rest.
        learning_rate: of the named one; AdamW beside Muon takes a fifth of it.

    Raises:
        InputError: there is no such optimizer, or a learning rate that is not positive.
    """
    if name not in LEARNING_RATES:
        raise InputError(f"optimizer must be one of {', '.join(LEARNING_RATES)}, not {name!r}")
    rate = LEARNING_RATES[name] if learning_rate is None else learning_rate
    if rate <= 0:
        raise InputError(f"learning_rate must be above 0, not {rate}")
    if name == "adamw":
        return [_adamw(list(model.parameters()), rate)]
    matrices = [parameter for part in model.modules() for parameter in _matrices(part)]
    others = [parameter for parameter in model.parameters() if not any(parameter is one for one in matrices)]
    # Three iterations learn as well as the usual five, and cost a tenth of a step less.
    muon = Muon(matrices, lr=rate, weight_decay=0.1, ns_steps=3)
    return [muon, _adamw(others, rate * ADAMW_BESIDE_MUON)]


def _matrices(part: nn.Module) -> list[nn.Parameter]:
    if not isinstance(part, nn.RNNBase):
        return []
    return [parameter for parameter in part.parameters() if parameter.ndim == 2]


def _adamw(parameters: list[nn.Parameter], rate: float) -> AdamW:
    fused = all(parameter.device.type in ("cpu", "cuda") for parameter in parameters)
    return AdamW(parameters, lr=rate, betas=(0.9, 0.99), weight_decay=0.01, fused=fused)


def set_learning_rates(optimizers: list[Optimizer], factor: float) -> float:
    """Multiply the learning rates that the optimizers began with; return that of the first group."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group.setdefault("initial_lr", group["lr"]) * factor
    return float(optimizers[0].param_groups[0]["lr"])


def scale_and_clip(parameters: list[torch.Tensor], divisor: torch.Tensor | float, clip: float) -> torch.Tensor:
    """Divide all gradients, which are sums over tokens, and clip their norm; return the norm before clipping.

    Pascanu et al. 2013, On the difficulty of training recurrent neural networks.
    """
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = nn.utils.get_total_norm(gradients) / divisor
    scale = (clip / (norm + 1e-6)).clamp(max=1.0) / divisor
    torch._foreach_mul_(gradients, scale)
    return norm
