"""Beam search for texts that have certain words, against what can be enumerated, in torch and on arrays."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from exports import chain_decoder
from making import Chain

from seqgen.errors import InputError
from seqgen.generation.beam import beam_search as in_torch
from seqgen.generation.config import GenerationConfig
from seqgen.runtime.beam import beam_search as on_arrays
from seqgen.symbols import BOS, EOS, PAD, UNK

SIZE, LONGEST = 7, 5
A, B, C = range(4, SIZE)


def search_in_torch(table, prompts, config, **options):
    return in_torch(Chain(table), prompts, config, **options)


def search_on_arrays(table, prompts, config, **options):
    decoder = chain_decoder(table)
    return on_arrays(decoder, prompts, config, start=decoder.start(len(prompts)), **options)


SEARCHES = pytest.mark.parametrize("search", [search_in_torch, search_on_arrays])
WORDS = [
    [[[A]]],
    [[[A, B]]],
    [[[A, A, B]]],  # which may begin again within itself
    [[[A, B]], [[B, C]]],  # which may share a token
    [[[A, B, C]], [[B]]],  # one of which has the other
    [[[A, B], [C, C]]],  # either spelling
    [[[B, A], [BOS, A]]],  # the second only at the beginning of a text
    [[[C, B, A, B, C]]],  # for which there is just room
]


def random_table(seed):
    return 2 * np.random.default_rng(seed).normal(size=(SIZE, SIZE)).astype(np.float32)


def options_of(**options):
    options = {"max_new_tokens": LONGEST, "do_sample": False, "suppress_tokens": (PAD, BOS, UNK), **options}
    return GenerationConfig(**options)


def has(text, word, prompt):
    """Whether a text has a word, whose spelling after BOS is only found where the prompt is nothing else."""
    whole = [BOS if list(prompt) == [BOS] else -1, *text]
    ends = range(len(whole) + 1)
    return any(whole[begin : begin + len(spelling)] == spelling for spelling in word for begin in ends)


def every_score(table, config, words, prompt):
    """The scores of all texts that have all words."""
    allowed = torch.from_numpy(table).index_fill(1, torch.tensor(config.suppress_tokens), -torch.inf)
    logs, scores = allowed.log_softmax(dim=1).numpy(), {}
    for length in range(LONGEST + 1):
        for text in itertools.product((A, B, C), repeat=length):
            if all(has(text, word, prompt) for word in words):
                whole = (*text, EOS) if length < LONGEST else text
                log = sum(logs[pair] for pair in itertools.pairwise((prompt[-1], *whole)))
                scores[text] = log / len(whole) ** config.length_penalty
    return scores


@SEARCHES
@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("prompt", [[BOS], [BOS, B]])
@pytest.mark.parametrize(("seed", "length_penalty"), [(0, 0.0), (1, 1.0), (2, 2.0)])
def test_a_wide_beam_finds_what_exhaustive_search_finds(search, words, prompt, seed, length_penalty):
    config = options_of(num_beams=500, num_return_sequences=10, length_penalty=length_penalty)
    table = random_table(seed)
    expected = every_score(table, config, words, prompt)
    [found] = search(table, [prompt], config, words=words)
    best = (sorted(expected.values(), reverse=True) + [min(expected.values())] * 10)[:10]  # the last is repeated
    assert [one.score for one in found] == pytest.approx(best, abs=1e-4)
    assert [expected[tuple(one.tokens)] for one in found] == pytest.approx([one.score for one in found], abs=1e-4)
    assert len({tuple(one.tokens) for one in found}) == min(10, len(expected))


@SEARCHES
@pytest.mark.parametrize("num_beams", [2, 3, 5])
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("words", [[[[A, B, A]], [[C, C, A]], [[B, B]]], [[[A, B, C]], [[A, C, C]], [[A, A]]]])
def test_with_few_beams_every_text_has_every_word(search, num_beams, seed, words):
    prompts = [[BOS], [BOS, A, B], [BOS, C]]
    table = random_table(seed)
    table[:, A] -= 5  # so that no text has them unless it must
    for room in (8, 20):  # just enough, and more
        config = options_of(num_beams=num_beams, num_return_sequences=2, max_new_tokens=room)
        for prompt, row in zip(prompts, search(table, prompts, config, words=words), strict=True):
            assert all(has(one.tokens, word, prompt) for one in row for word in words)
            assert all(one.ended or len(one.tokens) == room for one in row)


@SEARCHES
def test_a_row_does_not_depend_on_its_neighbours(search):
    words, prompts = [[[A, B, C], [BOS, C]], [[C, B]]], [[BOS], [BOS, A, B, C], [BOS, C]]
    for seed in range(4):
        table = random_table(seed)
        config = options_of(num_beams=4, num_return_sequences=3, max_new_tokens=12)
        alone = [row for prompt in prompts for row in search(table, [prompt], config, words=words)]
        assert search(table, prompts, config, words=words) == alone


@pytest.mark.parametrize("num_beams", [2, 5, 9])
def test_on_arrays_the_scores_are_those_of_torch(num_beams):
    words, prompts = [[[A, B, A]], [[C, C], [BOS, B]]], [[BOS], [BOS, A, B], [BOS, C]]
    for seed in range(4):
        config = options_of(num_beams=num_beams, num_return_sequences=2, max_new_tokens=12)
        mine, theirs = (
            [one.score for row in search(random_table(seed), prompts, config, words=words) for one in row]
            for search in (search_in_torch, search_on_arrays)
        )
        assert mine == pytest.approx(theirs, abs=1e-4)  # texts of the same pairs of tokens are equally likely


@SEARCHES
def test_a_word_that_comes_by_itself_changes_nothing(search):
    table = random_table(3)
    config = options_of(num_beams=500, suppress_tokens=(PAD, BOS, EOS, UNK))  # texts that never end
    [[free]] = search(table, [[BOS]], config)
    [[forced]] = search(table, [[BOS]], config, words=[[free.tokens[1:3]]])
    assert (forced.tokens, forced.score) == (free.tokens, pytest.approx(free.score, abs=1e-4))


@SEARCHES
def test_beams_wait_for_where_a_word_fits(search):
    """The word is improbable at the beginning, and likely after a token that comes later."""
    table = np.full((SIZE, SIZE), -9.0, np.float32)
    table[BOS, A] = table[A, A] = table[B, C] = table[C, EOS] = 5
    table[A, B] = 3
    [[one]] = search(table, [[BOS]], options_of(num_beams=4, max_new_tokens=9), words=[[[B, C]]])
    assert one.tokens[-2:] == [B, C]
    assert set(one.tokens[:-2]) == {A}


@SEARCHES
def test_what_cannot_be_is_a_sentence(search):
    table, config = random_table(0), options_of(num_beams=4)
    for words, options in (
        ([[[A] * (LONGEST + 1)]], config),
        ([[[A, B]]], replace(config, suppress_tokens=(A,))),
        ([[[A, A, A]]], replace(config, no_repeat_ngram_size=2)),
    ):
        with pytest.raises(InputError, match=r"no text with all of .* was found: give more max_new_tokens, or fewer"):
            search(table, [[BOS], [BOS, C]], options, words=words)
    for words in ([[]], [[[]]], [[[SIZE]]], [[[-1]]]):
        with pytest.raises(InputError, match="words must each have tokens from 0 to 6"):
            search(table, [[BOS]], config, words=words)
