"""Training on a measure of whole texts."""

import pytest
import torch
from making import make_captioner

from seqgen import patterns
from seqgen.batches.pairs import pairs
from seqgen.training.losses import target_tokens
from seqgen.training.self_critical import SAMPLES, cider_loss, cider_reward, self_critical

GOOD, BAD, SIZE = 5, 6, 8


def make():
    torch.manual_seed(0)
    model = patterns.captioner(SIZE, image_size=32, memory_size=16, hidden_size=16, embedding_size=8, dropout=0.0)
    images, rows = torch.randn(2, 3, 32, 32), torch.arange(2)
    batch = pairs((images, rows), [torch.tensor([4]).numpy()] * 2)._replace(numbers=(0, 1))
    return model, batch


def loss_of(model, batch, drawn, rewards):
    return self_critical(model, batch, draw=lambda *_: drawn, reward=lambda *_: torch.tensor(rewards), longest=4)


def log_probability(model, batch, row, token):
    with torch.no_grad():
        return float(model(batch.inputs, batch.tokens[:, :1])[row, 0].log_softmax(0)[token])


def test_what_is_rewarded_becomes_likelier():
    model, batch = make()
    before = [log_probability(model, batch, row, token) for row in (0, 1) for token in (GOOD, BAD)]
    loss_of(model, batch, [[[GOOD], [BAD]]] * 2, [[1.0, 0.0], [0.0, 1.0]]).total.backward()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.sub_(0.01 * parameter.grad)
    after = [log_probability(model, batch, row, token) for row in (0, 1) for token in (GOOD, BAD)]
    assert [one > other for one, other in zip(after, before, strict=True)] == [True, False, False, True]


def test_equal_rewards_teach_nothing():
    model, batch = make()
    loss_of(model, batch, [[[GOOD], [BAD], [GOOD, BAD]]] * 2, [[3.0] * 3] * 2).total.backward()
    assert all(not parameter.grad.any() for parameter in model.parameters() if parameter.grad is not None)


def test_tokens_are_counted_as_far_as_texts_go():
    model, batch = make()
    loss = loss_of(model, batch, [[[GOOD], [BAD, BAD, BAD, BAD, BAD]], [[], [GOOD]]], [[1.0, 0.0]] * 2)
    assert loss.count == 2 + 4 + 1 + 2


def test_cider_rewards_what_people_said():
    captioner = make_captioner()
    captions = [["w1 w2 w3 w4"], ["w5 w6 w7 w8"]]
    numbers = [[captioner.target.encode(text).tolist()] * SAMPLES for text in ("w1 w2 w3 w4", "w1 w2 w3 w4")]
    rewards = cider_reward(captioner.target, captions)((0, 1), numbers)
    assert rewards.shape == (2, SAMPLES)
    assert rewards[0].tolist() == pytest.approx([10.0] * SAMPLES)
    assert not rewards[1].any()


@pytest.mark.parametrize(("texts", "images"), [(1, 1), (SAMPLES, 1), (2 * SAMPLES, 2)])
def test_equal_rewards_leave_the_cross_entropy_of_a_batch(texts, images, monkeypatch):
    equal = torch.ones(images, SAMPLES)
    monkeypatch.setattr("seqgen.training.self_critical.cider_reward", lambda *_: lambda *_: equal)
    captioner = make_captioner()
    pictures, rows = torch.randn(texts, 3, 32, 32), [torch.tensor([4]).numpy()] * texts
    batch = pairs((pictures, torch.arange(texts)), rows)._replace(numbers=tuple(range(texts)))
    seen = []
    captioner.model.encoder.register_forward_hook(lambda _, inputs, found: seen.append(len(inputs[0])))
    loss = cider_loss(captioner.generation, captioner.target, [["w1 w2 w3 w4"]] * texts, target_tokens)
    found = loss(captioner.model, batch, None)
    assert {*seen} == {images, texts}  # of sampled captions, and of those of people
    words = target_tokens(captioner.model, batch)
    assert found.count == words.count
    assert found.total.item() == pytest.approx(words.total.item())
    assert torch.isfinite(found.total)
