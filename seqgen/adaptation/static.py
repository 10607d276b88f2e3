"""The static components of a mixture: a network and the Markov chain as they were trained, read side by side."""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from seqgen.batches.windows import Batch
from seqgen.ngram import NGram
from seqgen.protocols import Factored
from seqgen.settings import evaluating
from seqgen.state import State
from seqgen.symbols import PAD

CHUNK = 1 << 24  # logits that are computed at once


@torch.no_grad()
def static_components(network: nn.Module, chain: NGram, batches: Iterable[Batch]) -> np.ndarray:
    """Return the (2, length) log-probabilities, in nats, of all targets by a network and by an n-gram model.

    The targets are in the order of the batches, where hidden states are carried from one to the next.

    Args:
        network: gives (batch, steps, vocabulary) logits and a state for (batch, steps) tokens and a state.
        chain: an n-gram model on the CPU.
        batches: windows, which begin with one that starts.
    """
    device, carry, state = next(network.parameters()).device, None, None
    parts = [np.empty((2, 0))]  # also without a batch
    for batch in batches:
        real = batch.targets != PAD
        there = batch.to(device)
        with evaluating(network):
            logs, carry = _target_scores(network, there, real.to(device), None if batch.starts else carry)
        counted, state = chain.target_scores(batch.inputs, batch.targets, None if batch.starts else state)
        parts.append(np.stack([logs.cpu().numpy(), counted[real].numpy()]))
    return np.concatenate(parts, axis=1, dtype=np.float64)


def _target_scores(network: nn.Module, batch: Batch, real: Tensor, carry: State | None) -> tuple[Tensor, State]:
    """Return the (length,) log-probabilities of the targets that are `real`, by the network, and the state."""
    if isinstance(network, Factored) and (layer := network.output_layer()) is not None:
        output: nn.Module = layer
        features, state = network.output_features(batch.inputs, carry)
        vocab_size = layer.out_features
    else:
        output = nn.Identity()
        features, state = network(batch.inputs, carry)
        vocab_size = features.shape[-1]
    features, targets = features[real], batch.targets[real]
    logs, size = features.new_zeros(len(targets), dtype=torch.float32), max(1, CHUNK // vocab_size)
    for begin in range(0, len(targets), size):
        cut = slice(begin, begin + size)
        logs[cut] = -functional.cross_entropy(output(features[cut]).float(), targets[cut], reduction="none")
    return logs, state
