"""Sampling on arrays: frequencies, independent rows, and the ends of texts."""

import numpy as np
import pytest
from exports import as_exported, chain_decoder
from making import make_generator

from seqgen.errors import NonFiniteLogits
from seqgen.generation.config import GenerationConfig
from seqgen.runtime.sampling import Randomness, choose, sample
from seqgen.symbols import BOS, EOS

TABLE = np.random.default_rng(1).normal(scale=2, size=(9, 9)).astype(np.float32)


def texts(table, prompts, seeds, **options):
    decoder, found = chain_decoder(table), [[] for _ in prompts]
    config = GenerationConfig(**{"max_new_tokens": 12, **options})
    for rows, tokens, _ in sample(decoder, prompts, config, seeds=seeds, start=decoder.start(len(prompts))):
        for row, token in zip(rows, tokens, strict=True):
            found[row].append(token)
    return found


@pytest.mark.parametrize("rows", [1, 4000])
def test_tokens_are_as_frequent_as_they_are_probable(rows):
    logits = np.float32([[0.0, 1.0, -np.inf, 2.0, -1.0]])
    uniform = np.random.default_rng(2).random((4000, 1))
    if rows == 1:
        tokens = [int(choose(logits.copy(), one[None])[0]) for one in uniform]
    else:
        tokens = choose(np.repeat(logits, rows, axis=0), uniform).tolist()
    probabilities = np.exp(logits[0]) / np.exp(logits[0]).sum()
    np.testing.assert_allclose(np.bincount(tokens, minlength=5) / 4000, probabilities, atol=0.03)
    assert 2 not in tokens


def test_one_row_and_many_choose_alike():
    logits = np.random.default_rng(3).normal(size=(50, 30)).astype(np.float32)
    uniform = np.random.default_rng(4).random((50, 1))
    alone = [choose(row[None].copy(), one[None])[0] for row, one in zip(logits, uniform, strict=True)]
    assert choose(logits, uniform).tolist() == alone


def test_the_ends_of_the_range_choose_tokens_that_have_a_probability():
    logits = np.float32([[-np.inf, 0.0, 0.0, -np.inf]])
    assert choose(logits.copy(), np.array([[0.0]])).tolist() == [1]
    assert choose(logits.copy(), np.array([[1 - 2.0**-53]])).tolist() == [2]


@pytest.mark.parametrize("uniform", [None, np.full((2, 1), 0.5)])
def test_where_every_token_is_excluded_the_text_ends(uniform):
    assert choose(np.float32([[-np.inf] * 5, [-np.inf, -np.inf, -np.inf, -np.inf, 1]]), uniform).tolist() == [EOS, 4]


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
@pytest.mark.parametrize("options", [{"do_sample": False}, {}, {"top_k": 2}, {"top_p": 0.5}, {"min_p": 0.1}])
def test_logits_that_are_not_finite_are_an_error(wrong, options):
    table = TABLE.copy()
    table[:, 5] = wrong
    with pytest.raises(NonFiniteLogits):
        texts(table, [[BOS]], [1], **options)


def test_rows_are_independent_of_each_other():
    prompts, seeds = [[BOS], [BOS, 5], [BOS, 4, 7]], [1, 2, 3]
    together = texts(TABLE, prompts, seeds)
    assert len({len(text) for text in together}) > 1  # some end early
    for row in range(3):
        assert texts(TABLE, prompts[row : row + 1], seeds[row : row + 1]) == together[row : row + 1]


def test_random_numbers_of_a_row_do_not_depend_on_others():
    together, alone = Randomness([1, 2, 3]), Randomness([2])
    for rows in [[0, 1, 2]] * 300 + [[1]] * 300:
        assert together.draw(rows)[rows.index(1)] == alone.draw([0])[0]


def test_a_seed_gives_the_same_text_again_and_another_seed_another():
    generator = as_exported(make_generator())
    one, again, other = (generator.generate("the ", seed=seed, max_new_tokens=30) for seed in (1, 1, 2))
    assert one == again != other
    assert "".join(generator.stream("the ", seed=1, max_new_tokens=30)) == one[0]
    assert generator.generate(["cat ", "the "], seed=1, max_new_tokens=30)[1] == one[0]
