"""Beam search against what can be enumerated, and rows against their neighbours."""

import itertools
import math
from dataclasses import replace

import pytest
import torch

from seqgen import patterns
from seqgen.errors import InputError
from seqgen.generation.beam import beam_search
from seqgen.generation.config import GenerationConfig
from seqgen.generation.packed import PackedDecoder
from seqgen.generation.sampling import sample
from seqgen.generation.shared_memory import SharedMemory
from seqgen.nn.attention import Attention
from seqgen.state import Memory, State
from seqgen.symbols import BOS, EOS, PAD, UNK

SIZE, LONGEST = 7, 4


class Chain:
    """A random Markov chain: the logits of the next token depend on the last one alone."""

    def __init__(self, seed=0):
        self.table = 2 * torch.randn(SIZE, SIZE, generator=torch.Generator().manual_seed(seed))
        self.steps = 0

    def start(self, memory=None, *, batch_size=None):
        return State(torch.zeros(1, batch_size, 1))

    def step(self, tokens, state, memory=None):
        self.steps += 1
        return self.table[tokens], state


def config(**options):
    options = {"max_new_tokens": LONGEST, "do_sample": False, "suppress_tokens": (PAD, BOS, UNK), **options}
    return GenerationConfig(**options)


def every_text(chain, options, first=BOS):
    """All texts with their scores, the best first."""
    table = chain.table.clone()
    table[:, list(options.suppress_tokens)] = -torch.inf
    logs, texts = table.log_softmax(dim=1), []
    words = [token for token in range(SIZE) if token not in options.suppress_tokens and token != EOS]
    for length in range(LONGEST + 1):
        for text in itertools.product(words, repeat=length):
            whole = (*text, EOS) if length < LONGEST else text
            log = sum(logs[a, b].item() for a, b in itertools.pairwise((first, *whole)))
            texts.append((log / len(whole) ** options.length_penalty, list(text)))
    return sorted(texts, reverse=True)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("length_penalty", [-0.5, 0.0, 0.7, 1.0, 2.0])
def test_a_wide_beam_is_exhaustive(seed, length_penalty):
    chain = Chain(seed)
    options = config(num_beams=400, num_return_sequences=10, length_penalty=length_penalty)
    [found] = beam_search(chain, [[BOS]], options)
    expected = every_text(chain, options)
    assert [one.score for one in found] == pytest.approx([score for score, _ in expected[:10]], abs=1e-4)
    scores = {tuple(text): score for score, text in expected}  # texts of the same pairs of tokens are equally likely
    assert [scores[tuple(one.tokens)] for one in found] == pytest.approx([one.score for one in found], abs=1e-4)
    assert len({tuple(one.tokens) for one in found}) == 10


@pytest.mark.parametrize("seed", range(5))
def test_stopping_early_loses_nothing(seed):
    """A search that may go on finds no better text than one that stops as soon as none can come."""
    chain = Chain(seed)
    chain.table[:, EOS] += 2
    options = config(num_beams=400, length_penalty=0.0, max_new_tokens=LONGEST)
    [[best]] = beam_search(chain, [[BOS]], options)
    assert best.tokens == every_text(chain, options)[0][1]
    assert chain.steps <= LONGEST


def test_it_stops_when_no_live_beam_can_win():
    chain = Chain()
    chain.table[:] = 0
    chain.table[:, EOS] = 10
    beam_search(chain, [[BOS]], config(num_beams=5, length_penalty=0.0, max_new_tokens=1000))
    assert chain.steps == 1


@pytest.mark.parametrize("seed", range(10))
def test_one_beam_is_greedy(seed):
    chain = Chain(seed)
    options = config(max_new_tokens=12)
    prompts = [[BOS], [BOS, 4], [BOS, 5, 6]]
    written = [[] for _ in prompts]
    for rows, tokens, _ in sample(chain, prompts, options, seeds=[0, 0, 0]):
        for row, token in zip(rows, tokens, strict=True):
            written[row].append(token)
    found = [one.tokens + [EOS] * one.ended for [one] in beam_search(chain, prompts, options)]
    assert found == written


def make_translator(**options):
    torch.manual_seed(2)
    options = {"hidden_size": 16, "embedding_size": 8, "layers": 2, **options}
    model = patterns.translator(30, **options).eval()
    with torch.no_grad():
        model.output.weight.mul_(6)
    return model


