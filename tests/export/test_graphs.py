"""Graphs give what the model gives, for other numbers of rows and steps than they were exported with."""

import numpy as np
import onnxruntime
import pytest
import torch
from exporting import MODELS, network
from making import make_generator, make_translator

from seqgen.errors import InputError
from seqgen.export.graphs import graphs_of, state_shapes
from seqgen.export.parity import require_parity, require_related
from seqgen.export.quantized import quantized
from seqgen.inference.generator import Generator
from seqgen.ngram import NGram
from seqgen.text.characters import CharacterTokenizer

AXES = {"batch": 4, "time": 29, "positions": 6, "words": 3, "characters": 8}  # none of them tried by the export itself

# Each kind, cell, direction and way of attending is in one of these at least: an export takes a second.
TRIED = {
    "generator": ["read", "step"],
    "generator_of_gru": ["read"],
    "translator": ["encode", "step", "read"],
    "captioner": ["encode", "step"],
    "conditional_generator": ["encode"],
    "text_classifier": ["classify"],
    "image_classifier": ["classify"],
    "tagger": ["tag"],
}


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in TRIED.items() for name in names])
def test_a_graph_gives_what_the_model_gives_for_any_number_of_rows_and_steps(kind, name):
    bundle = MODELS[kind]()
    must_be_near(name, graphs_of(bundle, bundle.model)[name], network(name, kind))


def must_be_near(name, graph, model):
    """The graph gives what the model gives, and in int8 nearly so."""
    assert require_parity(name, graph, model)["largest_difference"] < 1e-4
    given = graph.draw(AXES)
    with torch.no_grad():
        expected = graph.calculate(given)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found = session.run(list(expected), {key: value.numpy() for key, value in given.items()})
    for key, value in zip(expected, found, strict=True):
        np.testing.assert_allclose(value, expected[key].numpy(), atol=1e-4, err_msg=f"{name} {key}")
    assert require_related(name, graph, quantized(model))["largest_error"] < 0.3


def test_the_state_of_a_decoder_has_the_shapes_that_are_said():
    for decoder in (make_generator(layers=2).model, make_generator(cell="gru").model):
        state = decoder.start(batch_size=5)
        said = {
            name: tuple(5 if one == "batch" else one for one in shape) for name, shape in state_shapes(decoder).items()
        }
        assert said == {name: tuple(one.shape) for name, one in state._asdict().items() if one is not None}


def test_attention_weights_of_a_step_are_those_of_the_model():
    translator = make_translator()
    given = graphs_of(translator, translator.model)["step"].draw(AXES)
    found = graphs_of(translator, translator.model)["step"].calculate(given)["weights"]
    torch.testing.assert_close(found.sum(dim=1), torch.ones(AXES["batch"]))
    assert (found[~given["mask"]] == 0).all()


def test_a_markov_chain_is_refused_by_its_name():
    tokenizer = CharacterTokenizer.fit(["abab"])
    chain = Generator.of(NGram.fit(tokenizer.encode("abab" * 9), vocab_size=tokenizer.vocab_size), tokenizer=tokenizer)
    with pytest.raises(InputError, match=r"RecurrentDecoder.*not a NGram"):
        graphs_of(chain, chain.model)
