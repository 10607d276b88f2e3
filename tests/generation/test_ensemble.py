import itertools
import math

import numpy as np
import pytest
import torch
from making import Chain

from seqgen import patterns
from seqgen.generation.beam import beam_search
from seqgen.generation.config import GenerationConfig
from seqgen.generation.ensemble import DecoderEnsemble, pooled
from seqgen.generation.packed import PackedDecoder, packed
from seqgen.generation.sampling import sample
from seqgen.ngram import NGram
from seqgen.state import Memories, Memory, State, States
from seqgen.symbols import BOS, EOS
from seqgen.testing import check_decoder

VOCABULARY = 11
PROMPTS = [[BOS, 5], [BOS], [BOS, *range(4, 10), *range(4, 10), *range(4, 10)]]


def make_decoder(cell="lstm", seed=1, **options):
    torch.manual_seed(seed)
    sizes = {"hidden_size": 16, "embedding_size": 8, "layers": 2} | options
    decoder = patterns.generator(VOCABULARY, cell=cell, **sizes).eval()
    with torch.no_grad():
        decoder.output.weight.mul_(6)
    return decoder


def make_attentive(cell, positions=6, seed=1, **options):
    """A decoder that attends, and a memory of three rows of which one is padded."""
    torch.manual_seed(seed)
    sizes = {"hidden_size": 16, "embedding_size": 8} | options
    model = patterns.translator(VOCABULARY, cell=cell, **sizes).eval()
    tokens = torch.randint(4, VOCABULARY, (3, positions))
    tokens[1, 4:] = 0
    with torch.no_grad():
        model.decoder.output.weight.mul_(6)
        return model.decoder, model.encoder(tokens)


def make_several():
    """Decoders that differ in cell, size and depth, one of them no network."""
    networks = make_decoder("lstm", 1), make_decoder("gru", 2, hidden_size=24, layers=1), make_decoder("rnn", 3)
    text = np.random.default_rng(0).integers(4, VOCABULARY, 200)
    return DecoderEnsemble([*networks, NGram.fit(text, vocab_size=VOCABULARY, order=3)]).eval()


def make_several_attentive():
    parts = [make_attentive("lstm"), make_attentive("gru", seed=2, hidden_size=24, input_feeding=True)]
    decoders, memories = zip(*parts, strict=True)
    return DecoderEnsemble(decoders), Memories(memories)


def test_the_mean_is_that_of_probabilities():
    logits = 5 * torch.randn(3, 4, 9)
    torch.testing.assert_close(pooled(list(logits)).softmax(-1), logits.softmax(-1).mean(dim=0))


def test_equal_logits_come_back_bit_for_bit():
    logits = 30 * torch.randn(7, 50)
    logits[:, 3] = -math.inf
    for several in (1, 2, 3, 5):
        assert torch.equal(pooled([logits] * several), logits)


def test_a_probability_of_zero_excludes_nothing_but_where_all_have_it():
    one, other = torch.tensor([0.0, -math.inf, -math.inf]), torch.tensor([-math.inf, 0.0, -math.inf])
    assert pooled([one, other]).softmax(-1).tolist() == [0.5, 0.5, 0.0]


def test_an_ensemble_keeps_the_contract_of_decoders():
    check_decoder(make_several(), VOCABULARY)


def test_an_ensemble_with_memories_keeps_the_contract_of_decoders():
    decoder, memories = make_several_attentive()
    check_decoder(decoder, VOCABULARY, memory=memories)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@torch.no_grad()
def test_every_member_is_packed_that_can_be(precision):
    decoder = make_several()
    steps = packed(decoder, precision, rows=5)
    assert [isinstance(member, PackedDecoder) for member in steps.members] == [True, True, True, False]
    tokens, state, other = torch.randint(VOCABULARY, (9, 5)), decoder.start(batch_size=5), steps.start(batch_size=5)
    differences = []
    for position in tokens:
        (logits, state), (found, other) = decoder.step(position, state), steps.step(position, other)
        differences.append((found.log_softmax(-1) - logits.log_softmax(-1)).abs())
    difference = torch.stack(differences)
    assert difference.max() < 1e-4 if precision == "fp32" else 0 < difference.mean() < 0.02


