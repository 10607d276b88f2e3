"""Optimizers, and the weights that each of them trains."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.optim import AdamW, Optimizer

from seqgen.arguments import checked
from seqgen.errors import InputError
from seqgen.training.muon import Muon

LEARNING_RATES = {"muon": 0.05, "adamw": 0.004}
ADAMW_FACTOR = 0.2  # AdamW's learning rate beside Muon, as a fraction of Muon's


@checked
class Group(NamedTuple):
    """Weights with a learning rate of their own.

    Args:
        parameters: the weights.
        rate: factor of the learning rate.
        begins: fraction of training during which these weights stay frozen.
        learning_rate: maximum learning rate, in place of the factor.
    """

    parameters: list[nn.Parameter]
    rate: float = 1.0
    begins: float = 0.0
    learning_rate: float | None = None


@checked
def optimizers(
    model: nn.Module,
    name: str,
    learning_rate: float | None = None,
    *,
    adamw_learning_rate: float | None = None,
    groups: Iterable[Group] = (),
) -> list[Optimizer]:
    """Return the optimizers of a model, each with its weights; frozen weights are left out.

    Args:
        model: the model.
        name: "adamw" (Loshchilov and Hutter 2019) for all weights, or "muon" (Jordan et al. 2024) for the recurrent
            and input matrices of recurrent layers with AdamW for the rest.
        learning_rate: maximum learning rate of the named optimizer.
        adamw_learning_rate: maximum learning rate of AdamW beside Muon; by default a fifth of Muon's.
        groups: weights with a learning rate of their own.

    Raises:
        InputError: an unknown optimizer, or a learning rate that is not positive.
    """
    if name not in LEARNING_RATES:
        raise InputError(f"optimizer must be one of {', '.join(LEARNING_RATES)}, not {name!r}")
    rate = LEARNING_RATES[name] if learning_rate is None else learning_rate
    if rate <= 0:
        raise InputError(f"learning_rate must be above 0, not {rate}")
    matrices = {id(parameter) for part in model.modules() for parameter in _matrices(part)} if name == "muon" else set()
    for_muon: list[dict[str, Any]] = []
    for_adamw: list[dict[str, Any]] = []
    if adamw_learning_rate is None:
        adamw_learning_rate = rate * ADAMW_FACTOR
    adamw_rate = adamw_learning_rate if name == "muon" else rate
    for group in _whole(model, list(groups)):
        for kept, highest, inside in ((for_muon, rate, True), (for_adamw, adamw_rate, False)):
            parameters = [one for one in group.parameters if one.requires_grad and (id(one) in matrices) == inside]
            if parameters:
                own = group.learning_rate or highest * group.rate
                kept.append({"params": parameters, "lr": own, "begins": group.begins})
    muon: list[Optimizer] = [Muon(for_muon, lr=rate)] if for_muon else []
    return [*muon, _adamw(for_adamw, adamw_rate, weight_decay=0.01 if muon else 0.1)]


def gradual_unfreezing(layers: Iterable[nn.Module], factor: float, interval: float) -> list[Group]:
    """Return a group for each layer: the deeper, the later it is unfrozen and the lower its learning rate.

    Howard and Ruder 2018, Universal Language Model Fine-tuning for Text Classification.

    Args:
        layers: pretrained layers, the uppermost first.
        factor: of the learning rate, once more for each layer.
        interval: fraction of training after which each further layer is unfrozen.
    """
    return [
        Group(list(layer.parameters()), factor**depth, interval * depth) for depth, layer in enumerate(layers, start=1)
    ]


def _whole(model: nn.Module, groups: list[Group]) -> list[Group]:
    """Return the groups, after one of all other weights."""
    named = {id(parameter) for group in groups for parameter in group.parameters}
    return [Group([parameter for parameter in model.parameters() if id(parameter) not in named]), *groups]


def _matrices(part: nn.Module) -> list[nn.Parameter]:
    if not isinstance(part, nn.RNNBase):
        return []
    return [parameter for parameter in part.parameters() if parameter.ndim == 2]


def _adamw(groups: list[dict[str, Any]], rate: float, weight_decay: float) -> AdamW:
    fused = all(parameter.device.type in ("cpu", "cuda") for group in groups for parameter in group["params"])
    return AdamW(groups, lr=rate, betas=(0.9, 0.99), weight_decay=weight_decay, fused=fused)


def set_learning_rates(optimizers: list[Optimizer], factor: float, progress: float = 1.0) -> float:
    """Set the learning rates to a factor of their maximum; return that of the first group.

    Groups that begin after this progress of training have a learning rate of zero.
    """
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            highest = group.setdefault("initial_lr", group["lr"])
            group["lr"] = highest * factor if progress >= group.get("begins", 0.0) else 0.0
    return float(optimizers[0].param_groups[0]["lr"])


def scale_and_clip(parameters: list[torch.Tensor], divisor: torch.Tensor | float, clip: float) -> torch.Tensor:
    """Divide all gradients, which are sums over tokens, and clip their norm; return the gradient norm before clipping.

    Pascanu et al. 2013, On the difficulty of training recurrent neural networks.
    """
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = nn.utils.get_total_norm(gradients) / divisor
    scale = (clip / (norm + 1e-6)).clamp(max=1.0) / divisor
    torch._foreach_mul_(gradients, scale)
    return norm
