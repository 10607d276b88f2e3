"""Activations are what `forward` and `step` calculate, at every step, layer and direction."""

import pytest
import torch
from making import make_captioner, make_translator

from seqgen import patterns
from seqgen.nn.cells import GATE_NAMES
from seqgen.nn.recurrent import Recurrent
from seqgen.state import State
from seqgen.symbols import PAD

TOKENS = torch.tensor([[5, 6, 7, 8], [9, 4, PAD, PAD], [5, PAD, PAD, PAD]])


def close(one, other):
    torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def same_state(one, other):
    close(one.h, other.h)
    assert (one.c is None) == (other.c is None)
    if one.c is not None:
        close(one.c, other.c)


@pytest.mark.parametrize("layers", [1, 3])
def test_hidden_and_cell_states_are_those_of_each_step(cell, layers):
    recurrent, x = Recurrent(cell, 5, 7, layers).eval(), torch.randn(4, 6, 5)
    state = State(torch.randn(layers, 4, 7), torch.randn(layers, 4, 7) if cell == "lstm" else None)
    found = recurrent.activations(x, state)
    out, last = recurrent(x, state)
    close(found.h[-1], out)
    same_state(found.last, last)
    for step in range(6):
        _, state = recurrent.step(x[:, step], state)
        close(found.h[:, :, step], state.h)
        assert found.c is None or torch.allclose(found.c[:, :, step], state.c, atol=1e-5)


@pytest.mark.parametrize("layers", [1, 2])
def test_states_follow_from_the_gates(cell, layers):
    recurrent = Recurrent(cell, 5, 7, layers)
    h, c, gates = recurrent.activations(torch.randn(4, 6, 5))
    assert tuple(gates) == GATE_NAMES[cell]
    assert {gate.shape for gate in gates.values()} <= {h.shape} == {torch.Size([layers, 4, 6, 7])}
    for name, gate in gates.items():
        assert gate.min() > (-1 if name == "candidate" else 0)
        assert gate.max() < 1
    before = torch.zeros_like(h[:, :, :1])
    if cell == "lstm":
        close(c, gates["forget"] * torch.cat([before, c[:, :, :-1]], dim=2) + gates["input"] * gates["candidate"])
        close(h, gates["output"] * c.tanh())
    elif cell == "gru":
        earlier = torch.cat([before, h[:, :, :-1]], dim=2)
        close(h, gates["update"] * earlier + (1 - gates["update"]) * gates["candidate"])
    assert (c is None) == (cell != "lstm")


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("layers", [1, 2])
def test_an_encoder_has_the_activations_of_each_direction_at_each_token(cell, bidirectional, layers):
    options = {"hidden_size": 6, "embedding_size": 4, "layers": layers, "bidirectional": bidirectional, "skip": False}
    encoder = patterns.text_classifier(20, 3, cell=cell, **options).encoder.eval()
    memory, found = encoder(TOKENS), encoder.activations(TOKENS)
    assert len(found) == 1 + bidirectional
    features = torch.cat([direction.h[-1] for direction in found], dim=2)
    close(features[memory.mask], memory.states[memory.mask])


@pytest.mark.parametrize("options", [{}, {"layers": 1}, {"layers": 3}, {"input_feeding": True}])
def test_a_decoder_with_attention_has_the_activations_of_all_its_layers(cell, options):
    model = make_translator(cell=cell, **options).model
    tokens = torch.randint(4, 14, (3, 5))
    memory = model.encoder(TOKENS)
    found = model.decoder.activations(tokens, None, memory)
    _, last = model.decoder(tokens, None, memory)
    assert found.h.shape == (len(last.h), 3, 5, 16)
    same_state(found.last, last)
    close(model.decoder.activations(tokens[:, :2], None, memory).h, found.h[:, :, :2])


def test_a_captioner_has_them_too():
    model = make_captioner().model
    memory = model.encoder(torch.rand(2, 3, 32, 32))
    same_state(model.decoder.activations(TOKENS[:2], None, memory).last, model.decoder(TOKENS[:2], None, memory)[1])