@pytest.mark.parametrize("do_sample", [False, True])
def test_rows_are_independent_of_each_other(do_sample):
    config = GenerationConfig(max_new_tokens=12, do_sample=do_sample, precision="fp32")
    decoder, together = make_several(), [[] for _ in PROMPTS]
    for rows, tokens, _ in sample(decoder, PROMPTS, config, seeds=[1, 2, 3]):
        for row, token in zip(rows, tokens, strict=True):
            together[row].append(token)
    for row, prompt in enumerate(PROMPTS):
        alone = [tokens[0] for _, tokens, _ in sample(decoder, [prompt], config, seeds=[row + 1])]
        assert alone == together[row]


@pytest.mark.parametrize("coverage_penalty", [0.0, 0.3])
def test_rows_of_a_beam_search_are_independent_of_each_other(coverage_penalty):
    decoder, memories = make_several_attentive()
    config = GenerationConfig(
        do_sample=False, max_new_tokens=9, num_beams=4, coverage_penalty=coverage_penalty, precision="fp32"
    )
    together = beam_search(decoder, [[BOS]] * 3, config, memory=memories)
    for row in range(3):
        [alone] = beam_search(decoder, [[BOS]], config, memory=memories.select(torch.tensor([row])))
        assert [one.tokens for one in alone] == [one.tokens for one in together[row]]
        assert [one.score for one in alone] == pytest.approx([one.score for one in together[row]], abs=1e-4)


@pytest.mark.parametrize("length_penalty", [0.0, 1.0])
def test_a_wide_beam_is_exhaustive_search_of_the_mean(length_penalty):
    tokens, longest = 5, 4
    tables = [np.random.default_rng(seed).normal(0, 2, (tokens, tokens)).astype(np.float32) for seed in range(3)]
    chances = np.mean([np.exp(table) / np.exp(table).sum(1, keepdims=True) for table in tables], axis=0)
    options = {"suppress_tokens": (), "num_beams": 300, "num_return_sequences": 5, "max_new_tokens": longest}
    config = GenerationConfig(do_sample=False, length_penalty=length_penalty, **options)
    [found] = beam_search(DecoderEnsemble([Chain(table) for table in tables]), [[BOS]], config)
    scores = {}
    for length in range(1, longest + 1):
        for text in itertools.product(range(tokens), repeat=length):
            if EOS in text[:-1] or (text[-1] != EOS and length < longest):
                continue
            total = sum(math.log(chances[pair]) for pair in itertools.pairwise([BOS, *text]))
            scores[tuple(token for token in text if token != EOS), text[-1] == EOS] = total / length**length_penalty
    best = sorted(scores.values(), reverse=True)[:5]
    assert [one.score for one in found] == pytest.approx(best, abs=1e-4)
    assert [scores[tuple(one.tokens), one.ended] for one in found] == pytest.approx(best, abs=1e-4)


def test_rows_of_states_and_memories_are_chosen_and_replaced_in_all_members():
    states = States(State(torch.randn(layers, 4, 3)) for layers in (1, 2))
    rows = torch.tensor([2, 0])
    assert all(torch.equal(one.h, all_.h[:, rows]) for one, all_ in zip(states.select(rows), states, strict=True))
    replaced = states.put(rows, states.select(rows.flip(0)))
    assert all(torch.equal(one.h[:, 2], all_.h[:, 0]) for one, all_ in zip(replaced, states, strict=True))
    mask = torch.ones(4, 2, dtype=torch.bool)
    memories = Memories(Memory(torch.randn(4, 2, size), mask, torch.randn(4, size)) for size in (3, 5))
    assert all(
        torch.equal(one.states, all_.states[rows]) for one, all_ in zip(memories.select(rows), memories, strict=True)
    )


def test_attention_weights_are_the_mean_of_those_members_that_see_the_same_positions():
    sums = [torch.full((1, 2, 3), 1.0), torch.full((1, 2, 3), 2.0), torch.full((1, 2, 4), 9.0)]
    states = States(State(torch.zeros(1, 2, 1), attended=one) for one in sums)
    assert torch.equal(states.attended, torch.full((1, 2, 3), 1.5))
    assert States([*states, State(torch.zeros(1, 2, 1))]).attended is None
