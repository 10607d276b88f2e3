"""Classifiers and taggers in use: batches are formed inside, the order is kept, a saved model is the same."""

import PIL.Image
import pytest
import torch
from making import make_image_classifier, make_tagger, make_text_classifier

import seqgen
from seqgen.errors import InputError
from seqgen.hardware.precision import Calculation

TEXTS = ["a fine film", "dull", "", "the cat sat on the mat. " * 9, "odd \u03a9"]
SENTENCES = [["the", "cat"], ["Zebra"], [], ["on", "the", "Unseen", "mat."], ["x" * 99]]


@pytest.fixture(autouse=True)
def exactly(monkeypatch):
    """Without the rounding of bf16, which a batch's width may change."""
    exact = Calculation("fp32", 1), None
    monkeypatch.setattr("seqgen.inference.inputs.fastest_calculation", lambda *_: exact)


def pictures():
    return [PIL.Image.effect_noise((20 + 5 * number, 30), 60 + number).convert("RGB") for number in range(5)]


@pytest.mark.parametrize(("make", "inputs"), [(make_text_classifier, TEXTS), (make_image_classifier, pictures())])
def test_an_answer_does_not_depend_on_the_others(make, inputs, monkeypatch):
    classifier = make()
    together = classifier.classify(inputs, top_k=3)
    monkeypatch.setattr(type(classifier), "budget", 2)
    for one in (classifier.classify(inputs, top_k=3), [classifier.classify(each, top_k=3)[0] for each in inputs]):
        for mine, theirs in zip(one, together, strict=True):
            assert [label for label, _ in mine] == [label for label, _ in theirs]
            assert [p for _, p in mine] == pytest.approx([p for _, p in theirs], abs=1e-5)


@pytest.mark.parametrize(("make", "inputs"), [(make_text_classifier, TEXTS), (make_image_classifier, pictures())])
def test_probabilities_fall_and_add_up_to_one(make, inputs):
    for labels in make().classify(inputs, top_k=9):
        probabilities = [probability for _, probability in labels]
        assert len(labels) == 3
        assert sum(probabilities) == pytest.approx(1)
        assert probabilities == sorted(probabilities, reverse=True)
    assert [len(labels) for labels in make().classify(inputs)] == [1] * len(inputs)
    assert make().classify([]) == []
    with pytest.raises(InputError, match="top_k must be at least 1, not 0"):
        make().classify(inputs, top_k=0)


def test_a_saved_classifier_is_the_same(tmp_path):
    for number, (classifier, inputs) in enumerate(
        [(make_text_classifier(cell="gru", pooling="attentive"), TEXTS), (make_image_classifier(), pictures())]
    ):
        classifier.save_pretrained(tmp_path / str(number))
        assert seqgen.load(tmp_path / str(number)).classify(inputs, top_k=3) == classifier.classify(inputs, top_k=3)


def test_of_a_long_text_the_beginning_and_the_end_are_read():
    classifier = make_text_classifier()
    text = "a" * 20 + "b" * 500 + "c" * 20
    assert classifier.classify(text) == classifier.classify("a" * 20 + "c" * 20)
    assert classifier.classify(text) != classifier.classify("a" * 20 + "b" * 20)


@pytest.mark.parametrize("words", [False, True])
def test_tags_do_not_depend_on_the_other_texts(words, monkeypatch):
    tagger = make_tagger(words)
    texts = SENTENCES if words else TEXTS
    together = tagger.tag(texts)
    assert [[token for token, _, _ in tokens] for tokens in together] == [list(text) for text in texts]
    monkeypatch.setattr("seqgen.tasks.tagger.BUDGET", 1)
    for mine, theirs in zip(tagger.tag(texts), together, strict=True):
        assert [tag for _, tag, _ in mine] == [tag for _, tag, _ in theirs]
        assert [p for _, _, p in mine] == pytest.approx([p for _, _, p in theirs], abs=1e-5)


def test_a_saved_tagger_is_the_same(tmp_path):
    for words in (False, True):
        tagger = make_tagger(words)
        tagger.save_pretrained(tmp_path / str(words))
        texts = SENTENCES if words else TEXTS
        assert seqgen.load(tmp_path / str(words)).tag(texts) == tagger.tag(texts)


def test_a_tagger_of_words_splits_texts_and_takes_lists():
    tagger = make_tagger(words=True)
    assert [token for token, _, _ in tagger.tag("I don't.")[0]] == ["I", "do", "n't", "."]
    with pytest.raises(InputError, match="a token must not be empty"):
        tagger.tag([["a", ""]])
    assert tagger.tag([]) == []


def test_a_long_text_of_characters_is_read_whole():
    tagger = make_tagger()
    [tokens] = tagger.tag("the cat sat. " * 3000)
    assert len(tokens) == 13 * 3000
    assert torch.tensor([p for _, _, p in tokens]).isfinite().all()
