"""Attention, the decoder that has it, and the encoder-decoder of both."""

import pytest
import torch
from torch import nn

from seqgen import patterns
from seqgen.batches.pairs import pairs
from seqgen.errors import InputError
from seqgen.generation.packed import PackedDecoder, packed
from seqgen.nn.attention import KINDS, Attention
from seqgen.nn.bridge import Bridge
from seqgen.state import Memory
from seqgen.symbols import BOS, PAD
from seqgen.testing import check_decoder
from seqgen.training.losses import target_tokens

SIZE = 30


def make_memory(*lengths, size=12):
    longest = max(lengths)
    mask = torch.arange(longest) < torch.tensor(lengths).unsqueeze(1)
    return Memory(torch.randn(len(lengths), longest, size) * mask.unsqueeze(2), mask, torch.randn(len(lengths), size))


def make_model(**options):
    options = {"hidden_size": 16, "embedding_size": 8, "layers": 2, "dropout": 0.4, **options}
    return patterns.translator(SIZE, **options).eval()


def rows(*lengths):
    return [torch.randint(4, SIZE, (length,)) for length in lengths]


def padded(texts, steps=None):
    steps = steps or max(map(len, texts))
    return torch.stack([nn.functional.pad(text, (0, steps - len(text)), value=PAD) for text in texts])


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.mark.parametrize("heads", [1, 3])
@torch.no_grad()
def test_weights_sum_to_one_and_are_zero_on_padding(kind, heads):
    memory = make_memory(5, 1, 3)
    found, weights = Attention(7, 12, kind, heads)(torch.randn(3, 4, 7), memory)
    assert found.shape == (3, 4, 12)
    assert weights.shape == (3, heads, 4, 5)
    torch.testing.assert_close(weights.sum(dim=3), torch.ones(3, heads, 4))
    assert not weights.masked_select(~memory.mask[:, None, None].expand_as(weights)).any()
    share = 12 // heads
    for head in range(heads):
        part = slice(head * share, (head + 1) * share)
        torch.testing.assert_close(found[..., part], weights[:, head] @ memory.states[..., part])


@torch.no_grad()
def test_what_stands_on_padding_changes_nothing(kind):
    attention, queries, memory = Attention(7, 12, kind), torch.randn(2, 4, 7), make_memory(5, 2)
    found, weights = attention(queries, memory)
    noisy = memory._replace(states=memory.states + 9 * ~memory.mask.unsqueeze(2))
    torch.testing.assert_close(attention(queries, noisy), (found, weights))
    alone = Memory(memory.states[1:, :2], memory.mask[1:, :2], memory.summary[1:])
    torch.testing.assert_close(attention(queries[1:], alone)[0], found[1:])


def test_what_cannot_be_is_a_sentence():
    with pytest.raises(InputError, match=r"attention must be one of general, additive, not 'genral' \(did you mean"):
        Attention(4, 4, "genral")
    with pytest.raises(InputError, match="divide the memory's 4 features, not 3"):
        Attention(4, 4, heads=3)


@torch.no_grad()
def test_a_bridge_makes_the_state_of_all_layers(cell):
    state = Bridge(12, 5, 3, cell)(torch.randn(4, 12))
    assert state.h.shape == (3, 4, 5)
    assert (state.c is not None) == (cell == "lstm")


CASES = [
    {},
    {"layers": 1},
    {"layers": 3, "heads": 4},
    {"attention": "additive"},
    {"input_feeding": True},
    {"input_feeding": True, "layers": 1},
]


@pytest.mark.parametrize("options", CASES)
@torch.no_grad()
def test_the_decoder_keeps_the_contract(cell, options):
    model = make_model(cell=cell, **options)
    memory = model.encoder(padded(rows(6, 2, 4)))
    check_decoder(model.decoder, SIZE, memory=memory)
    laid_out = packed(model.decoder, "fp32", rows=3, memory=memory)
    check_decoder(laid_out, SIZE, memory=memory)
    assert isinstance(laid_out, PackedDecoder) != options.get("input_feeding", False)


