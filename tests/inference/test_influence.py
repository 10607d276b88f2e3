import numpy as np
import pytest
from making import MADE

from seqgen.errors import InputError
from seqgen.inference.influence import MOST, influences


def count_of_good(texts):
    return np.array([float(text.split().count("good")) for text in texts])


def test_a_word_moves_the_answer_by_what_its_absence_changes():
    found = influences("  a good film,\nvery good", count_of_good)
    assert [one.text for one in found] == ["  a ", "good ", "film,\n", "very ", "good"]
    assert [one.change for one in found] == [0, 1, 0, 0, 1]


@pytest.mark.parametrize("words", [0, 1, MOST, MOST + 1, 10 * MOST])
def test_of_many_words_groups_are_left_out_and_nothing_is_lost(words):
    text = " good\n" * words
    found = influences(text, count_of_good)
    assert "".join(one.text for one in found) == text
    assert len(found) <= MOST
    assert sum(one.change for one in found) == words


def test_the_influences_of_a_classifier_are_those_of_a_class():
    classifier = MADE["text_classifier"]()
    text = "the cat sat on the mat"
    one, other = classifier.classes[:2]
    best = classifier.classify(text)[0][0].label
    assert classifier.influences(text) == classifier.influences(text, best)
    if len(classifier.classes) == 2:
        pairs = zip(classifier.influences(text, one), classifier.influences(text, other), strict=True)
        assert all(a.change == pytest.approx(-b.change, abs=1e-3) for a, b in pairs)
    with pytest.raises(InputError, match="label must be one of"):
        classifier.influences(text, "no such class")