def memory_of(model, *lengths):
    rows = [torch.randint(4, 30, (length,)) for length in lengths]
    longest = max(lengths)
    with torch.no_grad():
        return model.encoder(torch.stack([torch.nn.functional.pad(row, (0, longest - len(row))) for row in rows]))


OPTIONS = [
    {},
    {"length_penalty": 0.0, "num_return_sequences": 3},
    {"coverage_penalty": 0.3},
    {"no_repeat_ngram_size": 2, "repetition_penalty": 1.3},
    {"num_beam_groups": 2, "diversity_penalty": 0.5, "num_return_sequences": 4},
    {"min_new_tokens": 4},
    {"precision": "bf16"},
]


@pytest.mark.parametrize("options", OPTIONS)
def test_a_row_does_not_depend_on_its_neighbours(options):
    model = make_translator()
    memory, prompts = memory_of(model, 5, 9, 2, 7), [[BOS], [BOS, 5], [BOS], [BOS, 6, 7]]
    usual = {"num_beams": 4, "do_sample": False, "max_new_tokens": 15, "precision": "fp32"}
    options = GenerationConfig(**{**usual, **options})
    together = beam_search(model.decoder, prompts, options, memory=memory)
    for row, prompt in enumerate(prompts):
        mine = memory.select(torch.tensor([row]))
        real = int(mine.mask.sum())
        alone = Memory(mine.states[:, :real], mine.mask[:, :real], mine.summary)
        [found] = beam_search(model.decoder, [prompt], options, memory=alone)
        assert [one.tokens for one in found] == [one.tokens for one in together[row]]
        tolerance = 0.05 if options.precision == "bf16" else 1e-4
        assert [one.score for one in found] == pytest.approx([one.score for one in together[row]], abs=tolerance)


@torch.no_grad()
def test_the_log_probability_is_that_of_teacher_forcing():
    model = make_translator()
    memory = memory_of(model, 6)
    options = GenerationConfig(num_beams=3, num_return_sequences=3, do_sample=False, max_new_tokens=8, precision="fp32")
    for one in beam_search(model.decoder, [[BOS]], options, memory=memory)[0]:
        tokens = [*one.tokens, EOS] if one.ended else one.tokens
        logits, _ = model.decoder(torch.tensor([[BOS, *tokens[:-1]]]), None, memory)
        logs = logits[0].log_softmax(dim=1)[range(len(tokens)), tokens]
        assert one.log_probability == pytest.approx(logs.sum().item(), abs=1e-3)
        assert one.score == pytest.approx(one.log_probability / len(tokens))


def test_what_was_asked_for_is_kept():
    model = make_translator()
    memory = memory_of(model, 6, 3)
    options = GenerationConfig(num_beams=4, do_sample=False, max_new_tokens=12)

    def found(**more):
        rows = beam_search(model.decoder, [[BOS, 9, 8]] * 2, options.with_options(**more), memory=memory)
        return [one.tokens for row in rows for one in row]

    banned = found()[0][0]
    assert all(banned not in text for text in found(suppress_tokens=(banned,)))
    assert all(len(text) >= 7 for text in found(min_new_tokens=7))
    for text in found(no_repeat_ngram_size=2, num_return_sequences=4):
        pairs = list(itertools.pairwise([BOS, 9, 8, *text]))
        assert len(set(pairs)) == len(pairs)
    assert len(found(num_return_sequences=4)) == 8
    assert all(
        len({tuple(text) for text in found(num_return_sequences=4)[4 * row : 4 * row + 4]}) == 4 for row in (0, 1)
    )


def test_groups_differ_from_each_other():
    chain = Chain()
    alike = beam_search(chain, [[BOS]], config(num_beams=2, num_return_sequences=2))
    options = config(num_beams=2, num_beam_groups=2, diversity_penalty=100.0, num_return_sequences=2)
    [[one, other]] = beam_search(chain, [[BOS]], options)
    assert all(a != b for a, b in zip(one.tokens, other.tokens, strict=False))
    same = config(num_beams=2, num_beam_groups=2, num_return_sequences=2)
    [[one, other]] = beam_search(chain, [[BOS]], same)
    assert one.tokens == other.tokens != alike


