"""Beam search on arrays against torch's, and against what can be enumerated."""

import itertools

import numpy as np
import pytest
import torch
from exports import chain_decoder
from making import Chain

from seqgen.generation.beam import beam_search as in_torch
from seqgen.generation.config import GenerationConfig
from seqgen.runtime.beam import beam_search, largest
from seqgen.symbols import BOS, EOS, PAD, UNK

SIZE, LONGEST = 7, 4
NEVER = (PAD, BOS, UNK)


def random_table(seed):
    return 2 * np.random.default_rng(seed).normal(size=(SIZE, SIZE)).astype(np.float32)


def search(table, prompts, config):
    decoder = chain_decoder(table)
    return beam_search(decoder, prompts, config, start=decoder.start(len(prompts)))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("length_penalty", [-0.5, 0.0, 1.0, 2.0])
def test_a_wide_beam_is_exhaustive(seed, length_penalty):
    options = {"num_beams": 400, "num_return_sequences": 10, "length_penalty": length_penalty, "do_sample": False}
    config = GenerationConfig(max_new_tokens=LONGEST, suppress_tokens=NEVER, **options)
    table = random_table(seed)
    allowed = torch.from_numpy(table).index_fill(1, torch.tensor(NEVER), -torch.inf)
    logs, scores = allowed.log_softmax(dim=1).numpy(), {}
    for length in range(LONGEST + 1):
        for text in itertools.product([token for token in range(SIZE) if token not in (*NEVER, EOS)], repeat=length):
            whole = (*text, EOS) if length < LONGEST else text
            log = sum(logs[pair] for pair in itertools.pairwise((BOS, *whole)))
            scores[text] = log / len(whole) ** length_penalty
    [found] = search(table, [[BOS]], config)
    assert [one.score for one in found] == pytest.approx(sorted(scores.values(), reverse=True)[:10], abs=1e-4)
    assert [scores[tuple(one.tokens)] for one in found] == pytest.approx([one.score for one in found], abs=1e-4)
    assert len({tuple(one.tokens) for one in found}) == 10


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "options",
    [
        {"num_beams": 1},
        {"num_beams": 4, "num_return_sequences": 3},
        {"num_beams": 6, "num_beam_groups": 3, "diversity_penalty": 0.7, "num_return_sequences": 4},
        {"num_beams": 3, "repetition_penalty": 1.5, "length_penalty": 0.4},
        {"num_beams": 3, "no_repeat_ngram_size": 2, "min_new_tokens": 5},
        {"num_beams": 3, "no_repeat_ngram_size": 1},  # every token is excluded in the end
    ],
)
def test_it_finds_the_hypotheses_of_torch(seed, options):
    table, prompts = random_table(seed), [[BOS], [BOS, 4, 5], [BOS, 6]]
    table[:, EOS] += 1
    config = GenerationConfig(max_new_tokens=12, suppress_tokens=NEVER, do_sample=False, **options)
    expected = in_torch(Chain(table), prompts, config)
    found = search(table, prompts, config)
    assert [[one.tokens for one in row] for row in found] == [[one.tokens for one in row] for row in expected]
    for mine, theirs in zip(itertools.chain(*found), itertools.chain(*expected), strict=True):
        assert mine.score == pytest.approx(theirs.score, abs=1e-4)
        assert mine.ended == theirs.ended


def test_rows_are_independent_of_each_other():
    table, prompts = random_table(9), [[BOS], [BOS, 4, 5, 6], [BOS, 6]]
    config = GenerationConfig(max_new_tokens=9, suppress_tokens=NEVER, do_sample=False, num_beams=3)
    assert search(table, prompts, config) == [found for one in prompts for found in search(table, [one], config)]


def test_the_largest_numbers_are_in_order_and_equal_ones_in_that_of_their_columns():
    best, columns = largest(np.float32([[1, 3, 2, 3, -np.inf]]), 4)
    assert (best.tolist(), columns.tolist()) == ([[3, 3, 2, 1]], [[1, 3, 2, 0]])
