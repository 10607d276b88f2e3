"""The vectors of inputs, and those most similar to each other."""

import numpy as np
import pytest
import torch
from making import MADE, make_tagger, make_text_classifier, make_translator
from PIL import Image

import seqgen
from seqgen.errors import InputError

PICTURES = [Image.new("RGB", (40, 30), (60 * number, 9, 99)) for number in range(4)]
INPUTS = {
    "text_classifier": ["the cat sat on the mat", "dog", "a cat", "", "the log"],
    "image_classifier": PICTURES,
    "tagger": ["the cat sat on the mat", "dog", "a cat", "the log"],
    "translator": ["the cat sat on the mat", "dog", "a cat", "the log"],
    "captioner": PICTURES,
    "conditional_generator": ["cat", "dog", "cat"],
}


@pytest.mark.parametrize("kind", INPUTS)
def test_a_vector_does_not_depend_on_its_neighbours(kind):
    model, inputs = MADE[kind](), INPUTS[kind]
    model.precision = "fp32"
    together = model.embed(inputs)
    assert together.dtype == np.float32
    for one, vector in zip(inputs, together, strict=True):
        np.testing.assert_allclose(model.embed([one]), vector[None], atol=1e-5)


def test_a_classifier_answers_from_the_vectors():
    model = make_text_classifier()
    model.precision = "fp32"
    texts = INPUTS["text_classifier"]
    [(numbers, logits)] = model.logits([model.encode(text) for text in texts], 1 << 20)
    vectors = model.embed(texts)[numbers]
    np.testing.assert_allclose(model.model.head(torch.from_numpy(vectors)).detach(), logits, atol=1e-5)


def test_a_text_without_tokens_has_a_vector_of_zeros():
    vectors = make_tagger(words=True).embed(["", "the cat"])
    assert not vectors[0].any()
    assert vectors[1].any()


def test_no_text_has_no_vector():
    assert len(make_translator().embed([])) == 0


def test_an_ensemble_has_none():
    with pytest.raises(InputError, match="take one of its members"):
        seqgen.ensemble([make_translator(), make_translator()]).embed(["the"])


@pytest.mark.parametrize("count", [1, 3, 50])
def test_the_most_similar_vectors_are_those_of_an_exhaustive_search(count):
    draw = np.random.default_rng(0)
    vectors, others = draw.normal(size=(7, 5)).astype(np.float32), draw.normal(size=(2_000, 5)).astype(np.float32)
    found = seqgen.nearest_vectors(vectors, others, count=count)
    for vector, rows, similarities in zip(vectors, *found, strict=True):
        cosines = [vector @ other / np.linalg.norm(vector) / np.linalg.norm(other) for other in others]
        assert rows.tolist() == np.argsort(cosines)[::-1][:count].tolist()
        np.testing.assert_allclose(similarities, [cosines[row] for row in rows], atol=1e-5)


@pytest.mark.parametrize("size", [1e30, 1e-30, 1e200])
def test_vectors_of_any_size_are_compared_by_their_direction(size):
    vectors = np.random.default_rng(0).normal(size=(6, 3))
    usual, extreme = (seqgen.nearest_vectors(one, count=3) for one in (vectors, vectors * size))
    np.testing.assert_array_equal(usual.rows, extreme.rows)
    np.testing.assert_allclose(usual.similarities, extreme.similarities, rtol=1e-5)


def test_without_others_a_vector_is_not_its_own_neighbour():
    vectors = np.random.default_rng(0).normal(size=(1_500, 3)).astype(np.float32)
    found = seqgen.nearest_vectors(vectors, count=2)
    assert (found.rows != np.arange(len(vectors))[:, None]).all()
    assert seqgen.nearest_vectors(vectors[:2], count=5).rows.tolist() == [[1], [0]]
    assert seqgen.nearest_vectors(vectors[:1]).rows.shape == (1, 0)


def test_equal_directions_are_most_similar_and_zeros_are_not_nan():
    vectors = np.array([[1, 1], [0, 0]], np.float32)
    found = seqgen.nearest_vectors(vectors, np.array([[-1, -1], [5, 5], [1, 0]], np.float32), count=3)
    assert found.rows[0].tolist() == [1, 2, 0]
    np.testing.assert_allclose(found.similarities, [[1, 0.5**0.5, -1], [0, 0, 0]], atol=1e-6)


@pytest.mark.parametrize(
    ("vectors", "among", "count", "rule"),
    [
        (np.zeros(3), None, 1, "vectors must be"),
        (np.full((2, 2), np.nan), None, 1, "vectors must be"),
        (np.zeros((2, 2)), np.zeros((2, 3)), 1, "vectors of size 2, not 3"),
        (np.zeros((2, 2)), None, 0, "count must be at least 1"),
    ],
)
def test_other_arrays_are_refused(vectors, among, count, rule):
    with pytest.raises(InputError, match=rule):
        seqgen.nearest_vectors(vectors, among, count=count)
