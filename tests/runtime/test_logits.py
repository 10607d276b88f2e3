"""Logits processors on arrays against torch's."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqgen.errors import InputError, NonFiniteLogits
from seqgen.generation import logits as in_torch
from seqgen.generation.config import GenerationConfig
from seqgen.generation.history import History
from seqgen.runtime.logits import log_softmax, processor, require_finite, softmax, top_k, top_p
from seqgen.symbols import EOS

OPTIONS = st.fixed_dictionaries(
    {
        "do_sample": st.just(True),
        "temperature": st.sampled_from([0.3, 1.0, 1.7]),
        "top_k": st.none() | st.integers(1, 12),
        "top_p": st.none() | st.floats(0.05, 1.0),
        "min_p": st.none() | st.floats(0.0, 1.0),
        "repetition_penalty": st.sampled_from([0.5, 1.0, 1.6]),
        "no_repeat_ngram_size": st.integers(0, 3),
        "min_new_tokens": st.integers(0, 2),
        "suppress_tokens": st.sampled_from([(), (0, 1), (9,)]),
    }
)


def a_history(config):
    history = History([[5, 6, 7, 5, 6], [4, 4]], 10, config)
    history.written = 1
    return history


@settings(max_examples=150, deadline=None)
@given(OPTIONS, st.integers(0, 10_000))
def test_every_combination_of_options_keeps_the_same_tokens_with_the_same_logits(options, seed):
    config, rows = GenerationConfig(**options), [0, 1]
    given_logits = np.random.default_rng(seed).normal(scale=2, size=(2, 10)).astype(np.float32)
    given_logits[0, 3] = given_logits[0, 8]  # equal ones
    expected = in_torch.processor(config, a_history(config))(torch.from_numpy(given_logits.copy()), rows).numpy()
    before = given_logits.copy()
    found = processor(config, a_history(config))(given_logits, rows)
    assert np.array_equal(np.isneginf(found), np.isneginf(expected))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert np.array_equal(given_logits, before)  # which a stream shows


def test_of_equal_logits_those_with_lower_numbers_are_kept():
    assert top_k(np.float32([[1, 2, 2, 2, 0]]), 2)[0].tolist() == [-np.inf, 2, 2, -np.inf, -np.inf]
    assert np.isfinite(top_p(np.zeros((1, 4), np.float32), 0.5))[0].tolist() == [True, True, False, False]


def test_probabilities_of_large_logits_are_finite():
    logits = np.float32([[1e30, -1e30, -np.inf], [-200, -201, -np.inf]])
    assert softmax(logits).sum(axis=1) == pytest.approx([1, 1])
    np.testing.assert_allclose(np.exp(log_softmax(logits)), softmax(logits), atol=1e-6)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_logits_that_are_not_finite_are_an_error(wrong):
    with pytest.raises(NonFiniteLogits):
        require_finite(np.float32([[1, wrong, 2]]))
    require_finite(np.float32([[1, -np.inf]]))


def test_a_suppressed_token_must_exist():
    config = GenerationConfig(suppress_tokens=(10,))
    with pytest.raises(InputError, match="suppress_tokens must be from 0 to 9, not 10"):
        processor(config, a_history(config))


def test_a_text_must_not_end_too_early():
    config = GenerationConfig(min_new_tokens=2, do_sample=False)
    history = a_history(config)
    assert np.isneginf(processor(config, history)(np.zeros((1, 10), np.float32), [0])[0, EOS])
    history.written = 2
    assert np.isfinite(processor(config, history)(np.zeros((1, 10), np.float32), [0])[0, EOS])
