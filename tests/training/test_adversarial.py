"""The change of the embeddings is the worst of its size, and touches nothing else."""

import copy

import pytest
import torch

from seqgen import patterns
from seqgen.batches.examples import IGNORED, Examples
from seqgen.batches.semi_supervised import SemiSupervised
from seqgen.training.adversarial import adversarial, virtual_adversarial
from seqgen.training.losses import right_answer

SIZE = 0.05


@pytest.fixture
def model():
    return patterns.text_classifier(50, 3, hidden_size=12, embedding_size=8).eval()


@pytest.fixture
def batch():
    return Examples((torch.randint(4, 50, (5, 7)),), torch.tensor([0, 1, 2, 1, 0]))


@pytest.fixture
def unlabelled():
    return Examples((torch.randint(4, 50, (4, 9)),), torch.full((4,), IGNORED))


def loss_after(model, batch, change):
    hook = model.encoder.embedding.register_forward_hook(lambda module, inputs, output: output + change)
    loss = right_answer(model, batch).total
    hook.remove()
    return loss


def test_the_change_raises_the_loss_more_than_others_of_its_size(model, batch):
    plain = right_answer(model, batch).total
    hardened = adversarial(right_answer, SIZE)(model, batch, None).total
    moved = 2 * hardened - plain
    embedded = model.encoder.embedding(*batch.inputs).detach()
    norms = embedded.flatten(1).norm(dim=1).view(-1, 1, 1)
    for _ in range(20):
        change = torch.randn_like(embedded)
        change *= SIZE * norms / change.flatten(1).norm(dim=1).view(-1, 1, 1)
        assert loss_after(model, batch, change) < moved
    assert plain < moved


def test_the_embeddings_are_those_of_the_model_that_is_given(model, batch):
    loss_function = adversarial(right_answer, SIZE)
    expected = loss_function(model, batch, None).total
    torch.testing.assert_close(loss_function(copy.deepcopy(model), batch, None).total, expected)  # as updates are timed


def test_padding_does_not_make_a_change_larger(model):
    tokens, answer = torch.randint(4, 50, (1, 7)), torch.tensor([1])
    loss_function = adversarial(right_answer, SIZE)
    alone = loss_function(model, Examples((tokens,), answer), None).total
    padded = torch.nn.functional.pad(tokens, (0, 30))
    torch.testing.assert_close(loss_function(model, Examples((padded,), answer), None).total, alone)


def test_a_change_of_no_size_changes_nothing(model, batch):
    plain, hardened = (
        loss_function(model, batch, None).total for loss_function in (right_answer, adversarial(right_answer, 0.0))
    )
    expected = torch.autograd.grad(plain, list(model.parameters()))
    torch.testing.assert_close(torch.autograd.grad(hardened, list(model.parameters())), expected)


def test_nothing_is_left_on_the_model(model, batch):
    adversarial(right_answer, SIZE)(model, batch, None)
    assert not model.encoder.embedding._forward_hooks
    assert all(parameter.grad is None for parameter in model.parameters())


def test_validation_is_without_changes(model, batch):
    with torch.no_grad():
        hardened = adversarial(right_answer, SIZE)(model, batch, None).total
        torch.testing.assert_close(hardened, right_answer(model, batch).total)


def test_a_model_learns_against_changes(model, batch):
    loss_function = adversarial(right_answer, SIZE)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    for _ in range(60):
        loss = loss_function(model.train(), batch, None).total
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert right_answer(model.eval(), batch).total < 0.5


def divergence(model, examples, change):
    expected = model(*examples.inputs).log_softmax(dim=1)
    hook = model.encoder.embedding.register_forward_hook(lambda module, inputs, output: output + change)
    found = model(*examples.inputs).log_softmax(dim=1)
    hook.remove()
    return (expected.exp() * (expected - found)).sum(dim=1).mean()


def test_a_virtual_change_moves_the_answers_more_than_others_of_its_size(model, batch, unlabelled):
    both = SemiSupervised(batch, unlabelled)
    added = virtual_adversarial(right_answer, SIZE)(model, both, None).total - right_answer(model, batch).total
    embedded = model.encoder.embedding(*unlabelled.inputs).detach()
    norms = embedded.flatten(1).norm(dim=1).view(-1, 1, 1)
    others = []
    for _ in range(20):
        change = torch.randn_like(embedded)
        change *= SIZE * norms / change.flatten(1).norm(dim=1).view(-1, 1, 1)
        others.append(float(divergence(model, unlabelled, change).detach()))
    assert len(batch.targets) * max(others) < added


def test_a_virtual_change_needs_no_labels(model, unlabelled):
    loss = virtual_adversarial(right_answer, SIZE)(model, unlabelled, None)
    assert (loss.count, loss.total) == (0, 0)
    labelled = Examples((torch.randint(4, 50, (2, 3)),), torch.tensor([0, 1]))
    totals = []
    for targets in (torch.zeros(4).long(), torch.ones(4).long()):
        torch.manual_seed(1)
        both = SemiSupervised(labelled, Examples(unlabelled.inputs, targets))
        totals.append(virtual_adversarial(right_answer, SIZE)(model, both, None).total)
    assert totals[0] == totals[1] > right_answer(model, labelled).total


def test_nothing_but_a_virtual_change_moves_the_answers(model, batch):
    model.train()  # with dropout, of which all passes have the same masks
    torch.manual_seed(1)
    plain = right_answer(model, batch).total
    torch.manual_seed(1)
    torch.testing.assert_close(virtual_adversarial(right_answer, 0.0)(model, batch, None).total, plain)
    assert not model.encoder.embedding._forward_hooks
    assert all(parameter.grad is None for parameter in model.parameters())


def test_answers_on_unlabelled_texts_grow_steadier(model, batch, unlabelled):
    both, moved = SemiSupervised(batch, unlabelled), []
    for loss_function in (virtual_adversarial(right_answer, 0.2), lambda one, two, carry: right_answer(one, two[0])):
        learner = copy.deepcopy(model)
        optimizer = torch.optim.AdamW(learner.parameters(), lr=0.01)
        for _ in range(40):
            optimizer.zero_grad()
            loss_function(learner, both, None).total.backward()
            optimizer.step()
        added = virtual_adversarial(right_answer, 0.2)(learner, both, None).total - right_answer(learner, batch).total
        moved.append(float(added.detach()))
    assert moved[0] < 0.5 * moved[1]
