"""Models whose graphs are exported once for all tests of a run: each takes seconds."""

import os
from contextlib import suppress
from functools import cache, partial

import making
import onnx
import pytest
from filelock import FileLock

from seqgen.export.exporter import exported
from seqgen.export.graphs import graphs_of
from seqgen.export.operators import with_operators


def make_exported():
    """An untrained generator, deep and with tied weights."""
    return making.make_generator(layers=2, hidden_size=64, embedding_size=32, tie_embeddings=True)


MODELS = {
    "generator": make_exported,
    "generator_of_gru": partial(making.make_generator, cell="gru", layers=2),
    "translator": partial(making.make_translator, cell="gru", attention="additive", heads=2),
    "captioner": partial(making.make_captioner, gated=True, input_feeding=True),
    "conditional_generator": making.make_conditional_generator,
    "text_classifier": partial(making.make_text_classifier, cell="rnn", backward_bos=True),
    "image_classifier": making.make_image_classifier,
    "tagger": partial(making.make_tagger, words=True),
}


@cache
def network(name, kind="generator"):
    """A graph of one of the models, from the process that was the first to need it."""
    place = os.path.join(os.environ["EXPORTED_GRAPHS"], f"{kind}-{name}.onnx")
    with FileLock(f"{place}.lock"):
        if not os.path.exists(place):
            bundle = MODELS[kind]()
            onnx.save(exported(name, graphs_of(bundle, with_operators(bundle.model))[name]), place)
    return onnx.load(place)


@pytest.fixture(autouse=True, scope="session")
def graphs(tmp_path_factory):
    """The folder of exported graphs, of all processes that run tests."""
    folder = tmp_path_factory.getbasetemp()
    folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXPORTED_GRAPHS", str(folder))
        yield


@pytest.fixture(autouse=True, scope="session")
def translations():
    """The exporter reads the sources of its 500 translations for each graph; here, where it can be, once."""
    with pytest.MonkeyPatch.context() as patch:
        with suppress(ImportError, AttributeError):  # of torch's own, whose next version may have another
            from torch.onnx._internal.exporter._registration import ONNXRegistry

            patch.setattr(ONNXRegistry, "from_torchlib", staticmethod(cache(ONNXRegistry.from_torchlib)))
        yield
