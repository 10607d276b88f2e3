"""The predictions of classifiers and taggers, and the weights of classes in their loss."""

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from seqgen.batches.examples import IGNORED, Examples
from seqgen.metrics.classification import Answered
from seqgen.settings import evaluating


@torch.no_grad()
def answers(model: nn.Module, batches: Iterable[Examples], classes: Sequence[str]) -> Answered:
    """Return a model's predictions and the targets of all batches, in their order, in evaluation mode.

    Args:
        model: gives (batch, classes) or (batch, steps, classes) logits of the inputs.
        batches: of inputs with targets.
        classes: the names of the classes, by their numbers.
    """
    device = next(model.parameters()).device
    logs, targets = [torch.zeros(0, len(classes))], [torch.zeros(0, dtype=torch.int64)]  # also without a batch
    with evaluating(model):
        for batch in batches:
            real = (batch.targets != IGNORED).flatten()
            logits = model(*batch.to(device).inputs).float().flatten(0, -2)
            logs.append(logits.log_softmax(dim=1).cpu()[real])
            targets.append(batch.targets.flatten()[real])
    return Answered(torch.cat(logs).numpy(), torch.cat(targets).numpy(), classes)


def class_weights(kind: str, frequencies: np.ndarray, device: torch.device | str = "cpu") -> Tensor | None:
    """Return the (classes,) weights of classes in the loss; None where all examples have the same weight.

    Args:
        kind: "none", or "balanced", which gives every class the same total weight.
        frequencies: (classes,) numbers of training examples.
        device: of the model.
    """
    if kind == "none":
        return None
    balanced = frequencies.sum() / (len(frequencies) * frequencies.clip(1))
    return torch.tensor(balanced, dtype=torch.float32, device=device)
