import weakref
from itertools import islice, pairwise

import pytest
import torch

from seqgen import patterns
from seqgen.batches.stream import Stream
from seqgen.batches.windows import Batch
from seqgen.errors import InputError, NonFiniteLoss
from seqgen.symbols import PAD
from seqgen.training.loop import train_steps
from seqgen.training.losses import Loss, evaluate, next_token
from seqgen.training.optimizers import optimizers, scale_and_clip, set_learning_rates
from seqgen.training.schedules import Schedule

TOKENS = torch.randint(4, 12, (2000,), generator=torch.Generator().manual_seed(0)).numpy()


def make(cell="lstm", optimizer="adamw", **options):
    torch.manual_seed(0)
    model = patterns.generator(12, **{"cell": cell, "hidden_size": 16, "embedding_size": 8, **options})
    return model, optimizers(model, optimizer)


def weights(model):
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


@pytest.mark.parametrize(("optimizer", "updates"), [("adamw", 250), ("muon", 100)])
def test_a_generator_overfits_one_batch(cell, optimizer, updates):
    model, trainers = make(cell, optimizer, hidden_size=32)
    batch = next(Stream(TOKENS, 2, 16).starting_at(0))
    losses = [step.loss for step in train_steps(model, [batch] * updates, trainers, Schedule(updates))]
    assert losses[0] > 1.5
    assert losses[-1] < 0.2


def test_the_state_is_carried_and_cut_off_from_the_graph():
    model, trainers = make()
    seen = []

    def spying(model, batch, carry):
        seen.append((batch.starts, carry))
        return next_token(model, batch, carry)

    stream = Stream(TOKENS, 4, 50)
    batches = stream.starting_at(0)
    steps = list(
        train_steps(model, batches, trainers, Schedule(max_steps=stream.windows_per_epoch + 1), loss_function=spying)
    )
    assert seen[0] == (True, None)
    assert all(not carry.h.requires_grad and carry.h.abs().sum() > 0 for _, carry in seen[1:])
    assert [starts for starts, _ in seen].count(True) == 2
    assert torch.equal(steps[3].carry.h, seen[4][1].h)


def test_where_a_batch_starts_anew_the_carried_state_is_not_read():
    model, _ = make()
    batch = next(Stream(TOKENS, 4, 10).starting_at(0))
    assert batch.starts
    foreign = model.start(batch_size=4)._replace(h=torch.ones(1, 4, 16))
    assert next_token(model, batch, foreign).total == next_token(model, batch, None).total


def test_padding_is_not_part_of_the_loss():
    model, _ = make()
    inputs, targets = torch.randint(4, 12, (2, 6)), torch.randint(4, 12, (2, 6))
    targets[1, 2:] = PAD
    loss = next_token(model, Batch(inputs, targets, True))
    spoilt = inputs.clone()
    spoilt[1, 3:] = 5
    assert loss.count == 8
    torch.testing.assert_close(next_token(model, Batch(spoilt, targets, True)).total, loss.total)


def test_accumulated_unequal_batches_equal_one_batch():
    targets = torch.randint(4, 12, (4, 10))
    targets[0, 3:] = PAD
    inputs = torch.randint(4, 12, (4, 10))
    whole = Batch(inputs, targets, True)
    parts = [Batch(inputs[rows], targets[rows], True) for rows in (slice(0, 1), slice(1, 4))]
    results = []
    for batches, accumulate in (([whole], 1), (parts, 2)):
        model, trainers = make()
        [step] = train_steps(model, batches, trainers, Schedule(max_steps=1, warm_up=0), accumulate=accumulate)
        results.append((step.loss, step.tokens, weights(model)))
    assert results[0][0] == pytest.approx(results[1][0], abs=1e-5)
    assert results[0][1] == results[1][1]
    torch.testing.assert_close(results[0][2], results[1][2], atol=1e-5, rtol=0)


def test_of_accumulated_batches_no_more_than_two_are_in_memory():
    model, trainers = make()
    kept, most = weakref.WeakSet(), []

    def batches():
        for _ in range(6):
            batch = Batch(torch.randint(4, 12, (2, 5)), torch.randint(4, 12, (2, 5)), True)
            kept.add(batch.inputs)
            most.append(len(kept))
            yield batch
            del batch

    list(train_steps(model, batches(), trainers, Schedule(max_steps=1), accumulate=6))
    assert len(most) == 6
    assert max(most) <= 2


def test_training_in_two_parts_equals_training_in_one():
    schedule = Schedule(max_steps=20)
    whole, trainers = make("lstm", "muon", dropout=0.0)
    list(train_steps(whole, Stream(TOKENS, 4, 10).starting_at(0), trainers, schedule))
    parts, trainers = make("lstm", "muon", dropout=0.0)
    step = list(islice(train_steps(parts, Stream(TOKENS, 4, 10).starting_at(0), trainers, schedule), 7))[-1]
    rest = Stream(TOKENS, 4, 10).starting_at(7)
    list(train_steps(parts, rest, trainers, schedule, progress=step.progress, carry=step.carry))
    assert torch.equal(weights(whole), weights(parts))


