"""A neural cache: the last tokens, each as probable as its hidden state is similar to the present one."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from seqgen.adaptation.reading import Predicted

SIZE = 2000  # positions
SHARPNESSES = (5.0, 7.0, 10.0, 14.0, 20.0)


class NeuralCache:
    """The last tokens of a text with the features that they were predicted from (Grave et al. 2017).

    The probability of a token is the sum, over all cached positions with this token, of exp(sharpness * similarity),
    divided by that over all positions (Improving Neural Language Models with a Continuous Cache, equation 3); the
    similarity is the cosine of the features, so that one sharpness suits models of all sizes. While nothing is cached,
    all tokens are equally probable.

    Args:
        sharpnesses: factors of the similarity.
        size: number of positions that are cached; the oldest are forgotten.
    """

    def __init__(self, sharpnesses: Sequence[float], size: int = SIZE):
        self.sharpnesses, self.size = sharpnesses, size
        self._cached: tuple[Tensor, Tensor] | None = None

    def read(self, predicted: Predicted) -> np.ndarray:
        """Return the (sharpnesses, steps) log-probabilities of the targets of a window, and cache these.

        Each position has those before it in the cache, also those of its own window.
        """
        assert predicted.features is not None
        features, targets = functional.normalize(predicted.features.float(), dim=1), predicted.targets
        steps, vocabulary = predicted.logits.shape
        keys, values = features, targets
        if self._cached is not None:
            keys, values = torch.cat([self._cached[0], features]), torch.cat([self._cached[1], targets])
        places = torch.arange(len(keys), device=keys.device)
        ages = places[-steps:, None] - places
        similarity = (features @ keys.t()).masked_fill((ages < 1) | (ages > self.size), -math.inf)
        same = (values == targets[:, None]).float()
        # Similarities are 1 at most, so that no exponential is too large.
        shares = (((similarity - 1) * each).exp() for each in self.sharpnesses)
        found = torch.stack([((each * same).sum(dim=1) / each.sum(dim=1)).log() for each in shares]).double()
        begin = max(len(keys) - self.size, 0)
        self._cached = keys[begin:], values[begin:]
        return found.masked_fill(found.isnan(), -math.log(vocabulary)).cpu().numpy()
