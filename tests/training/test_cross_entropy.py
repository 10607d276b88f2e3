"""The losses that do without all logits are those with them, or are so on average."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from seqgen import patterns
from seqgen.batches.examples import IGNORED
from seqgen.batches.pairs import pairs
from seqgen.batches.windows import Batch
from seqgen.models import EncoderDecoder
from seqgen.nn.decoder import RecurrentDecoder
from seqgen.nn.recurrent import Recurrent
from seqgen.symbols import PAD
from seqgen.training import cross_entropy
from seqgen.training.cross_entropy import linear_cross_entropy, sampled_cross_entropy, sampling_shares
from seqgen.training.losses import next_token, target_tokens

POSITIONS, FEATURES, CLASSES = 700, 6, 40


@pytest.fixture
def layer():
    return nn.Linear(FEATURES, CLASSES)


@pytest.fixture
def features():
    return torch.randn(POSITIONS, FEATURES, requires_grad=True)


targets = torch.arange(POSITIONS) % CLASSES


def gradients(loss, *tensors):
    return [loss, *torch.autograd.grad(loss, tensors)]


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
@pytest.mark.parametrize("logits", [1, 2**22], ids=["many chunks", "one chunk"])
def test_chunks_give_the_loss_and_the_gradients_of_all_logits(layer, features, label_smoothing, logits, monkeypatch):
    monkeypatch.setattr(cross_entropy, "LOGITS", logits)
    loss = linear_cross_entropy(features, layer, targets, label_smoothing)
    expected = functional.cross_entropy(layer(features), targets, reduction="sum", label_smoothing=label_smoothing)
    weights = (features, layer.weight, layer.bias)
    tolerance = {"rtol": 1e-4, "atol": 1e-4}
    torch.testing.assert_close(gradients(3 * loss, *weights), gradients(3 * expected, *weights), **tolerance)


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_positions_without_a_target_change_nothing(layer, features, label_smoothing):
    missing = torch.arange(POSITIONS) % 3 == 0
    loss = linear_cross_entropy(features, layer, targets.masked_fill(missing, IGNORED), label_smoothing)
    expected = linear_cross_entropy(features[~missing], layer, targets[~missing], label_smoothing)
    weights = (features, layer.weight, layer.bias)
    torch.testing.assert_close(gradients(loss, *weights), gradients(expected, *weights), rtol=1e-5, atol=1e-4)


def test_bf16_is_near_fp32(layer, features):
    with torch.autocast("cpu", torch.bfloat16):
        loss = linear_cross_entropy(features, layer, targets)
    found = gradients(loss, features, layer.weight, layer.bias)
    expected = gradients(linear_cross_entropy(features, layer, targets), features, layer.weight, layer.bias)
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == torch.float32
        assert (one - other).norm() < 0.01 * other.norm()


def test_without_gradients_the_loss_is_the_same(layer, features):
    with torch.no_grad():
        loss = linear_cross_entropy(features, layer, targets)
    assert not loss.requires_grad
    torch.testing.assert_close(loss, linear_cross_entropy(features, layer, targets))


def test_where_all_classes_take_part_nothing_is_estimated(layer, features):
    loss = sampled_cross_entropy(features, layer, targets, torch.ones(CLASSES))
    expected = linear_cross_entropy(features, layer, targets)
    weights = (features, layer.weight, layer.bias)
    torch.testing.assert_close(gradients(loss, *weights), gradients(expected, *weights), rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_the_estimated_normalizer_is_right_on_average(layer, features):
    shares = torch.linspace(0.2, 1, CLASSES)
    one, right = features[:1], targets[:1]
    estimates = torch.stack([sampled_cross_entropy(one, layer, right, shares) for _ in range(4000)])
    odds = (estimates + layer(one)[0, right[0]]).exp()
    expected = layer(one).exp().sum()
    assert odds.std() > 0.01 * expected
    assert abs(odds.mean() - expected) < 5 * odds.std() / len(odds) ** 0.5


def test_as_many_classes_take_part_as_asked_for_and_frequent_ones_always():
    counts = torch.tensor([0, 0, 1, 10, 100, 10_000, 1_000_000])
    for expected in (1, 3, 6.5):
        shares = sampling_shares(counts, expected)
        assert shares.sum() == pytest.approx(expected, rel=1e-3)
        assert (shares.diff() >= 0).all()
        assert shares.min() > 0
    assert shares[-1] == 1
    assert (sampling_shares(counts, 100) == 1).all()


@pytest.mark.parametrize("tie_embeddings", [False, True])
def test_the_loss_of_a_decoder_is_that_of_its_logits(tie_embeddings):
    model = patterns.generator(30, hidden_size=12, embedding_size=8, tie_embeddings=tie_embeddings).eval()
    inputs, following = torch.randint(4, 30, (2, 3, 9))
    following[1, 5:] = PAD
    batch = Batch(inputs, following, True)
    loss = next_token(model, batch)
    logits, _ = model(inputs)
    expected = functional.cross_entropy(logits.flatten(0, 1), following.flatten(), ignore_index=PAD, reduction="sum")
    torch.testing.assert_close(loss.total, expected)
    assert loss.count == (following != PAD).sum()


def test_a_subclass_that_makes_its_logits_in_another_way_is_trained_on_them():
    class Sharper(RecurrentDecoder):
        def forward(self, tokens, state=None, memory=None):
            logits, state = super().forward(tokens, state, memory)
            return 2 * logits, state

    parts = nn.Embedding(30, 8), Recurrent("lstm", 8, 12), nn.Linear(12, 30)
    inputs = torch.randint(4, 30, (2, 5))
    model = Sharper(*parts)
    expected = functional.cross_entropy(model(inputs)[0].flatten(0, 1), inputs.flatten(), reduction="sum")
    torch.testing.assert_close(next_token(model, Batch(inputs, inputs, True)).total, expected)
    plain = next_token(RecurrentDecoder(*parts), Batch(inputs, inputs, True)).total
    assert not torch.isclose(plain, expected)


def test_so_is_an_encoder_with_a_decoder_where_either_has_its_own_forward():
    class SharperDecoder(RecurrentDecoder):
        def forward(self, tokens, state=None, memory=None):
            logits, state = super().forward(tokens, state, memory)
            return 2 * logits, state

    class Sharper(EncoderDecoder):
        def forward(self, inputs, tokens):
            return 2 * super().forward(inputs, tokens)

    rows = [np.array([5, 6, 7]), np.array([8])]
    batch = pairs((torch.randint(4, 30, (2, 6)),), rows)
    plain = patterns.translator(30, hidden_size=12, embedding_size=8).eval()
    logits = 2 * plain(batch.inputs, batch.tokens)
    expected = functional.cross_entropy(
        logits.flatten(0, 1), batch.targets.flatten(), reduction="sum", ignore_index=PAD
    )
    assert not torch.isclose(target_tokens(plain, batch).total, expected)
    outside = Sharper(plain.encoder, plain.decoder).eval()
    torch.testing.assert_close(target_tokens(outside, batch).total, expected)
    plain.decoder.__class__ = SharperDecoder
    torch.testing.assert_close(target_tokens(plain, batch).total, expected)