def test_a_loss_that_is_no_number_stops_before_the_weights_are_spoilt():
    model, trainers = make()
    before = []

    def spoiling(model, batch, carry):
        loss = next_token(model, batch, carry)
        if len(before) < 3:
            before.append(weights(model))
            return loss
        return Loss(loss.total * float("nan"), loss.count, loss.carry)

    steps = train_steps(
        model, Stream(TOKENS, 4, 10).starting_at(0), trainers, Schedule(max_steps=9), loss_function=spoiling
    )
    with pytest.raises(NonFiniteLoss, match=r"step 4 with learning rate .*: try a smaller"):
        list(steps)
    assert weights(model).isfinite().all()


def test_a_gradient_that_is_no_number_stops_before_the_weights_are_spoilt():
    model, trainers = make()

    def spoiling(model, batch, carry):
        loss = next_token(model, batch, carry)
        return Loss(loss.total + (model.output.weight * 0).sum().sqrt(), loss.count, loss.carry)

    with pytest.raises(NonFiniteLoss, match="at step 1 with learning rate"):
        list(
            train_steps(
                model, Stream(TOKENS, 4, 10).starting_at(0), trainers, Schedule(max_steps=9), loss_function=spoiling
            )
        )
    assert weights(model).isfinite().all()


def test_batches_that_end_too_early_are_an_error():
    model, trainers = make()
    batch = next(Stream(TOKENS, 2, 16).starting_at(0))
    with pytest.raises(ValueError, match="ended after step 3"):
        list(train_steps(model, [batch] * 3, trainers, Schedule(max_steps=5)))


def test_the_clock_ends_a_training_too():
    model, trainers = make()
    steps = list(train_steps(model, Stream(TOKENS, 2, 16).starting_at(0), trainers, Schedule(max_seconds=0.2)))
    assert steps[-1].last
    assert steps[-1].progress.seconds >= 0.2
    assert not any(step.last or step.progress.seconds >= 0.2 for step in steps[:-1])


def test_evaluation_weighs_tokens_and_leaves_the_model_as_it_was():
    model, _ = make(dropout=0.5)
    targets = torch.randint(4, 12, (2, 6))
    targets[0, 1:] = PAD
    batch = Batch(torch.randint(4, 12, (2, 6)), targets, True)
    alone = [Batch(batch.inputs[row : row + 1], targets[row : row + 1], True) for row in range(2)]
    assert model.training
    whole = evaluate(model, [batch])
    assert whole == pytest.approx(evaluate(model, alone), abs=1e-6)
    assert whole == evaluate(model, [batch])
    assert model.training


@pytest.mark.parametrize("decay", ["linear", "cosine"])
def test_the_learning_rate_rises_falls_and_ends_at_zero(decay):
    schedule = Schedule(max_steps=100, warm_up=0.1, decay=decay)
    factors = [schedule.factor(schedule.progress(step, 0.0)) for step in range(101)]
    assert 0 < factors[0] < factors[5] < factors[10] == 1
    assert all(before > after for before, after in pairwise(factors[10:]))
    assert factors[100] == pytest.approx(0)


def test_progress_follows_whichever_ends_first():
    schedule = Schedule(max_steps=100, max_seconds=10)
    assert schedule.progress(50, 1.0) == 0.5
    assert schedule.progress(1, 9.0) == 0.9
    assert Schedule(max_steps=5, decay="none").factor(0.99) == 1
    for wrong in ({}, {"max_steps": 0}, {"max_seconds": -1.0}):
        with pytest.raises(InputError, match="positive"):
            Schedule(**wrong)
    with pytest.raises(InputError, match="'square'"):
        Schedule(max_steps=1, decay="square")


def test_muon_trains_the_matrices_of_recurrent_layers_and_adamw_all_else():
    model, (muon, adamw) = make("gru", "muon", layers=2)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    by_muon, by_adamw = ({names[id(p)] for p in each.param_groups[0]["params"]} for each in (muon, adamw))
    assert len(by_muon) == 4
    assert all("layers" in name and "weight" in name for name in by_muon)
    assert by_muon.isdisjoint(by_adamw)
    assert by_muon | by_adamw == set(names.values())


def test_learning_rates_are_shares_of_what_they_began_with():
    _, trainers = make("lstm", "muon")
    began = [group["lr"] for each in trainers for group in each.param_groups]
    for factor in (0.5, 0.1, 1.0):
        assert set_learning_rates(trainers, factor) == began[0] * factor
    assert [group["lr"] for each in trainers for group in each.param_groups] == began
    for wrong in ({"name": "sgd"}, {"name": "muon", "learning_rate": 0.0}):
        with pytest.raises(InputError, match=r"sgd|0\.0"):
            optimizers(make()[0], **wrong)


@pytest.mark.parametrize("clip", [0.1, 1e9])
def test_gradients_are_divided_and_then_clipped(clip):
    parameter = torch.nn.Parameter(torch.zeros(3))
    parameter.grad = torch.tensor([3.0, 0.0, 4.0]) * 10
    assert scale_and_clip([parameter], 10, clip).item() == pytest.approx(5)
    torch.testing.assert_close(parameter.grad, torch.tensor([3.0, 0.0, 4.0]) * min(1, clip / 5), atol=1e-5, rtol=1e-4)