def test_coverage_is_what_the_attention_weights_say():
    model = make_translator()
    memory = memory_of(model, 6)
    plain = GenerationConfig(num_beams=1, do_sample=False, max_new_tokens=6, precision="fp32")
    [[one]] = beam_search(model.decoder, [[BOS]], plain, memory=memory)
    [[punished]] = beam_search(model.decoder, [[BOS]], replace(plain, coverage_penalty=0.5), memory=memory)
    assert punished.tokens == one.tokens
    with torch.no_grad():
        steps = len(one.tokens) + one.ended
        hidden, _ = model.decoder.recurrent(
            model.decoder.embedding(torch.tensor([[BOS, *one.tokens][:steps]])),
            model.decoder.start(memory).layers(0, 1),
        )
        _, weights = model.decoder.attention(hidden, memory)
    penalty = 0.5 * weights[0, 0].sum(dim=0).clamp(max=1).log().sum().item()
    assert punished.score - one.score == pytest.approx(penalty, abs=1e-3)


def test_a_beam_from_which_nothing_may_follow_ends():
    words = tuple(token for token in range(SIZE) if token != EOS)
    [[one]] = beam_search(Chain(), [[BOS]], config(num_beams=1, suppress_tokens=words, min_new_tokens=2))
    assert (one.tokens, one.ended) == ([], True)
    assert math.isfinite(one.score)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"num_beams": 2, "do_sample": False, "num_return_sequences": 3}, "at most num_beams"),
        ({"num_beams": 2, "do_sample": True}, "num_beams must be 1 where do_sample is on, not 2"),
        ({"num_beams": 3, "do_sample": False, "num_beam_groups": 2}, "num_beam_groups must be a divisor of 3, not 2"),
        ({"diversity_penalty": 1.0}, "diversity_penalty must be 0 with one group of beams"),
        ({"num_beams": 0}, "num_beams must be at least 1, not 0"),
        ({"coverage_penalty": -1.0}, "coverage_penalty must be from 0 to 1000"),
    ],
)
def test_what_does_not_go_together_is_a_sentence(options, sentence):
    with pytest.raises(InputError, match=sentence):
        GenerationConfig(**options)


def test_asking_for_one_way_of_writing_leaves_the_other():
    beams = GenerationConfig().with_options(num_beams=4)
    assert (beams.do_sample, beams.num_beams) == (False, 4)
    assert beams.with_options(do_sample=True).num_beams == 1
    assert not beams.with_options(num_beams=1).do_sample


@pytest.mark.parametrize("packs", [True, False])
@torch.no_grad()
def test_no_step_is_made_for_a_finished_hypothesis(packs, monkeypatch):
    model = make_translator()
    memory, stepped = memory_of(model, 5, 9, 2, 7), []
    if not packs:
        monkeypatch.setattr("seqgen.generation.beam.packed", lambda decoder, *_, **__: decoder)
    kind = PackedDecoder if packs else type(model.decoder)
    step = kind.step

    def counted(self, tokens, state, memory=None):
        assert EOS not in tokens
        assert len(tokens) == state.h.shape[1]
        stepped.append(len(tokens))
        return step(self, tokens, state, memory)

    monkeypatch.setattr(kind, "step", counted)
    options = GenerationConfig(
        num_beams=4, num_return_sequences=4, do_sample=False, max_new_tokens=15, precision="fp32"
    )
    found = beam_search(model.decoder, [[BOS]] * 4, options, memory=memory)
    assert any(one.ended for texts in found for one in texts)
    assert stepped[-1] < 4 * 4


@pytest.mark.parametrize("heads", [1, 2])
@torch.no_grad()
def test_attending_together_equals_attending_alone(heads):
    attention = Attention(6, 4, heads=heads)
    memory = Memory(torch.randn(3, 5, 4), torch.arange(5) < torch.tensor([[5], [2], [3]]), torch.randn(3, 4))
    shared = SharedMemory(memory, torch.tensor([0, 2, 3, 5, 7]), 3)
    queries = torch.randn(5, 1, 6)
    for together, alone in zip(shared.attended(attention, queries), attention(queries, shared.whole()), strict=True):
        torch.testing.assert_close(together, alone)
