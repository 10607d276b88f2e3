from hypothesis import given
from hypothesis import strategies as st

from seqgen.runs.best import AT_LEAST, CLEARLY, IN_A_ROW, Best

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


@given(validations, st.integers(0, 5))
def test_patience_counts_validations_without_improvement_and_0_never_ends(figures, patience):
    best = Best(patience)
    for pair in figures:
        best.improves(*pair)
        assert bool(best.reason_to_stop) == (0 < patience <= best.validations_since)


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0.5, 2.0)), min_size=1, max_size=20))
def test_without_patience_it_ends_after_validations_in_a_row_that_are_clearly_worse(figures):
    best, worse = Best(), []
    for error, loss in figures:
        improved = best.improves(error, loss)
        lowest = min(other for _, other in figures[: len(worse) + 1])
        worse.append(not improved and loss > max(CLEARLY * lowest, lowest + AT_LEAST))
        assert bool(best.reason_to_stop) == (len(worse) >= IN_A_ROW and all(worse[-IN_A_ROW:]))


def test_a_loss_that_is_a_little_worse_ends_nothing():
    best = Best()
    for loss in [1.0] + [1.09] * 50:
        best.improves(loss, loss)
    assert not best.reason_to_stop


def test_a_model_without_mistakes_is_never_clearly_worse():
    best = Best()
    for loss in [1e-9, 1e-4, 2e-6] * 20:
        best.improves(0.0, loss)
    assert not best.reason_to_stop


def test_a_loss_that_is_no_number_is_never_the_best():
    best = Best()
    assert not best.improves(float("nan"), float("nan"))
    assert not best.exists
    assert best.improves(1.0, 1.0)
    assert not best.improves(float("nan"), float("nan"))
    assert best.error_and_loss == (1.0, 1.0)
    assert best.improves(0.5, 0.5)
