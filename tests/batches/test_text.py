"""A text as batches to train on and to validate on."""

from itertools import islice

import numpy as np
import pytest
import torch

from seqgen.batches.text import VALIDATION_WINDOW, document_batches, stream_batches
from seqgen.data.store import stored
from seqgen.errors import InputError
from seqgen.symbols import EOS, PAD

TOKENS = np.arange(4, 2004)
LENGTHS = np.random.default_rng(0).integers(1, 30, 100)


@pytest.fixture
def documents():
    rows = [(np.append(np.full(length, 4 + number), EOS),) for number, length in enumerate(LENGTHS)]
    return stored("documents", lambda: iter(rows), [200])[0]


def targets_of(batches):
    targets = torch.cat([batch.targets.flatten() for batch in batches])
    return sorted(targets[targets != PAD].tolist())


def test_the_end_of_a_stream_is_held_back():
    found = stream_batches(TOKENS, 4, 25, seed=1)
    assert not found.shrunk
    assert (found.train_tokens, found.batches_per_epoch) == (1800, 18)
    assert np.array_equal(found.held_back, TOKENS[1800:])
    assert targets_of(found.validation()) == targets_of(found.validation()) == found.held_back.tolist()
    assert targets_of(islice(found.train.starting_at(0), 18)) == TOKENS[:1800].tolist()
    assert np.array_equal(found.train_text(5000), TOKENS[:1800])
    assert np.array_equal(found.train_text(7), TOKENS[1793:1800])


def test_some_documents_are_held_back(documents):
    found = document_batches(documents, 9, 50, seed=1)
    assert not found.shrunk
    assert targets_of(found.validation()) == sorted(found.held_back.tolist())
    assert (found.held_back == EOS).sum() == 10
    assert found.train_tokens + len(found.held_back) == len(documents.values)
    trained = targets_of(islice(found.train.starting_at(0), 10))  # each is shorter than a window
    assert sorted(trained + found.held_back.tolist()) == sorted(documents.values)
    assert found.batches_per_epoch == 10
    assert sorted(found.train_text(5000)) == trained
    for most in (1, 7, 500, found.train_tokens):
        assert np.array_equal(found.train_text(most), found.train_text(5000)[:most])
    assert not {*trained} & {*found.held_back.tolist()} - {EOS}


def test_processes_share_the_held_back_documents_and_one_may_have_none(documents):
    for world_size in (3, 11):
        shares = [document_batches(documents, 33, 50, rank=rank, world_size=world_size) for rank in range(world_size)]
        seen = targets_of(batch for share in shares for batch in share.validation())
        assert seen == sorted(shares[0].held_back.tolist())


def test_other_seeds_hold_other_documents_back(documents):
    one, same, other = (document_batches(documents, 9, 50, seed=seed).held_back for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
    assert np.array_equal(one, document_batches(documents, 9, 50, seed=2, split_seed=1).held_back)


def test_long_documents_are_validated_on_whole():
    rows = [(np.append(np.full(2 * VALIDATION_WINDOW, 4 + number), EOS),) for number in range(20)]
    [documents] = stored("long", lambda: iter(rows), [200])
    found = document_batches(documents, 4, 50)
    assert targets_of(found.validation()) == sorted(found.held_back.tolist())
    assert [batch.starts for batch in found.validation()] == [True, False, False]


def test_batches_shrink_to_what_there_is_and_say_so(documents):
    stream = stream_batches(TOKENS, 100, 60)
    assert "a batch of 100 lanes of 60 tokens needs 6,000 to train on, but the text has 1,800" in stream.shrunk
    assert next(stream.train.starting_at(0)).targets.shape == (30, 60)
    found = document_batches(documents, 200, 50)
    assert "a batch of 200 documents needs as many to train on, but there are 90" in found.shrunk
    assert len(next(found.train.starting_at(0)).targets) == 90


def test_too_little_to_hold_back_is_refused(documents):
    with pytest.raises(InputError, match="at least 20 tokens, but this one has 19"):
        stream_batches(TOKENS[:19], 1, 2)
    [few] = stored("few", lambda: ((np.array([5, EOS]),) for _ in range(19)), [10])
    with pytest.raises(InputError, match="at least 20 documents to train on, but there are 19"):
        document_batches(few, 2, 5)
