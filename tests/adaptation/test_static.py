"""The static components of a mixture: what network and n-gram model say of each target, in the same order."""

import numpy as np
import pytest
import torch

from seqgen import patterns
from seqgen.adaptation import static
from seqgen.adaptation.static import static_components
from seqgen.batches.documents import Documents
from seqgen.batches.stream import held_back_windows
from seqgen.ngram import NGram
from seqgen.symbols import EOS, SYMBOLS
from seqgen.training.losses import evaluate

SIZE = len(SYMBOLS) + 9
TEXT = len(SYMBOLS) + np.random.default_rng(0).integers(3, size=2000).cumsum() % 9
CHAIN = NGram.fit(TEXT[:1500], vocab_size=SIZE, order=4)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return patterns.generator(vocab_size=SIZE, hidden_size=8, embedding_size=8).eval()


def test_a_text_in_lanes_has_the_scores_of_the_text_in_one_piece(network, monkeypatch):
    monkeypatch.setattr(static, "CHUNK", 7 * SIZE)  # positions that are computed at once
    batches = list(held_back_windows(TEXT, window=64, lanes=3, warm_up=100))
    found = static_components(network, CHAIN, batches)
    assert found.shape == (2, len(TEXT))
    assert np.sort(found[1]) == pytest.approx(np.sort(CHAIN.score(TEXT)), abs=1e-5)
    assert -found[0].mean() == pytest.approx(evaluate(network, batches), abs=1e-5)
    targets = np.concatenate([batch.targets[batch.targets != 0].numpy() for batch in batches])
    one_lane = held_back_windows(TEXT, window=64, lanes=1)
    for ours, whole in zip(found, static_components(network, CHAIN, one_lane), strict=True):
        for token in np.unique(TEXT):  # the scores belong to the same targets
            assert ours[targets == token].sum() == pytest.approx(whole[token == TEXT].sum(), abs=0.05)


def test_documents_are_scored_each_by_itself(network):
    documents = [np.append(TEXT[begin : begin + length], EOS) for begin, length in ((0, 20), (300, 90), (700, 41))]
    found = static_components(network, CHAIN, Documents(documents, 2, 32).once())
    assert np.sort(found[1]) == pytest.approx(np.sort(np.concatenate([*map(CHAIN.score, documents)])), abs=1e-5)


def test_any_model_is_a_component_and_without_a_batch_there_is_nothing(network):
    batches = list(held_back_windows(TEXT, window=64))
    twice = static_components(CHAIN, CHAIN, batches)
    assert twice[0] == pytest.approx(twice[1], abs=1e-5)
    assert static_components(network, CHAIN, []).shape == (2, 0)
