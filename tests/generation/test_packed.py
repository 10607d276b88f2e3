import pytest
import torch
from torch import nn

from seqgen import patterns
from seqgen.errors import InputError
from seqgen.generation import packed as module
from seqgen.generation.beam import beam_search
from seqgen.generation.config import GenerationConfig
from seqgen.generation.packed import PackedDecoder, packed
from seqgen.generation.sampling import sample, sampled
from seqgen.nn.decoder import RecurrentDecoder
from seqgen.state import Memory
from seqgen.symbols import BOS
from seqgen.testing import check_decoder

VOCABULARY = 21


def make_decoder(cell="lstm", layers=2, hidden_size=32):
    torch.manual_seed(3)
    decoder = patterns.generator(VOCABULARY, cell=cell, hidden_size=hidden_size, layers=layers, embedding_size=8).eval()
    with torch.no_grad():
        for name, parameter in decoder.named_parameters():
            if "bias" in name:
                parameter.normal_()  # they start at zero, where a forgotten one would not show
        decoder.output.weight.mul_(4)
    return decoder


def unroll(decoder, tokens):
    """The (batch, steps, vocabulary) logits of reading (batch, steps) tokens one after the other."""
    state, logits = decoder.start(batch_size=len(tokens)), []
    for position in tokens.T:
        step, state = decoder.step(position, state)
        logits.append(step)
    return torch.stack(logits, dim=1)


