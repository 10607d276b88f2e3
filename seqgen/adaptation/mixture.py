"""Mixtures of models: the mean of their probabilities, token by token, with weights that suit a text."""

import numpy as np

from seqgen.arguments import checked
from seqgen.errors import InputError

GAP = 1e-6  # nats a token that the best weights may be better
MOST_ITERATIONS = 1000


@checked
def mixture_weights(components: np.ndarray) -> np.ndarray:
    """Return the (components,) weights with which a mixture makes a text most probable.

    They are found by expectation maximization (Dempster et al. 1977, Maximum Likelihood from Incomplete Data via the EM
    Algorithm): the likelihood has no other maximum.

    Args:
        components: (components, length) log-probabilities, in nats, of the tokens of a text by each model.

    Raises:
        InputError: there is no component or token, or a token has the probability 0 in all components.
    """
    logs = _log_probabilities(components)
    likelihoods = np.exp(logs - logs.max(axis=0))
    weights: np.ndarray = np.full(len(logs), 1 / len(logs))
    for _ in range(MOST_ITERATIONS):
        # Of each component, the mean of its probability over that of the mixture: what any weights gain is less than
        # the greatest of these minus 1, as the logarithm of the likelihood is concave.
        ratios = likelihoods @ (1 / (weights @ likelihoods)) / likelihoods.shape[1]
        if ratios.max() - 1 < GAP:
            break
        weights *= ratios
    found: np.ndarray = weights / weights.sum()
    return found


@checked
def mixed(components: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the (length,) log-probabilities, in nats, of the tokens of a text by a mixture.

    Args:
        components: (components, length) log-probabilities, in nats, of the tokens of a text by each model.
        weights: (components,) weights, which sum to one.

    Raises:
        InputError: there is no component or token, or the weights are not one each that sum to one.
    """
    logs = _log_probabilities(components)
    if weights.shape != logs.shape[:1] or not (weights >= 0).all() or abs(weights.sum() - 1) > GAP:
        raise InputError(f"weights must be {len(logs)} of at least 0 that sum to one, not {weights.tolist()}")
    peaks = logs.max(axis=0)
    found: np.ndarray = peaks + np.log(weights @ np.exp(logs - peaks))
    return found


def _log_probabilities(components: np.ndarray) -> np.ndarray:
    """Return log-probabilities in 64 bits, or raise an InputError where they are none."""
    logs = np.asarray(components, np.float64)
    if logs.ndim != 2 or not logs.size:
        raise InputError(f"components must be a row of log-probabilities each, not of the shape {logs.shape}")
    if not np.isfinite(logs.max(axis=0)).all():
        place = int(np.flatnonzero(~np.isfinite(logs.max(axis=0)))[0])
        raise InputError(f"components must give each token a probability, not {logs[:, place].tolist()} at {place}")
    return logs
