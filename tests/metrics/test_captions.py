"""Captions against several references."""

import math

import numpy as np
import pytest

from seqgen.metrics.captions import Cider, caption_scores, plain

WORDS = ["a", "dog", "runs", "over", "the", "green", "grass", "man", "sits", "on", "bench"]


def captions(count=40, each=5):
    generator = np.random.default_rng(0)

    def sentence():
        return " ".join(generator.choice(WORDS, generator.integers(3, 12)))

    references = [[sentence() for _ in range(each)] for _ in range(count)]
    said = [one[0] if number % 3 else sentence() for number, one in enumerate(references)]
    return said, references


def test_the_figures_are_those_of_the_usual_package():
    bleu = pytest.importorskip("pycocoevalcap.bleu.bleu")
    cider = pytest.importorskip("pycocoevalcap.cider.cider")
    rouge = pytest.importorskip("pycocoevalcap.rouge.rouge")
    said, references = captions()
    truth = dict(enumerate(references))
    found = {number: [text] for number, text in enumerate(said)}
    ours = caption_scores(said, references)
    theirs = bleu.Bleu(4).compute_score(truth, found, verbose=0)[0]
    for length, score in enumerate(theirs, start=1):
        assert ours[f"bleu{length}"] == pytest.approx(100 * score, rel=1e-5)
    assert ours["cider"] == pytest.approx(100 * cider.Cider().compute_score(truth, found)[0], rel=1e-6)
    assert ours["rouge_l"] == pytest.approx(100 * rouge.Rouge().compute_score(truth, found)[0], rel=1e-6)


def test_what_somebody_said_is_better_than_what_nobody_said():
    _, references = captions(each=3)
    right = caption_scores([one[1] for one in references], references)
    wrong = caption_scores([one[1] for one in references[1:] + references[:1]], references)
    assert right["bleu4"] == pytest.approx(100)
    assert right["rouge_l"] == pytest.approx(100)
    assert all(right[name] > wrong[name] for name in right)


def test_images_may_have_different_numbers_of_references():
    scores = caption_scores(["a dog runs over grass"] * 2, [["a dog runs over grass"], ["a man sits", "the bench"]])
    assert all(math.isfinite(score) for score in scores.values())


def test_an_empty_caption_is_worth_nothing():
    scores = caption_scores(["", ""], [["a dog runs"], ["a man sits"]])
    assert set(scores.values()) == {0.0}


def test_one_reference_said_again_is_the_most_there_can_be():
    references = [[one[0]] for one in captions()[1]]
    figures = Cider(references).scores([one[0] for one in references], range(len(references)))
    lengths = [len(one[0].split()) for one in references]
    assert all(figure == pytest.approx(10) for figure, length in zip(figures, lengths, strict=True) if length >= 4)
    assert figures.max() <= 10 + 1e-9


def test_captions_are_compared_without_case_and_punctuation():
    assert plain(" A dog's ball , there .") == "a dogs ball there"
