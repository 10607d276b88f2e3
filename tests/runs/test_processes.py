"""What a checkpoint has of each process, dealt to another number of them."""

import pytest
import torch

from seqgen.runs.processes import Processes
from seqgen.state import State


def of(rank, world_size, saved):
    processes = Processes.__new__(Processes)  # without the others
    processes.rank, processes.world_size = rank, world_size
    return processes.share(saved)


def saved_by(count, rows=6):
    """What so many processes save: random states that are their ranks, and rows that are their numbers."""
    whole = State(torch.arange(rows).float().expand(2, rows)[..., None].clone())
    parts = [whole.select(part) for part in torch.arange(rows).tensor_split(count)]
    return [{"random": {"cpu": rank}, "carry": list(part)} for rank, part in enumerate(parts)]


@pytest.mark.parametrize("before", [1, 2, 3, 6])
@pytest.mark.parametrize("now", [1, 2, 3, 6])
def test_each_row_of_the_hidden_states_has_one_process_and_they_keep_their_order(before, now):
    shares = [of(rank, now, saved_by(before)) for rank in range(now)]
    rows = [share["carry"][0][0, :, 0].tolist() for share in shares]
    assert [row for share in rows for row in share] == list(range(6))
    assert {len(one) for one in rows} == {6 // now}
    assert [share["random"] for share in shares] == [{"cpu": rank} if rank < before else None for rank in range(now)]


def test_without_hidden_states_there_is_nothing_to_deal():
    saved = [{"random": {"cpu": rank}, "carry": []} for rank in range(2)]
    assert of(0, 1, saved) == {"random": {"cpu": 0}, "carry": []}