@pytest.mark.parametrize("layers", [1, 2, 3])
@torch.no_grad()
def test_packed_equals_plain(cell, layers):
    decoder, tokens = make_decoder(cell, layers), torch.randint(VOCABULARY, (5, 12))
    torch.testing.assert_close(unroll(packed(decoder, "fp32"), tokens), decoder(tokens)[0], atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_tied_embeddings_are_laid_out_too(cell):
    decoder = patterns.generator(VOCABULARY, cell=cell, hidden_size=16, embedding_size=8, tie_embeddings=True).eval()
    tokens = torch.randint(VOCABULARY, (5, 12))
    assert isinstance(packed(decoder, "fp32"), PackedDecoder)
    torch.testing.assert_close(unroll(packed(decoder, "fp32"), tokens), decoder(tokens)[0], atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_a_packed_decoder_keeps_the_contract(cell):
    check_decoder(packed(make_decoder(cell), "fp32"), VOCABULARY)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_same_seed_writes_the_same_tokens(cell, seed, monkeypatch):
    decoder = make_decoder(cell)
    config = GenerationConfig(max_new_tokens=60, precision="fp32")
    prompts, seeds = [[BOS, 5], [BOS], [BOS, 7, 8]], range(seed, seed + 3)
    laid_out = [step[:2] for step in sample(decoder, prompts, config, seeds=seeds)]
    monkeypatch.setattr("seqgen.generation.sampling.packed", lambda decoder, *_, **__: decoder)
    assert laid_out == [step[:2] for step in sample(decoder, prompts, config, seeds=seeds)]


@pytest.mark.parametrize("hidden_size", [32, 512])
@pytest.mark.parametrize("small", [0, 1024])
@torch.no_grad()
def test_bf16_stays_within_its_stated_error(cell, hidden_size, small, monkeypatch):
    monkeypatch.setattr(module, "SMALL_OUTPUT", small)
    decoder, tokens = make_decoder(cell, hidden_size=hidden_size), torch.randint(VOCABULARY, (16, 40))
    exact = decoder(tokens)[0].log_softmax(-1)
    difference = (unroll(packed(decoder, "bf16"), tokens).log_softmax(-1) - exact).abs()
    assert 0 < difference.mean() < 0.02
    assert difference.max() < 0.3


@pytest.mark.skipif(not torch.cpu.get_capabilities().get("avx512_bf16"), reason="other kernels round by the batch")
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@torch.no_grad()
def test_a_row_is_the_same_bit_for_bit_in_any_batch(cell, precision, monkeypatch):
    monkeypatch.setattr(module, "SMALL_OUTPUT", 0)  # whose product rounds by the number of rows
    decoder = packed(make_decoder(cell, hidden_size=64), precision, rows=40)
    tokens = torch.randint(VOCABULARY, (40, 15))
    together = unroll(decoder, tokens)
    for rows in ([0], [3, 4], [39, 0, 7], list(range(5)), list(range(17))):
        assert torch.equal(unroll(decoder, tokens[rows]), together[rows])


@pytest.mark.parametrize("layers", [1, 2])
@torch.no_grad()
def test_an_lstm_without_a_call_of_its_own_is_made_of_products(layers, monkeypatch):
    def missing(*_):
        raise NotImplementedError

    decoder, tokens = make_decoder("lstm", layers), torch.randint(VOCABULARY, (5, 12))
    monkeypatch.setattr(torch.ops.mkldnn, "_reorder_mkldnn_rnn_layer_weight", missing, raising=False)
    torch.testing.assert_close(unroll(packed(decoder, "fp32"), tokens), decoder(tokens)[0], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(unroll(packed(decoder, "bf16"), tokens), decoder(tokens)[0], atol=0.3, rtol=0.1)


@torch.no_grad()
def test_a_vocabulary_too_large_for_a_table_changes_nothing(cell, monkeypatch):
    decoder, tokens = make_decoder(cell), torch.randint(VOCABULARY, (2, 9))
    expected = unroll(packed(decoder, "fp32"), tokens)
    monkeypatch.setattr(module, "LARGEST_TABLE", 1)
    torch.testing.assert_close(unroll(packed(decoder, "fp32"), tokens), expected)


@torch.no_grad()
def test_without_onednn_it_writes_the_same(cell, monkeypatch):
    decoder, tokens = make_decoder(cell), torch.randint(VOCABULARY, (2, 9))

    def missing(*_):
        raise NotImplementedError

    for name in ("_reorder_linear_weight", "_reorder_mkldnn_rnn_layer_weight"):
        monkeypatch.setattr(torch.ops.mkldnn, name, missing, raising=False)
    torch.testing.assert_close(unroll(packed(decoder, "fp32"), tokens), decoder(tokens)[0], atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_training_on_does_not_change_what_was_packed(cell):
    decoder, tokens = make_decoder(cell), torch.randint(VOCABULARY, (2, 9))
    laid_out = packed(decoder)
    before = unroll(laid_out, tokens)
    for parameter in decoder.parameters():
        parameter.add_(1)
    assert torch.equal(unroll(laid_out, tokens), before)


def test_a_decoder_with_a_step_of_its_own_is_not_laid_out():
    class Doubtful(RecurrentDecoder):
        def step(self, tokens, state, memory=None):
            logits, state = super().step(tokens, state, memory)
            return logits / 2, state

    plain = make_decoder()
    doubtful = Doubtful(plain.embedding, plain.recurrent, plain.output)
    assert packed(doubtful) is doubtful
    assert isinstance(packed(plain), PackedDecoder)


def test_a_decoder_of_other_parts_is_not_laid_out():
    class Scaled(nn.Linear):
        def forward(self, x):
            return super().forward(x) / 2

    plain = make_decoder()
    scaled = RecurrentDecoder(plain.embedding, plain.recurrent, Scaled(32, VOCABULARY))
    halved = make_decoder().half()
    named = make_decoder()
    named.weights = torch.zeros(1)
    for decoder in (scaled, halved, named):
        assert packed(decoder) is decoder


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_no_rows_are_a_sentence_and_do_not_end_the_process(cell, precision):
    decoder = packed(make_decoder(cell), precision)
    state = decoder.start(batch_size=1).select(torch.zeros(0, dtype=torch.long))
    with pytest.raises(InputError, match=r"^tokens must be"):
        decoder.step(torch.zeros(0, dtype=torch.long), state)


@pytest.mark.parametrize("rows", [[], [0], [3], [3, 0], [3, 3, 3]], ids=str)
@pytest.mark.parametrize("search", [beam_search, sampled])
def test_a_memory_without_positions_or_for_other_prompts_is_a_sentence(search, rows):
    mask = torch.arange(max([*rows, 0])) < torch.tensor(rows, dtype=torch.long).unsqueeze(1)
    memory = Memory(torch.zeros(*mask.shape, 8), mask, torch.zeros(len(rows), 8))
    with pytest.raises(InputError, match=r"^memory must have a row for each of 2 prompts"):
        search(make_decoder(), [[BOS], [BOS]], GenerationConfig(max_new_tokens=2), memory=memory)
