import pytest
import torch

from seqgen import patterns
from seqgen.training.averaging import Average


def weights(model):
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def follow(horizon, updates):
    """The average of a model whose weights all are 1, 2, 3 ... after each update."""
    model = patterns.generator(12, hidden_size=8, embedding_size=4)
    average = Average(model, horizon)
    for update in range(1, updates + 1):
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.fill_(update)
        average.update_parameters(model)
    return average, model


@pytest.mark.parametrize("horizon", [0.0, 0.5, 1.0])
def test_without_a_horizon_it_is_the_model(horizon):
    average, model = follow(lambda updates: horizon, 7)
    assert torch.equal(weights(average.module), weights(model))


def test_the_weights_before_training_are_forgotten():
    average, _ = follow(lambda updates: 1000.0, 1)
    mean = weights(average.module)
    assert (mean - 1).abs().max() < 0.2


@pytest.mark.parametrize("horizon", [2, 10, 100])
def test_the_mean_age_of_the_weights_is_the_horizon(horizon):
    updates = 20 * horizon
    mean = weights(follow(lambda _: horizon, updates)[0].module).mean().item()
    assert updates - mean == pytest.approx(horizon - 1, rel=0.15)


def test_a_growing_horizon_is_followed():
    ages = []
    for share in (0.02, 0.2):
        mean = weights(follow(lambda updates, share=share: share * updates, 400)[0].module).mean().item()
        ages.append((400 - mean) / 400)
    assert ages[0] < ages[1] < 0.25
