from hypothesis import given
from hypothesis import strategies as st

from seqgen.runs.best import Best

validations = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1)


@given(validations)
def test_it_keeps_the_lowest_error_and_of_equal_ones_the_lowest_loss(figures):
    best = Best()
    assert not best.exists
    improved = [best.improves(*pair) for pair in figures]
    assert best.exists
    assert best.error_and_loss == min(figures)
    assert improved == [pair < min([(9, 9), *figures[:place]]) for place, pair in enumerate(figures)]
    assert best.validations_since == improved[::-1].index(True)


@given(validations, validations)
def test_a_checkpoint_of_it_goes_on_alike(before, after):
    straight, first, resumed = Best(), Best(), Best()
    for pair in before:
        straight.improves(*pair), first.improves(*pair)
    resumed.load_state_dict(first.state_dict())
    assert [straight.improves(*pair) for pair in after] == [resumed.improves(*pair) for pair in after]
    assert straight.state_dict() == resumed.state_dict()
