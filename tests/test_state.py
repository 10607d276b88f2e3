import torch

from seqgen.state import Memory, State


def make_state(batch=4):
    return State(*(torch.randn(size, batch, 3) for size in (2, 2, 1, 1)))


def test_select_takes_rows_in_order_and_may_repeat_them():
    state = make_state()
    picked = state.select(torch.tensor([2, 0, 2]))
    for new, row in enumerate((2, 0, 2)):
        for mine, whole in zip(picked, state, strict=True):
            assert torch.equal(mine[:, new], whole[:, row])


def test_select_takes_a_mask():
    state = make_state()
    picked = state.select(torch.tensor([True, False, False, True]))
    assert torch.equal(picked.h, state.h[:, [0, 3]])


def test_put_replaces_only_the_rows_named():
    state, other = make_state(), make_state(2)
    for mine, before, new in zip(state.put(torch.tensor([3, 1]), other), state, other, strict=True):
        assert torch.equal(mine[:, 3], new[:, 0])
        assert torch.equal(mine[:, 1], new[:, 1])
        assert torch.equal(mine[:, [0, 2]], before[:, [0, 2]])


def test_layers_are_taken_apart_and_put_together():
    state = make_state()
    below, above = state.layers(0, 1), state.layers(1)
    assert below.feed is above.feed is None
    whole = below.below(above)
    assert torch.equal(whole.h, state.h)
    assert torch.equal(whole.c, state.c)


def test_a_state_without_a_cell_keeps_none():
    state = State(torch.randn(1, 2, 3))
    assert state.select(torch.tensor([1])).c is None
    assert state.put(torch.tensor([1]), State(torch.zeros(1, 1, 3))).c is None
    assert state.detach().c is None


def test_memory_selects_all_its_parts():
    memory = Memory(torch.randn(3, 5, 2), torch.ones(3, 5, dtype=torch.bool), torch.randn(3, 2))
    picked = memory.select(torch.tensor([2, 2]))
    assert torch.equal(picked.states[1], memory.states[2])
    assert picked.mask.shape == (2, 5)
    assert torch.equal(picked.summary[0], memory.summary[2])
