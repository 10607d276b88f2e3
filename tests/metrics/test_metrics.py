import numpy as np
import pytest

from seqgen.metrics.classification import Answered, are_of_spans, majority_accuracy, span_f1
from seqgen.metrics.translation import bleu, chrf, least_alike


def answered(probabilities, targets):
    return Answered(
        np.log(np.array(probabilities)), np.array(targets), [f"class {n}" for n in range(len(probabilities[0]))]
    )


def test_figures_of_a_few_answers_by_hand():
    found = answered([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.7, 0.3]], [0, 1, 1, 0])
    assert found.accuracy == 0.75
    assert found.loss == pytest.approx(-np.log([0.9, 0.4, 0.8, 0.7]).mean())
    assert found.macro_f1 == pytest.approx((0.8 + 2 / 3) / 2)
    assert found.confusion.tolist() == [[2, 0], [1, 1]]
    assert found.mistakes().tolist() == [1]
    assert "class 1" in found.table()


def test_the_surest_mistake_comes_first():
    found = answered([[0.6, 0.4], [0.9, 0.1], [0.3, 0.7]], [1, 1, 1])
    assert found.mistakes().tolist() == [1, 0]


def test_a_class_that_is_not_in_the_test_has_its_row():
    found = answered([[0.5, 0.3, 0.2]] * 2, [0, 1])
    assert found.confusion.shape == (3, 3)
    assert found.macro_f1 == pytest.approx((2 / 3) / 3)


def test_calibration_is_none_where_confidence_is_accuracy():
    probabilities, targets = [[0.8, 0.2]] * 10, [0] * 8 + [1] * 2
    assert answered(probabilities, targets).calibration_error == pytest.approx(0)
    assert answered(probabilities, [0] * 10).calibration_error == pytest.approx(0.2)
    assert answered(probabilities, [1] * 10).calibration_error == pytest.approx(0.8)


def test_the_majority_is_that_of_the_training_examples():
    assert majority_accuracy(np.array([0, 1, 1]), np.array([0, 0, 0, 1])) == 0.25


def test_a_span_counts_only_whole():
    right = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-PER"]]
    assert span_f1(right, right) == 1
    assert span_f1([["B-PER", "O", "O", "B-LOC"], ["O", "O"]], right) == pytest.approx(
        2 * 0.5 * (1 / 3) / (0.5 + 1 / 3)
    )
    assert span_f1([["B-LOC", "I-LOC", "O", "O"], ["O", "O"]], right) == 0
    assert span_f1([["O"] * 4, ["O"] * 2], right) == 0


def test_translations_are_measured_against_what_is_right():
    right = ["the cat sat on the mat", "a dog barks at the moon"]
    assert bleu(right, right).score == pytest.approx(100)
    assert chrf(right, right).score == pytest.approx(100)
    upper = [text.upper() for text in right]
    assert bleu(upper, right).score < 1
    assert bleu(upper, right, lowercase=True).score == pytest.approx(100)
    assert "tok:13a" in bleu(right, right).signature
    assert 0 < bleu([right[0], "a dog"], right).score < 100


def test_the_least_alike_come_first():
    found = least_alike(["the cat", "nothing", "a cow"], ["the cat", "the dog", "a cat"], most=2)
    assert [(place, text) for place, text, _ in found] == [(1, "nothing"), (2, "a cow")]
    assert found[0][2] < found[1][2] < 100


@pytest.mark.parametrize(("tags", "spans"), [(["O", "B-A", "I-A"], True), (["O", "B-A", "E-A"], False), (["A"], False)])
def test_tags_of_other_schemes_are_not_those_of_spans(tags, spans):
    assert are_of_spans(tags) == spans
