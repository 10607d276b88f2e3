"""A generator whose graphs are exported once for all tests of a process: each takes a second."""

from contextlib import suppress
from functools import cache

import pytest
from making import make_generator

from seqgen.export.exporter import exported
from seqgen.export.graphs import graphs_of
from seqgen.export.operators import with_operators


def make_exported():
    """The untrained generator of `network`."""
    return make_generator(layers=2, hidden_size=64, embedding_size=32, tie_embeddings=True)


@cache
def network(name):
    """A graph of it."""
    bundle = make_exported()
    return exported(name, graphs_of(bundle, with_operators(bundle.model))[name])


@pytest.fixture(autouse=True, scope="session")
def translations():
    """The exporter reads the sources of its 500 translations for each graph; here, where it can be, once."""
    with pytest.MonkeyPatch.context() as patch:
        with suppress(ImportError, AttributeError):  # of torch's own, whose next version may have another
            from torch.onnx._internal.exporter._registration import ONNXRegistry

            patch.setattr(ONNXRegistry, "from_torchlib", staticmethod(cache(ONNXRegistry.from_torchlib)))
        yield
