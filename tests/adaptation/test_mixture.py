"""Mixtures: weights that sum to one and are the best, and probabilities that are the mean of the components'."""

import numpy as np
import pytest

from seqgen.adaptation.mixture import mixed, mixture_weights
from seqgen.errors import InputError


def components(number, length=300, seed=0):
    """Log-probabilities that differ from token to token, in 64 bits."""
    random = np.random.default_rng(seed)
    return np.log(random.beta(0.5, 1, size=(number, length)).clip(min=1e-12))


def test_a_mixture_of_one_component_is_itself():
    alone = components(1)
    assert mixture_weights(alone).tolist() == [1]
    assert mixed(alone, np.array([1.0])) == pytest.approx(alone[0], abs=1e-12)


def test_probabilities_are_the_weighted_mean():
    logs, weights = components(3), np.array([0.5, 0.3, 0.2])
    assert np.exp(mixed(logs, weights)) == pytest.approx(weights @ np.exp(logs))
    far = logs - 2000  # whose probabilities no number of 64 bits holds
    assert mixed(far, weights) == pytest.approx(mixed(logs, weights) - 2000)


@pytest.mark.parametrize("number", [2, 3, 5])
def test_weights_sum_to_one_and_none_is_better(number):
    logs = components(number, seed=number)
    weights = mixture_weights(logs)
    assert weights.sum() == pytest.approx(1)
    best = mixed(logs, weights).mean()
    assert best >= logs.mean(axis=1).max()
    for source in range(number):
        for target in range(number):
            moved = weights.copy()
            moved[source] -= min(0.02, weights[source])
            moved[target] += weights[source] - moved[source]
            assert mixed(logs, moved).mean() <= best + 2e-6


def test_what_helps_nowhere_has_no_weight():
    good = components(2)
    worse = good.min(axis=0) - 1
    weights = mixture_weights(np.stack([*good, worse]))
    assert weights[2] < 1e-3
    assert weights[:2].sum() == pytest.approx(1, abs=1e-3)


def test_equal_components_share_their_weight_and_a_token_may_be_impossible_in_one():
    logs = components(1)
    assert mixture_weights(np.repeat(logs, 4, axis=0)) == pytest.approx(np.full(4, 0.25))
    logs = np.repeat(logs, 2, axis=0)
    logs[1, :150] = -np.inf
    assert mixture_weights(logs)[0] > 0.99


@pytest.mark.parametrize(
    ("logs", "weights", "named"),
    [
        (components(2)[0], [1.0], "components"),
        (components(2)[:, :0], [0.5, 0.5], "components"),
        (np.full((2, 3), -np.inf), [0.5, 0.5], "components"),
        (components(2), [1.0], "weights"),
        (components(2), [0.9, 0.9], "weights"),
        (components(2), [1.5, -0.5], "weights"),
    ],
)
def test_what_is_no_mixture_is_one_sentence(logs, weights, named):
    with pytest.raises(InputError, match=rf"^{named} must"):
        mixed(logs, np.array(weights))
    if named == "components":
        with pytest.raises(InputError, match=r"^components must"):
            mixture_weights(logs)
