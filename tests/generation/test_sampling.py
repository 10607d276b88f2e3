from itertools import pairwise

import pytest
import torch

from seqgen import patterns
from seqgen.generation.config import GenerationConfig
from seqgen.generation.packed import PackedDecoder
from seqgen.generation.sampling import Randomness, read_prompts, sample
from seqgen.protocols import Reader
from seqgen.state import State
from seqgen.symbols import BOS, EOS


class Markov:
    """A decoder that is a table of next-token probabilities; its state only counts the steps."""

    def __init__(self, probabilities):
        self.table = torch.tensor(probabilities).log()
        self.rows = []

    def start(self, memory=None, *, batch_size=None):
        return State(torch.zeros(1, batch_size, 1))

    def step(self, tokens, state, memory=None):
        self.rows.append(len(tokens))
        return self.table[tokens], State(state.h + 1)


def write(decoder, prompts, **options):
    config = GenerationConfig(**options)
    texts = [[] for _ in prompts]
    for rows, tokens, _ in sample(decoder, prompts, config, seeds=[config.seed or 0] * len(prompts)):
        for row, token in zip(rows, tokens, strict=True):
            texts[row].append(token)
    return texts


@pytest.fixture
def decoder(cell):
    model = patterns.generator(12, cell=cell, hidden_size=16, layers=2, embedding_size=8).eval()
    with torch.no_grad():
        model.output.weight.mul_(8)
    return model


PROMPTS = [[BOS, 5, 6, 7], [BOS], [BOS, 9, 9, 9, 9, 4], [BOS, 5, 6, 7]]


@pytest.mark.parametrize(
    "options",
    [{}, {"do_sample": False}, {"top_k": 3}, {"repetition_penalty": 2.0, "no_repeat_ngram_size": 2, "top_p": 0.9}],
)
def test_a_row_does_not_depend_on_its_neighbours(decoder, options):
    together = write(decoder, PROMPTS, max_new_tokens=40, seed=3, **options)
    alone = [write(decoder, [prompt], max_new_tokens=40, seed=3, **options)[0] for prompt in PROMPTS]
    assert together == alone


def test_without_sampling_each_token_is_the_likeliest(decoder):
    [tokens] = write(decoder, [[BOS, 5]], max_new_tokens=15, do_sample=False, suppress_tokens=(EOS,), precision="fp32")
    logits, _ = decoder(torch.tensor([[BOS, 5, *tokens]]))
    logits[..., EOS] = float("-inf")
    assert logits[0].argmax(-1)[1:-1].tolist() == tokens


def test_the_seed_decides(decoder):
    assert write(decoder, PROMPTS[:1], seed=1) == write(decoder, PROMPTS[:1], seed=1)
    assert write(decoder, PROMPTS[:1], seed=1) != write(decoder, PROMPTS[:1], seed=2)


def test_a_finished_row_costs_nothing_more():
    # Token 5 ends at once, token 6 goes on for ever.
    table = [[0.0] * 7 for _ in range(7)]
    table[5][EOS] = table[6][6] = 1.0
    decoder = Markov(table)
    assert write(decoder, [[5], [6], [5]], max_new_tokens=4) == [[EOS], [6] * 4, [EOS]]
    assert decoder.rows == [3, 1, 1, 1]


def test_sampling_follows_the_chain():
    table = [[0.0] * 6 for _ in range(6)]
    table[4] = [0, 0, 0, 0, 0.25, 0.75]
    table[5] = [0, 0, 0, 0, 0.5, 0.5]
    [tokens] = write(Markov(table), [[4]], max_new_tokens=5000)
    followers = [after for before, after in pairwise(tokens) if before == 4]
    assert followers.count(5) / len(followers) == pytest.approx(0.75, abs=0.04)


def test_the_cost_of_a_step_does_not_grow_with_what_was_written(decoder, monkeypatch):
    seen = []

    def step(self, tokens, state, memory=None):
        seen.append((tokens.shape, state.h.shape))
        return original(self, tokens, state, memory)

    original = PackedDecoder.step
    monkeypatch.setattr(PackedDecoder, "step", step)
    write(decoder, [[BOS]], max_new_tokens=50, suppress_tokens=(EOS,))
    assert set(seen) == {((1,), (2, 1, 16))}


def test_prompts_read_in_one_pass_equal_prompts_read_in_steps(decoder, monkeypatch):
    monkeypatch.setattr("seqgen.generation.reading.SHORT", 0)

    class Steps:
        start, step = decoder.start, decoder.step

    assert isinstance(decoder, Reader)
    assert not isinstance(Steps(), Reader)
    logits, state = read_prompts(decoder, PROMPTS, None, "cpu")
    expected, expected_state = read_prompts(Steps(), PROMPTS, None, "cpu")
    torch.testing.assert_close(logits, expected, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(state.h, expected_state.h, atol=1e-5, rtol=1e-4)


def test_a_row_draws_the_same_numbers_whatever_the_others_do():
    together, alone = Randomness([1, 2, 3]), Randomness([2])
    for step in range(600):
        rows = [0, 1, 2] if step < 300 else [1]
        assert together.draw(rows)[rows.index(1)] == alone.draw([0])[0]
