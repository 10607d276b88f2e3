"""A generator whose graphs are exported once for all tests of a process: each takes a second."""

from functools import cache

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
