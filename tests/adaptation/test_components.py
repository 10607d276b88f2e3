"""Temperature, cache and dynamic evaluation: proper distributions of the past alone, and nothing where they are off."""

import math

import numpy as np
import pytest
import torch
from making import make_generator

from seqgen.adaptation.dynamic_evaluation import Dynamic, Rates, Scales, dynamic
from seqgen.adaptation.learner import Learner
from seqgen.adaptation.mixture import mixed
from seqgen.adaptation.neural_cache import NeuralCache
from seqgen.adaptation.reading import static
from seqgen.adaptation.temperature import tempered
from seqgen.ngram import NGram

WINDOW = 5


@pytest.fixture(params=["untied", "tied", "logits alone"])
def generator(request):
    """A tiny generator, with tied embeddings or one whose features are hidden."""
    made = make_generator("abba", tie_embeddings=request.param == "tied")
    if request.param == "logits alone":
        made.model.output_layer = lambda: None
    return made


def text(generator, length=40, seed=1):
    return np.random.default_rng(seed).integers(4, generator.tokenizer.vocab_size, length)


def learning(generator, rate=0.1, decay=0.02):
    scales = Scales.of(generator.model, text(generator, seed=9), WINDOW)
    return Dynamic(Rates(rate, decay), WINDOW, scales)


def network(reading, temperature=1.0):
    return np.concatenate([tempered(predicted, [temperature])[0] for predicted in reading])


def cached(reading, size=12, sharpness=10.0):
    cache = NeuralCache([sharpness, 1.0], size)
    return np.concatenate([cache.read(predicted)[0] for predicted in reading])


def component(generator, name, tokens):
    model = generator.model
    if name == "temperature":
        return network(static(model, tokens), 0.7)
    if name == "cache":
        return mixed(np.stack([network(static(model, tokens)), cached(static(model, tokens))]), np.array([0.7, 0.3]))
    return network(dynamic(model, tokens, learning(generator)))


@pytest.fixture(params=["temperature", "cache", "dynamic"])
def name(request, generator):
    if request.param == "cache" and generator.model.output_layer() is None:
        pytest.skip("a cache needs features")
    return request.param


def test_the_probabilities_of_all_tokens_sum_to_one_at_each_position(generator, name):
    tokens = text(generator, 3 * WINDOW)
    for place in (0, 1, WINDOW, 3 * WINDOW - 1):
        others = [np.concatenate([tokens[:place], [token]]) for token in range(generator.tokenizer.vocab_size)]
        assert sum(np.exp(component(generator, name, other)[place]) for other in others) == pytest.approx(1, abs=1e-5)


def test_a_probability_does_not_depend_on_what_comes_after_it(generator, name):
    tokens, place = text(generator), 23  # within a window
    changed = np.concatenate([tokens[:place], text(generator, 17, seed=2)])
    before, after = component(generator, name, tokens), component(generator, name, changed)
    assert before[:place] == pytest.approx(after[:place], abs=1e-6)
    assert not np.allclose(before[place:], after[place:])


def test_what_is_off_changes_nothing(generator):
    tokens = text(generator)
    expected = generator._log_probabilities(tokens)
    assert network(static(generator.model, tokens), 1.0) == pytest.approx(expected, abs=1e-5)
    off = learning(generator, rate=0.0, decay=0.5)
    assert network(dynamic(generator.model, tokens, off)) == pytest.approx(expected, abs=1e-5)


def test_an_empty_cache_knows_nothing():
    generator = make_generator("abba")
    uniform = -np.log(generator.tokenizer.vocab_size)
    assert cached(static(generator.model, text(generator)), size=0) == pytest.approx(uniform)


def test_a_cache_is_what_the_formula_says():
    generator = make_generator("abcd")
    tokens, size, sharpness = text(generator), 6, 3.0
    features = torch.cat([predicted.features for predicted in static(generator.model, tokens)])
    features = torch.nn.functional.normalize(features, dim=1).double().numpy()
    found = cached(static(generator.model, tokens), size, sharpness)
    windowed = cached(dynamic(generator.model, tokens, learning(generator, 0.0, 0.0)), size, sharpness)
    for place in range(1, len(tokens)):
        past = range(max(place - size, 0), place)
        shares = np.exp([sharpness * features[place] @ features[one] for one in past])
        right = sum(share for share, one in zip(shares, past, strict=True) if tokens[one] == tokens[place])
        assert np.exp(found[place]) == pytest.approx(right / shares.sum(), abs=1e-5)
    assert np.exp(windowed) == pytest.approx(np.exp(found), abs=1e-5)


def test_gradients_are_those_of_the_loss(generator):
    learner, tokens = Learner(generator.model), text(generator, 2 * WINDOW)
    weights = [weight.detach().clone() for weight in learner.weights]
    predicted = next(learner.read(tokens, WINDOW))
    loss = torch.nn.functional.cross_entropy(predicted.logits, predicted.targets, reduction="sum")
    expected = torch.autograd.grad(loss, learner.weights, retain_graph=True)
    halves = [torch.full((len(weight),), 0.5) for weight in weights]
    learner.step(predicted, halves, math.inf)
    for before, after, gradient in zip(weights, learner.weights, expected, strict=True):
        torch.testing.assert_close(before - after, 0.5 * (gradient.to_dense() if gradient.is_sparse else gradient))
    if generator.model.embedding.weight is not generator.model.output.weight:  # whose gradient comes in two parts
        learner, before = Learner(generator.model), torch.cat([weight.flatten() for weight in weights])
        learner.step(next(learner.read(tokens, WINDOW)), halves, 0.01)
        after = torch.cat([weight.detach().flatten() for weight in learner.weights])
        assert (after - before).norm() == pytest.approx(0.01, rel=1e-3)


def test_rows_with_small_gradients_learn_faster(generator):
    scales = Scales.of(generator.model, text(generator, 100), WINDOW).factors
    shapes = [len(weight) for weight in generator.model.parameters()]
    assert [len(scale) for scale in scales] == shapes
    unseen, seen = scales[0][0], scales[0][4]  # of the embeddings: that of PAD, and of a letter
    assert unseen >= seen > 0


def test_the_weights_stay_as_they_are_also_where_reading_ends_early(generator):
    before = {name: tensor.clone() for name, tensor in generator.model.state_dict().items()}
    training = generator.model.train().training
    reading = dynamic(generator.model, text(generator), learning(generator))
    for _ in range(3):
        next(reading)
    with pytest.raises(KeyboardInterrupt):
        reading.throw(KeyboardInterrupt())
    network(dynamic(generator.model, text(generator), learning(generator)))
    assert all(torch.equal(tensor, before[name]) for name, tensor in generator.model.state_dict().items())
    assert generator.model.training is training


def test_what_repeats_itself_becomes_more_probable(generator):
    tokens = np.tile(text(generator, 8), 12)
    before = network(static(generator.model, tokens))
    after = network(dynamic(generator.model, tokens, learning(generator, decay=0.0)))
    assert after[-20:].mean() > before[-20:].mean() + 0.1
    if generator.model.output_layer() is not None:
        assert cached(static(generator.model, tokens), 40)[-20:].mean() > before[-20:].mean() + 0.1


def test_a_markov_chain_is_read_as_it_scores():
    tokens = np.tile([4, 5, 6, 5], 30)
    model = NGram.fit(tokens, vocab_size=7, order=3)
    assert network(static(model, tokens)) == pytest.approx(model.score(tokens), abs=1e-5)
