"""N-grams beside a network: weights by held-back texts, one answer in torch, in onnxruntime and once saved."""

import json

import numpy as np
import pytest
import safetensors.numpy
from exports import as_exported
from making import make_text_classifier

import seqgen
from seqgen.errors import InputError
from seqgen.export.requirements import requirements
from seqgen.metrics.classification import Answered

TEXTS = [f"{word} {'film' if number % 3 else 'plot'}" for number in range(20) for word in ("bad", "fine", "odd")]
LABELS = ["bad", "fine", "odd"] * 20
OTHERS = ["a fine film", "dull", "odd plot", ""]


@pytest.fixture(scope="module")
def ngrams():
    return seqgen.fit_ngram_classifier(TEXTS, LABELS)


@pytest.fixture
def mixed(ngrams):
    return make_text_classifier().with_ngrams(ngrams, TEXTS, LABELS)


@pytest.fixture
def saved(mixed, tmp_path):
    mixed.save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def loss(probabilities, classes=("bad", "fine", "odd")):
    return Answered(np.log(probabilities), np.array([classes.index(label) for label in LABELS]), classes).loss


def test_the_weights_make_held_back_labels_more_probable_than_either_alone_or_the_plain_mean(ngrams):
    noisy = [text if number % 4 else "odd film" for number, text in enumerate(TEXTS)]
    network = np.full((len(TEXTS), 3), 0.2, np.float32)
    for number, label in enumerate(LABELS):
        network[number, (ngrams.classes.index(label) + (number % 5 == 0)) % 3] = 0.6
    fitted = seqgen.NGramMixture.fit(ngrams, network, noisy, LABELS)
    best = loss(fitted.probabilities(network, noisy))
    for weights in ((1.0, 0.0), (0.0, 1.0), (0.5, 0.5)):
        other = seqgen.NGramMixture(classifier=ngrams, weights=weights)
        assert best < loss(other.probabilities(network, noisy))


def test_what_knows_nothing_has_hardly_any_weight(ngrams):
    random = np.random.default_rng(0).dirichlet([1, 1, 1], len(TEXTS)).astype(np.float32)
    network, other = seqgen.NGramMixture.fit(ngrams, random, TEXTS, LABELS).weights
    assert network < 0.2 * other


def test_of_no_texts_the_weights_are_equal(ngrams):
    fitted = seqgen.NGramMixture.fit(ngrams, np.zeros((0, 3), np.float32), [], [])
    assert fitted.weights == pytest.approx((0.5, 0.5))


def test_without_weight_of_the_ngrams_the_network_is_unchanged_and_zeros_do_no_harm(ngrams):
    network = np.array([[0.0, 1.0, 0.0], [0.2, 0.3, 0.5]], np.float32)
    alone = seqgen.NGramMixture(classifier=ngrams, weights=(1.0, 0.0)).probabilities(network, OTHERS[:2])
    np.testing.assert_allclose(alone, network, atol=1e-6)
    both = seqgen.NGramMixture(classifier=ngrams, weights=(1.0, 2.0)).probabilities(network, OTHERS[:2])
    assert np.isfinite(both).all()
    np.testing.assert_allclose(both.sum(axis=1), 1, rtol=1e-6)


def test_every_use_of_a_classifier_has_the_ngrams(mixed):
    network = make_text_classifier()
    assert [labels[0].label for labels in mixed.classify(TEXTS[:3])] == ["bad", "fine", "odd"]
    found = mixed.probabilities(OTHERS)
    assert np.abs(found - network.probabilities(OTHERS)).max() > 0.1
    assert mixed.score(OTHERS, ["fine"] * 4) == pytest.approx(np.log(found[:, 1]).tolist(), rel=1e-5)
    most = max(mixed.influences("a fine film"), key=lambda one: abs(one.change))
    assert most.text.strip() == "fine"


def test_it_is_saved_as_plain_data_and_is_the_same_again(mixed, saved):
    again = seqgen.load(saved)
    np.testing.assert_array_equal(again.probabilities(OTHERS), mixed.probabilities(OTHERS))
    assert json.loads((saved / "word_ngrams.json").read_text())["weights"] == list(mixed.ngrams.weights)
    assert set(safetensors.numpy.load_file(saved / "word_ngrams.safetensors")) == {"buckets", "weights", "biases"}
    seqgen.check_bundle(mixed, OTHERS[:2])
    assert "word n-grams" in (saved / "README.md").read_text()


def test_a_model_without_ngrams_leaves_none_of_an_earlier_one(saved):
    network = make_text_classifier()
    network.save_pretrained(saved)
    assert not list(saved.glob("word_ngrams*"))
    assert seqgen.load(saved).ngrams is None


def test_an_exported_model_answers_alike(mixed):
    np.testing.assert_allclose(as_exported(mixed).probabilities(OTHERS), mixed.probabilities(OTHERS), atol=1e-5)
    assert "safetensors" in requirements(mixed)
    assert "safetensors" not in requirements(make_text_classifier())


def test_who_trains_a_model_further_begins_without_its_ngrams(mixed):
    assert seqgen.continued(mixed).ngrams is None
    assert seqgen.continued(mixed, classes=["bad", "dull"]).classify("fine")[0]


def test_ngrams_of_other_classes_are_refused(ngrams, saved):
    other = seqgen.fit_ngram_classifier(TEXTS[:2], LABELS[:2])
    with pytest.raises(InputError, match="ngrams must have the classes bad, fine, odd, not bad, fine"):
        make_text_classifier().with_ngrams(other, TEXTS, LABELS)
    labels = saved / "labels.json"
    labels.write_text(labels.read_text().replace("odd", "even"))
    with pytest.raises(InputError, match=r"word_ngrams\.json must have the classes of labels\.json"):
        seqgen.load(saved)


@pytest.mark.parametrize("content", [None, b"", b"x" * 100, "lacking", "whole numbers", "not a number"])
def test_damaged_arrays_are_refused_in_a_sentence(saved, content):
    path = saved / "word_ngrams.safetensors"
    arrays = safetensors.numpy.load_file(path)
    if content is None:
        path.unlink()
    elif isinstance(content, bytes):
        path.write_bytes(content)
    else:
        damaged = {
            "lacking": {name: array for name, array in arrays.items() if name != "biases"},
            "whole numbers": arrays | {"weights": arrays["weights"].astype(np.int32)},
            "not a number": arrays | {"weights": arrays["weights"] * np.float32(np.nan)},
        }
        safetensors.numpy.save_file(damaged[content], path)
    with pytest.raises(InputError) as caught:
        seqgen.load(saved)
    assert str(saved) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("weights", [[1.0], [1.0, -1.0], [1, None], "odd", [1.0, 1.0, 1.0]])
def test_damaged_weights_are_refused_in_a_sentence(saved, weights):
    path = saved / "word_ngrams.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"weights": weights}))
    with pytest.raises(InputError, match="weights"):
        seqgen.load(saved)


def test_an_ensemble_has_the_n_grams_of_its_first_member_beside_the_mean_of_the_networks(mixed):
    other = make_text_classifier(hidden_size=20)
    networks = seqgen.ensemble([make_text_classifier(), other]).probabilities(OTHERS)
    found = seqgen.ensemble([mixed, other]).probabilities(OTHERS)
    assert np.array_equal(found, mixed.ngrams.probabilities(networks, OTHERS))
    assert not np.array_equal(found, mixed.probabilities(OTHERS))
    assert np.array_equal(seqgen.ensemble([other, mixed]).probabilities(OTHERS), networks[:, ::1])
