"""The n-gram classifier: NB-weighted presence of n-grams, hashed in the same way everywhere; and hostile arguments."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

import seqgen
from seqgen.errors import InputError
from seqgen.tasks.ngram_classifier import hashed_ngrams

WORDS = ["a", "the", "film", "plot", "is", "was", "good", "fine", "dull", "bad", "not", "very"]
TEXTS = [" ".join(np.random.default_rng(number).choice(WORDS, 2 + number % 9)) for number in range(60)]
LABELS = ["good" if ("good" in text or "fine" in text) != ("not" in text) else "bad" for text in TEXTS]
THREE = ["long" if len(text) > 25 else label for text, label in zip(TEXTS, LABELS, strict=True)]
# Buckets of "a", "fine" and "film", and of "a fine" and "fine film".
UNIGRAMS, BIGRAMS = [7832217, 11784710, 12033913], [668451, 13845972]
OTHERS = ["a very good plot", "not good", "odd", "", "THE dull Film"]


@pytest.mark.parametrize("order", [1, 2, 3])
def test_it_is_a_logistic_regression_on_log_count_ratios(order):
    counts = CountVectorizer(binary=True, token_pattern=r"\w+", ngram_range=(1, order))
    found, right = counts.fit_transform(TEXTS).toarray(), np.array(LABELS) == "good"
    first, second = found[right].sum(axis=0) + 1, found[~right].sum(axis=0) + 1
    ratios = np.log(first / first.sum()) - np.log(second / second.sum())
    judge = LogisticRegression(C=0.3, solver="liblinear", tol=1e-8).fit(found * ratios, right)
    expected = judge.predict_proba(counts.transform(OTHERS).toarray() * ratios)
    ngrams = seqgen.fit_ngram_classifier(TEXTS, LABELS, order=order)
    np.testing.assert_allclose(ngrams.probabilities(OTHERS), expected, atol=2e-3)


@pytest.mark.parametrize("labels", [LABELS, THREE])
def test_probabilities_add_up_to_one_and_do_not_depend_on_other_texts(labels):
    ngrams = seqgen.fit_ngram_classifier(TEXTS, labels)
    together = ngrams.probabilities(OTHERS)
    assert together.shape == (len(OTHERS), len(set(labels)))
    np.testing.assert_allclose(together.sum(axis=1), 1, rtol=1e-6)
    for text, row in zip(OTHERS, together, strict=True):
        np.testing.assert_array_equal(ngrams.probabilities([text])[0], row)
    right = ngrams.log_probabilities(TEXTS).argmax(axis=1) == ngrams.targets(labels)
    assert right.mean() > 0.85
    assert ngrams.probabilities([]).shape == (0, len(set(labels)))


def test_presence_counts_and_neither_number_nor_case_nor_unknown_words():
    ngrams = seqgen.fit_ngram_classifier(TEXTS, LABELS, order=1)
    once, *others = ngrams.probabilities(["good film", "film good good good", "GOOD Film", "good film zzz"])
    for other in others:
        np.testing.assert_allclose(once, other, rtol=1e-6)


def test_ngrams_that_one_of_many_texts_has_are_left_out():
    texts, labels = ["good film", "bad film"] * 500, ["yes", "no"] * 500
    rare = seqgen.fit_ngram_classifier(["good rare film", *texts[1:]], labels, order=1)
    assert not {*next(hashed_ngrams(["rare"], 1))} & {*rare.buckets}
    assert {*next(hashed_ngrams(["good film"], 1))} <= {*rare.buckets}
    few = seqgen.fit_ngram_classifier(["good rare film", *texts[1:9]], labels[:9], order=1)
    assert {*next(hashed_ngrams(["rare"], 1))} <= {*few.buckets}
    different = seqgen.fit_ngram_classifier([f"w{number}" for number in range(1000)], labels, order=1)
    assert different.probabilities(["w1"])[0, 0] == pytest.approx(0.5, abs=0.01)


def test_the_order_of_words_counts_with_bigrams_alone():
    texts, labels = ["good not bad", "bad not good"] * 10, ["yes", "no"] * 10
    for order, told in ((1, False), (2, True)):
        first, second = seqgen.fit_ngram_classifier(texts, labels, order=order).probabilities(texts[:2])
        assert (first.argmax() != second.argmax()) == told


def test_ngrams_are_hashed_as_they_were_when_models_were_saved():
    [unigrams], [bigrams] = hashed_ngrams(["A fine film"], 1), hashed_ngrams(["A fine film"], 2)
    assert unigrams.tolist() == UNIGRAMS
    assert sorted({*bigrams} - {*unigrams}) == BIGRAMS
    [alone], [none] = hashed_ngrams(["film"], 8), hashed_ngrams([" \t"], 2)
    assert (len(alone), len(none)) == (1, 0)


def test_of_texts_without_words_the_frequency_of_classes_is_known():
    ngrams = seqgen.fit_ngram_classifier([" "] * 20, ["rare"] * 2 + ["usual"] * 18)
    assert ngrams.probabilities([" ", "word"])[:, 1] == pytest.approx(0.8, abs=0.15)


def test_a_class_without_texts_is_improbable_and_classes_keep_their_order():
    ngrams = seqgen.fit_ngram_classifier(TEXTS, LABELS, classes=["never", "good", "bad"])
    assert ngrams.classes == ["never", "good", "bad"]
    assert ngrams.probabilities(TEXTS)[:, 0].max() < 0.2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"order": 0}, "order must be from 1 to 8, not 0"),
        ({"inverse_regularization": 0.0}, "inverse_regularization must be above 0 and finite, not 0.0"),
        ({"inverse_regularization": float("nan")}, "inverse_regularization must be above 0 and finite, not nan"),
        ({"labels": ["good"] * 60}, "there must be at least two classes, but there are 1"),
        ({"labels": LABELS[:-1]}, "a label for each text, but there are 60 texts, 59 labels"),
        ({"classes": ["good", "badly"]}, "a label must be one of the classes, not 'bad'.*badly"),
        ({"texts": [1] * 60}, "texts must be"),
    ],
)
def test_an_impossible_argument_is_a_sentence(arguments, sentence):
    with pytest.raises(InputError, match=sentence):
        seqgen.fit_ngram_classifier(**{"texts": TEXTS, "labels": LABELS} | arguments)


@pytest.mark.parametrize(
    "damage",
    [
        {"buckets": np.array([3, 1], np.int32)},
        {"buckets": np.array([1.0, 2.0])},
        {"buckets": np.zeros(0, np.int32), "weights": np.zeros((0, 1), np.float32)},
        {"weights": np.zeros((2, 2), np.float32)},
        {"weights": np.array([[1], [2]])},
        {"biases": np.array([np.nan], np.float32)},
        {"classes": ["a", "b", "c"]},
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(damage):
    whole = {"classes": ["a", "b"], "order": 2, "buckets": np.array([1, 3], np.int32)}
    whole |= {"weights": np.ones((2, 1), np.float32), "biases": np.zeros(1, np.float32)}
    seqgen.NGramClassifier(**whole)
    with pytest.raises(InputError):
        seqgen.NGramClassifier(**whole | damage)
