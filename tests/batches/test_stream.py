from itertools import islice

import numpy as np
import pytest
import torch

from seqgen import patterns
from seqgen.batches.stream import Stream, held_back_windows, shrink_to_text
from seqgen.errors import InputError
from seqgen.symbols import BOS, PAD
from seqgen.training.losses import evaluate

TOKENS = np.arange(4, 1004)


def equal(one, other):
    return torch.equal(one.inputs, other.inputs) and torch.equal(one.targets, other.targets)


def test_each_lane_goes_on_where_it_ended():
    stream = Stream(TOKENS, lanes=4, window=10)
    batches = list(islice(stream.starting_at(0), stream.windows_per_epoch))
    targets = torch.cat([batch.targets for batch in batches], dim=1)
    inputs = torch.cat([batch.inputs for batch in batches], dim=1)
    assert torch.equal(inputs[:, 1:], targets[:, :-1])
    assert (inputs[:, 0] == BOS).all()
    ahead = (targets[:, 1:] - targets[:, :-1]) % len(TOKENS)
    assert (ahead == 1).all()
    assert [batch.starts for batch in batches] == [True] + [False] * (len(batches) - 1)


def test_an_epoch_reads_every_token_once():
    stream = Stream(TOKENS, lanes=4, window=25)
    read = torch.cat([batch.targets.flatten() for batch in islice(stream.starting_at(0), stream.windows_per_epoch)])
    assert sorted(read.tolist()) == TOKENS.tolist()


def test_the_position_is_a_plain_number():
    stream = Stream(TOKENS, lanes=4, window=10, seed=3)
    batches = list(islice(stream.starting_at(0), 70))
    for index in (1, 24, 25, 26, 51):
        again = next(stream.starting_at(index))
        assert equal(again, batches[index])
        assert again.starts == batches[index].starts


def test_epochs_cut_elsewhere_and_the_seed_says_where():
    stream = Stream(TOKENS, lanes=4, window=10, seed=3)
    first, second = next(stream.starting_at(0)), next(stream.starting_at(stream.windows_per_epoch))
    assert not equal(first, second)
    assert equal(first, next(Stream(TOKENS, 4, 10, seed=3).starting_at(0)))
    assert not equal(first, next(Stream(TOKENS, 4, 10, seed=4).starting_at(0)))


def test_the_lanes_of_all_ranks_are_those_of_one_process():
    alone = islice(Stream(TOKENS, 6, 10).starting_at(0), 20)
    ranks = [Stream(TOKENS, 6, 10, rank=rank, world_size=3).starting_at(0) for rank in range(3)]
    for whole in alone:
        parts = [next(rank) for rank in ranks]
        assert torch.equal(whole.targets, torch.cat([part.targets for part in parts]))


def test_a_memory_map_gives_the_same_batches(tmp_path):
    TOKENS.astype(np.uint16).tofile(tmp_path / "tokens")
    mapped = np.memmap(tmp_path / "tokens", dtype=np.uint16, mode="r")
    pairs = zip(islice(Stream(TOKENS, 4, 10).starting_at(0), 60), Stream(mapped, 4, 10).starting_at(0), strict=False)
    assert all(equal(one, other) for one, other in pairs)


def test_a_text_shorter_than_a_batch_says_what_it_needs():
    with pytest.raises(InputError, match="at least 2,000 tokens, but this one has 1,000"):
        Stream(TOKENS, lanes=20, window=100)


@pytest.mark.parametrize(("length", "fitting"), [(5000, (32, 64)), (2048, (32, 64)), (1000, (15, 64)), (40, (1, 40))])
def test_a_batch_shrinks_to_the_text(length, fitting):
    lanes, window = shrink_to_text(length, 32, 64)
    assert (lanes, window) == fitting
    Stream(np.arange(length), lanes, window)


@pytest.mark.parametrize("length", [3, 50, 1000, 1800, 5000])
def test_a_batch_that_shrinks_is_divided_among_processes(length):
    lanes, window = shrink_to_text(length, 32, 64, world_size=2)
    assert lanes * window > length - 2 * window or (lanes, window) == (32, 64)
    shares = [Stream(np.arange(length), lanes, window, rank=rank, world_size=2) for rank in range(2)]
    assert len(shares[0].lanes) == len(shares[1].lanes) == lanes // 2 > 0


@pytest.mark.parametrize("length", [1, 50, 999, 5000])
def test_held_back_text_is_predicted_exactly_once(length):
    tokens = np.arange(4, 4 + length)
    seen = [batch.targets.flatten() for batch in held_back_windows(tokens, window=32, warm_up=64)]
    seen = torch.cat(seen)
    assert sorted(seen[seen != PAD].tolist()) == tokens.tolist()


@pytest.mark.parametrize("length", [50, 5000])
def test_processes_share_the_held_back_text_and_one_may_have_none(length):
    tokens, seen = np.arange(4, 4 + length), []
    for rank in range(3):
        share = held_back_windows(tokens, window=32, warm_up=64, rank=rank, world_size=3)
        seen += [batch.targets[batch.targets != PAD] for batch in share]
    assert sorted(torch.cat(seen).tolist()) == tokens.tolist()


def test_warm_lanes_measure_what_one_long_pass_measures(cell):
    model = patterns.generator(20, cell=cell, hidden_size=16, embedding_size=4)
    tokens = np.random.default_rng(0).integers(4, 20, 4000)
    wide = evaluate(model, held_back_windows(tokens, window=100, lanes=16, warm_up=100))
    long = evaluate(model, held_back_windows(tokens, window=100, lanes=1))
    assert wide == pytest.approx(long, abs=1e-4)
