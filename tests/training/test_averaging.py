import pytest
import torch

from seqgen import patterns
from seqgen.errors import InputError
from seqgen.training.averaging import averaged


def weights(model):
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def follow(decay, updates):
    """The average of a model whose weights all are 1, 2, 3 ... after each update."""
    model = patterns.generator(12, hidden_size=8, embedding_size=4)
    average = averaged(model, decay)
    for update in range(1, updates + 1):
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.fill_(update)
        average.update_parameters(model)
    return average, model


def test_without_decay_it_is_the_model():
    average, model = follow(0.0, 7)
    assert torch.equal(weights(average.module), weights(model))


def test_the_weights_before_training_are_forgotten():
    average, _ = follow(0.999, 1)
    assert torch.equal(weights(average.module), torch.ones_like(weights(average.module)))


def test_it_stays_between_the_oldest_and_the_newest_weights_and_lags_more_with_more_decay():
    means = [weights(follow(decay, 200)[0].module).mean().item() for decay in (0.5, 0.9, 0.99)]
    assert 200 > means[0] > means[1] > means[2] > 1
    assert means[1] == pytest.approx(200 - 0.9 / (1 - 0.9), abs=0.1)  # the mean age of an exponential average


@pytest.mark.parametrize("decay", [-0.1, 1.0, 2.0])
def test_a_decay_outside_its_range_is_refused(decay):
    with pytest.raises(InputError, match="averaging"):
        averaged(patterns.generator(12, hidden_size=8), decay)