@pytest.mark.parametrize("options", CASES)
@torch.no_grad()
def test_packed_and_prompts_equal_the_plain_decoder(cell, options):
    model = make_model(cell=cell, **options)
    memory, tokens = model.encoder(padded(rows(6, 2, 4))), torch.randint(SIZE, (3, 7))
    logits, last = model.decoder(tokens, None, memory)
    laid_out = packed(model.decoder, "fp32", rows=3, memory=memory)
    state = laid_out.start(memory)
    for position in range(7):
        step, state = laid_out.step(tokens[:, position], state, memory)
        torch.testing.assert_close(step, logits[:, position], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(state.h, last.h, atol=1e-4, rtol=1e-4)
    lengths = torch.tensor([3, 7, 1])
    read, _ = model.decoder.read(tokens, lengths, model.decoder.start(memory), memory)
    torch.testing.assert_close(read, logits[range(3), lengths - 1], atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_what_attention_was_given_is_counted():
    model = make_model()
    memory = model.encoder(padded(rows(6, 2)))
    state = model.decoder.start(memory)._replace(attended=torch.zeros(1, 2, 6))
    for written in range(1, 5):
        _, state = model.decoder.step(torch.tensor([5, 6]), state, memory)
        torch.testing.assert_close(state.attended.sum(dim=2), torch.full((1, 2), float(written)))
    assert not state.attended[0, 1, 2:].any()


def test_a_decoder_says_what_it_starts_from():
    model = make_model()
    with pytest.raises(ValueError, match="starts from a memory"):
        model.decoder.start(batch_size=2)
    with torch.no_grad(), pytest.raises(ValueError, match="give the memory that it attends to"):
        model.decoder.step(torch.tensor([5]), model.decoder.start(make_memory(3, size=16)))


@torch.no_grad()
def test_neither_padding_nor_neighbours_change_a_row(cell):
    model = make_model(cell=cell)
    sources, targets = rows(6, 2, 4), rows(3, 5, 5)
    together = model((padded(sources, 9),), padded(targets, 8))
    for row, (source, target) in enumerate(zip(sources, targets, strict=True)):
        alone = model((source[None],), target[None])[0]
        torch.testing.assert_close(together[row, : len(target)], alone, atol=1e-5, rtol=1e-4)


def test_languages_may_share_their_embeddings_or_not():
    model = make_model()
    assert model.encoder.embedding.weight is model.decoder.embedding.weight is model.output.weight
    apart = patterns.translator(SIZE, 20, hidden_size=16, embedding_size=8)
    assert apart.encoder.embedding.weight.shape[0] == SIZE
    assert apart.output.weight is apart.decoder.embedding.weight
    assert apart.output.out_features == 20


def batch():
    targets = [row.numpy() for row in rows(4, 6, 5, 3)]
    return pairs((padded(rows(5, 3, 6, 4)),), targets)


@pytest.mark.parametrize("options", [*CASES, {"cell": "gru"}, {"cell": "rnn"}])
def test_it_overfits_a_batch(options):
    model, one = make_model(**{"hidden_size": 32, "dropout": 0.0, **options}), batch()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.02)
    for _ in range(40):
        loss = target_tokens(model, one)
        optimizer.zero_grad()
        (loss.total / loss.count).backward()
        optimizer.step()
    assert loss.total / loss.count < 0.2


def test_scheduled_sampling_reads_what_the_model_would_write():
    model, one = make_model(), batch()
    plain = target_tokens(model, one).total
    torch.testing.assert_close(target_tokens(model, one, scheduled_sampling=1e-9).total, plain)
    written = model(one.inputs, one.tokens).argmax(dim=2)
    read = torch.cat([one.tokens[:, :1], torch.where(one.tokens[:, 1:] != PAD, written[:, :-1], PAD)], dim=1)
    expected = target_tokens(model, one._replace(tokens=read)).total
    torch.testing.assert_close(target_tokens(model, one, scheduled_sampling=1.0).total, expected)
    assert (one.tokens[:, 0] == BOS).all()
    with torch.no_grad():
        torch.testing.assert_close(target_tokens(model, one, scheduled_sampling=1.0).total, plain)
