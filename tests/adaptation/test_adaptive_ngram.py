"""The n-gram model that is refitted as it reads: what refitting from scratch gives, and nothing of what comes later."""

import numpy as np
import pytest

from seqgen.adaptation import ngram
from seqgen.adaptation.ngram import adaptive_ngrams, recent_ngram, refitted_ngram
from seqgen.errors import InputError
from seqgen.ngram import NGram
from seqgen.symbols import BOS, EOS, SYMBOLS

SIZE = len(SYMBOLS) + 9


def random_text(length, seed):
    """A text whose tokens depend on those before, with the end of a document now and then."""
    random = np.random.default_rng(seed)
    text = len(SYMBOLS) + random.integers(3, size=length).cumsum() % 9
    text[random.random(length) < 0.02] = EOS
    return text


TRAIN, TEXT = random_text(600, 0), random_text(230, 1)


@pytest.mark.parametrize("order", [1, 2, 5])
@pytest.mark.parametrize("every", [70, 1000])
@pytest.mark.parametrize("train", [TRAIN, None])
def test_it_is_refitting_from_scratch(order, every, train):
    found = refitted_ngram(TEXT, train=train, vocab_size=SIZE, order=order, every=every)
    before = TRAIN if train is not None else TRAIN[:0]
    for begin in range(0, len(TEXT), every):
        read = np.concatenate([before, TEXT[:begin]])
        expected = np.full(len(TEXT[begin : begin + every]), -np.log(SIZE))
        if len(read):
            whole = np.concatenate([before, TEXT[: begin + every]])
            expected = NGram.fit(read, vocab_size=SIZE, order=order).score(whole)[len(read) :]
        assert found[begin : begin + every] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("place", [1, 69, 70, 71, 150, 229])
def test_what_comes_later_changes_nothing(place):
    options = {"train": TRAIN, "vocab_size": SIZE, "order": 4}
    other = np.append(TEXT[:place], random_text(300, 2))
    for function in (adaptive_ngrams, lambda *text, **options: refitted_ngram(*text, every=70, **options)[None]):
        ours, theirs = function(TEXT, **options), function(other, **options)
        assert ours[:, :place] == pytest.approx(theirs[:, :place], abs=1e-12)


def test_it_learns_what_it_reads():
    news = np.tile([4, 6, 9, 12, 5], 100)
    loss, static = (-refitted_ngram(news, train=TRAIN, vocab_size=SIZE, every=every) for every in (100, 1000))
    assert loss[:100] == pytest.approx(static[:100])
    assert loss[100:].max() < 0.7 < static[100:].mean()
    assert adaptive_ngrams(news, train=TRAIN, vocab_size=SIZE).shape == (3, 500)


def test_of_the_recent_tokens_only_those_of_the_window_are_counted(monkeypatch):
    options = {"vocab_size": SIZE, "order": 3, "every": 10, "window": 40}
    text = random_text(400, 3)
    found = recent_ngram(text, **options)
    other = np.append(random_text(200, 4), text[200:])
    # The window of the first refit that has none of the changed tokens, nor n-grams that begin with one.
    assert recent_ngram(other, **options)[250:] == pytest.approx(found[250:], abs=1e-12)
    assert recent_ngram(other, **options)[200:230] != pytest.approx(found[200:230], abs=1e-3)
    whole = recent_ngram(text, **{**options, "window": 1000})
    assert whole == pytest.approx(refitted_ngram(text, vocab_size=SIZE, order=3, every=10), abs=1e-12)
    monkeypatch.setattr(ngram, "PIECE", 60)  # and the pieces in which it is read change nothing
    assert recent_ngram(text, **options) == pytest.approx(found, abs=1e-12)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"order": 0}, "order"),
        ({"every": 0}, "every"),
        ({"vocab_size": 6}, "text"),
        ({"text": np.array([4, BOS, 5])}, "text"),
        ({"text": TEXT[:0]}, "text"),
        ({"train": np.array([SIZE])}, "train"),
    ],
)
def test_a_mistake_is_one_sentence(options, named):
    with pytest.raises(InputError, match=rf"^{named} must"):
        refitted_ngram(**{"text": TEXT, "train": TRAIN, "vocab_size": SIZE, **options})
