from itertools import islice

import numpy as np
import pytest

from seqgen.batches.buckets import Buckets


@pytest.fixture
def lengths():
    return np.random.default_rng(0).integers(1, 60, 500)


def first(buckets, count, begin=0):
    return [batch.tolist() for batch in islice(buckets.starting_at(begin), count)]


def test_an_epoch_holds_every_example_once(lengths):
    buckets = Buckets(lengths, 200)
    for begin in (0, buckets.batches_per_epoch):
        batches = first(buckets, buckets.batches_per_epoch, begin)
        assert sorted(number for batch in batches for number in batch) == list(range(500))
    assert sorted(number for batch in buckets.once() for number in batch) == list(range(500))


def test_no_batch_is_above_the_budget_and_none_is_needlessly_small(lengths):
    padded = [len(batch) * lengths[batch].max() for batch in Buckets(lengths, 200).once()]
    assert max(padded) <= 200
    assert np.median(padded) > 150


def test_an_example_above_the_budget_stands_alone():
    assert sorted(map(len, Buckets(np.array([5, 900, 5]), 100).once())) == [1, 2]


def test_batches_are_a_function_of_their_number_and_the_seed(lengths):
    buckets = Buckets(lengths, 200, seed=3)
    many = first(buckets, 3 * buckets.batches_per_epoch)
    for begin in (1, buckets.batches_per_epoch - 1, buckets.batches_per_epoch, 2 * buckets.batches_per_epoch + 5):
        assert first(Buckets(lengths, 200, seed=3), 5, begin) == many[begin : begin + 5]
    assert first(Buckets(lengths, 200, seed=4), 5) != many[:5]


def test_epochs_differ(lengths):
    buckets = Buckets(lengths, 200)
    assert first(buckets, 5) != first(buckets, 5, buckets.batches_per_epoch)


@pytest.mark.parametrize("world_size", [2, 3])
def test_processes_share_each_batch_and_none_goes_without(lengths, world_size):
    ranks = [first(Buckets(lengths, 60, rank=rank, world_size=world_size), 80) for rank in range(world_size)]
    whole = first(Buckets(lengths, 60, world_size=world_size), 80)  # the first process's share of the same batches
    assert whole == ranks[0]
    seen = [number for parts in zip(*ranks, strict=True) for part in parts for number in part]
    assert all(part for rank in ranks for part in rank)
    epoch = Buckets(lengths, 60, world_size=world_size).batches_per_epoch
    firsts = [number for parts in list(zip(*ranks, strict=True))[:epoch] for part in parts for number in part]
    assert len(firsts) == len(set(firsts))
    assert set(seen) <= set(range(500))


def test_processes_share_every_example_once_and_one_may_have_none(lengths):
    for some in (lengths, lengths[:2]):
        shares = [Buckets(some, 60, rank=rank, world_size=3).once() for rank in range(3)]
        seen = [number for share in shares for batch in share for number in batch]
        assert sorted(seen) == list(range(len(some)))
