"""The cross-entropy of an output layer without the logits of all positions at once."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from seqgen.arguments import checked
from seqgen.batches.examples import IGNORED

LOGITS = 2**22  # of one chunk; more would not fit the processor's cache
LOGITS_ON_GPU = 2**26  # in more chunks a GPU would wait for the program that gives it the work


@checked
def linear_cross_entropy(features: Tensor, output: nn.Linear, targets: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """Return the summed cross-entropy, in nats, of a linear layer's logits.

    It equals `functional.cross_entropy` of all logits, but is computed in chunks of positions together with their
    gradients: this takes less memory, and less memory traffic. `torch.nn.functional.linear_cross_entropy` is similar,
    but has no label smoothing in chunks, and calculates in fp32 on a CPU.

    Args:
        features: (positions, features) input of the layer.
        output: from features to classes.
        targets: (positions,) numbers of the target classes, IGNORED where there is none.
        label_smoothing: probability spread evenly over all classes (Szegedy et al. 2016, Rethinking the Inception
            Architecture for Computer Vision).
    """
    kind = features.device.type
    dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else output.weight.dtype
    bias = output.bias if output.bias is not None else output.weight.new_zeros(len(output.weight))
    with torch.autocast(kind, enabled=False):
        tensors = [tensor.to(dtype) for tensor in (features, output.weight, bias)]
        loss: Tensor = _Chunked.apply(*tensors, targets, label_smoothing, torch.is_grad_enabled())
    return loss


def sampled_cross_entropy(features: Tensor, output: nn.Linear, targets: Tensor, shares: Tensor) -> Tensor:
    """Return an estimate of the summed cross-entropy, in nats, from a sample of the classes.

    Each class is sampled with its own probability, by which its term of the normalizer is divided; the target class is
    always included. So the normalizer is unbiased, as in the importance sampling of Bengio and Senecal 2008, Adaptive
    Importance Sampling to Accelerate Training of a Neural Probabilistic Language Model; its logarithm, and with it the
    loss, is nearly so.

    Args:
        features: (positions, features) input of the layer.
        output: from features to classes.
        targets: (positions,) numbers of the target classes.
        shares: (classes,) sampling probabilities, above 0; see `sampling_shares`.
    """
    chosen = (torch.rand_like(shares) < shares).nonzero().squeeze(1)
    offsets = -shares[chosen].log()
    right = (features * functional.embedding(targets, output.weight)).sum(dim=1, dtype=torch.float32)
    if output.bias is not None:
        right, offsets = right + output.bias[targets], offsets + output.bias[chosen]
    logits = functional.linear(features, output.weight[chosen]).float() + offsets
    logits = logits.masked_fill(chosen == targets.unsqueeze(1), -torch.inf)
    return (torch.logsumexp(torch.cat([right.unsqueeze(1), logits], dim=1), dim=1) - right).sum()


def sampling_shares(counts: Tensor, expected: int) -> Tensor:
    """Return the (classes,) probabilities of sampling each class.

    Frequent classes matter more for a normalizer, so probabilities rise with the square root of the counts, up to 1.

    Args:
        counts: (classes,) frequencies of the classes as targets.
        expected: mean number of sampled classes.
    """
    rising = (counts.double() + 1).sqrt()
    low, high = 0.0, float(len(counts))
    for _ in range(50):  # bisection: the larger the factor, the more classes are sampled
        factor = (low + high) / 2
        low, high = (factor, high) if (rising * factor).clamp(max=1).sum() < expected else (low, factor)
    return (rising * high).clamp(max=1).float()


class _Chunked(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, features: Tensor, weight: Tensor, bias: Tensor, targets: Tensor, smoothing: float, backward: bool
    ) -> Tensor:
        """Sum the losses of all chunks and, where there will be a backward pass, their gradients."""
        total = torch.zeros((), dtype=torch.float32, device=features.device)
        gradients = [torch.zeros_like(tensor, dtype=torch.float32) for tensor in (weight, bias)] if backward else []
        of_features = []
        rows = max((LOGITS if features.device.type == "cpu" else LOGITS_ON_GPU) // len(weight), 256)
        for chunk, right in zip(torch.split(features, rows), torch.split(targets.unsqueeze(1), rows), strict=True):
            real, right = (right != IGNORED).float(), right.clamp(min=0)
            logits = functional.linear(chunk, weight, bias).float()
            logits -= logits.amax(dim=1, keepdim=True)
            total -= (1 - smoothing) * (logits.gather(1, right) * real).sum()
            if smoothing:
                total -= smoothing * (logits.mean(dim=1, keepdim=True) * real).sum()
            odds = logits.exp_()
            normalizer = odds.sum(dim=1, keepdim=True)
            total += (normalizer.log() * real).sum()
            if not backward:
                continue
            error = odds.div_(normalizer / real)  # zero where there is no target
            error.scatter_add_(1, right, (smoothing - 1) * real)
            error = error.sub_(smoothing / len(weight) * real) if smoothing else error
            gradients[1] += error.sum(dim=0)
            error = error.to(chunk.dtype)
            gradients[0] += error.t() @ chunk
            of_features.append(error @ weight)
        if backward:
            ctx.save_for_backward(torch.cat(of_features) if of_features else features, *gradients)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Scale the gradients that the forward pass computed."""
        of_features, of_weight, of_bias = ctx.saved_tensors
        return of_features * gradient.to(of_features.dtype), of_weight * gradient, of_bias * gradient, None, None, None
