from itertools import islice

import numpy as np
import pytest
import torch

from seqgen.batches.documents import Documents
from seqgen.data.store import stored
from seqgen.errors import InputError
from seqgen.symbols import BOS, EOS, PAD


def make_documents(lengths):
    return [np.append(np.full(length, 10 + number), EOS) for number, length in enumerate(lengths)]


LENGTHS = [1, 30, 2, 3, 25, 4, 5, 6, 18, 7, 7, 7]
DOCUMENTS = make_documents(LENGTHS)


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
    rows = whole_rows(Documents(DOCUMENTS, 5, 8).once())
    assert sorted(rows) == sorted([10 + number] * length + [EOS] for number, length in enumerate(LENGTHS))


def test_an_epoch_reads_every_document_whole_and_the_next_in_another_order():
    def epoch(number):
        count, batches = 0, []
        for batch in Documents(DOCUMENTS, 4, 8, seed=1).starting_at(0):
            count += batch.starts
            if count > 3 * (number + 1):  # twelve documents make three batches of four, each of some windows
                return whole_rows(batches)
            batches += [batch] if count > 3 * number else []

    assert sorted(epoch(0)) == sorted(epoch(1)) == sorted([10 + n] * length + [EOS] for n, length in enumerate(LENGTHS))
    assert epoch(0) != epoch(1)


def test_documents_of_like_length_share_a_batch():
    lengths = list(range(1, 65))
    batches = islice(Documents(make_documents(lengths), 8, 100).starting_at(0), 8)
    padding = sum((batch.targets == PAD).sum().item() for batch in batches)
    assert padding == 8 * sum(range(8))  # neighbours in length differ by one


def test_the_position_is_a_plain_number():
    documents = Documents(DOCUMENTS, 4, 8, seed=3)
    batches = list(islice(documents.starting_at(0), 40))
    for index in range(40):
        again = next(documents.starting_at(index))
        assert torch.equal(again.targets, batches[index].targets)
        assert again.starts == batches[index].starts


def test_the_rows_of_all_ranks_are_those_of_one_process():
    ranks = [Documents(DOCUMENTS, 4, 8, rank=rank, world_size=2).starting_at(0) for rank in range(2)]
    for whole in islice(Documents(DOCUMENTS, 4, 8).starting_at(0), 30):
        assert torch.equal(whole.inputs, torch.cat([next(rank).inputs for rank in ranks]))


def test_too_few_documents_for_a_batch_are_refused():
    with pytest.raises(InputError, match="50 documents, but there are 12"):
        Documents(DOCUMENTS, 50, 8)


def test_stored_documents_give_the_same_batches_as_those_in_memory():
    [kept] = stored("documents", lambda: ((document,) for document in DOCUMENTS), [100])
    chosen = np.array([11, 1, 4, 7, 2])
    one, other = (Documents(documents, 2, 8, seed=3, chosen=chosen) for documents in (DOCUMENTS, kept))
    for some, same in zip(islice(one.starting_at(0), 30), other.starting_at(0), strict=False):
        assert torch.equal(some.inputs, same.inputs)
        assert torch.equal(some.targets, same.targets)
    assert np.array_equal(one.chosen_tokens(), np.concatenate([DOCUMENTS[number] for number in chosen]))
    assert np.array_equal(one.chosen_tokens(), other.chosen_tokens())
    assert one.token_count == other.token_count == len(one.chosen_tokens())
