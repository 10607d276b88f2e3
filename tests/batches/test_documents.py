from itertools import islice

import numpy as np
import pytest
import torch

from seqgen.batches.documents import Documents
from seqgen.data.splits import split_documents, split_stream
from seqgen.errors import InputError
from seqgen.symbols import BOS, EOS, PAD


def make_tokens(lengths):
    rows = [np.full(length, 10 + number) for number, length in enumerate(lengths)]
    return np.concatenate([np.append(row, EOS) for row in rows])


LENGTHS = [1, 30, 2, 3, 25, 4, 5, 6, 18, 7, 7, 7]
TOKENS = make_tokens(LENGTHS)


def whole_rows(batches):
    """Put the windows of each batch together again, and return the rows without padding."""
    rows, open_rows = [], []
    for batch in batches:
        if batch.starts:
            rows += open_rows
            open_rows = [[] for _ in batch.targets]
            assert (batch.inputs[:, 0] == BOS).all()
        for row, targets in zip(open_rows, batch.targets.tolist(), strict=True):
            row += [target for target in targets if target != PAD]
    return rows + open_rows


def test_every_document_is_read_once_and_ended():
    rows = whole_rows(Documents(TOKENS, 5, 8).once())
    assert sorted(rows) == sorted([10 + number] * length + [EOS] for number, length in enumerate(LENGTHS))


def test_an_epoch_reads_every_document_whole_and_the_next_in_another_order():
    def epoch(number):
        count, batches = 0, []
        for batch in Documents(TOKENS, 4, 8, seed=1).starting_at(0):
            count += batch.starts
            if count > 3 * (number + 1):  # twelve documents make three batches of four, each of some windows
                return whole_rows(batches)
            batches += [batch] if count > 3 * number else []

    assert sorted(epoch(0)) == sorted(epoch(1)) == sorted([10 + n] * length + [EOS] for n, length in enumerate(LENGTHS))
    assert epoch(0) != epoch(1)


def test_documents_of_like_length_share_a_batch():
    lengths = list(range(1, 65))
    batches = islice(Documents(make_tokens(lengths), 8, 100).starting_at(0), 8)
    padding = sum((batch.targets == PAD).sum().item() for batch in batches)
    assert padding == 8 * sum(range(8))  # neighbours in length differ by one


def test_the_position_is_a_plain_number():
    documents = Documents(TOKENS, 4, 8, seed=3)
    batches = list(islice(documents.starting_at(0), 40))
    for index in range(40):
        again = next(documents.starting_at(index))
        assert torch.equal(again.targets, batches[index].targets)
        assert again.starts == batches[index].starts


def test_the_rows_of_all_ranks_are_those_of_one_process():
    ranks = [Documents(TOKENS, 4, 8, rank=rank, world_size=2).starting_at(0) for rank in range(2)]
    for whole in islice(Documents(TOKENS, 4, 8).starting_at(0), 30):
        assert torch.equal(whole.inputs, torch.cat([next(rank).inputs for rank in ranks]))


def test_too_few_documents_for_a_batch_are_refused():
    with pytest.raises(InputError, match="50 documents, but there are 12"):
        Documents(TOKENS, 50, 8)


def test_the_last_tenth_of_a_stream_is_held_back():
    train, valid = split_stream(np.arange(1000))
    assert np.array_equal(np.concatenate([train, valid]), np.arange(1000))
    assert len(valid) == 100
    with pytest.raises(InputError, match="at least 20 tokens, but this one has 19"):
        split_stream(np.arange(19))


def test_a_drawn_tenth_of_the_documents_is_held_back():
    tokens = make_tokens([3] * 200)
    train, valid = split_documents(tokens, seed=1)
    assert sorted([*train, *valid]) == list(range(200))
    assert len(valid) == 20
    assert np.array_equal(valid, split_documents(tokens, seed=1)[1])
    assert not np.array_equal(valid, split_documents(tokens, seed=2)[1])
    with pytest.raises(InputError, match="at least 20 documents"):
        split_documents(TOKENS, seed=1)
