"""The temperature of the softmax: how sure a model is, corrected by what it was found to be right about."""

from collections.abc import Sequence

import numpy as np
import torch

from seqgen.adaptation.reading import Predicted

TEMPERATURES = (1.0, 0.8, 0.85, 0.9, 0.95, 1.05, 1.1, 1.15, 1.2, 1.3)  # the first changes nothing


def tempered(predicted: Predicted, temperatures: Sequence[float]) -> np.ndarray:
    """Return the (temperatures, steps) log-probabilities of the targets of a window, the logits divided by each."""
    logits = predicted.logits.float()
    right = logits.gather(1, predicted.targets[:, None])[:, 0]
    found = [right / each - torch.logsumexp(logits / each, dim=1) for each in temperatures]
    return torch.stack(found).double().cpu().numpy()
