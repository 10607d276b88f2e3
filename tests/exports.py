"""Exported models for tests: real ones, each made once, and some whose graphs torch calculates, made in no time."""

import os
import pkgutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pytest
import torch
from exporting import MODELS, network

from seqgen.export import directory
from seqgen.export.graphs import decoder_of, graphs_of, state_shapes
from seqgen.runtime.decoder import Decoder
from seqgen.runtime.loading import KINDS


@cache
def exported(kind):
    """The directory of an exported model of `exporting`."""
    place = Path(mkdtemp(dir=os.environ["EXPORTED_GRAPHS"])) / kind
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(directory, "exported", lambda name, graph: network(name, kind))
        directory.export_onnx(MODELS[kind](), place)
    return place


class Calculated:
    """A graph as the runtime takes it, from arrays by their names to arrays by theirs."""

    def __init__(self, inputs, calculate):
        self.inputs, self.calculate = inputs, calculate

    def __call__(self, *arrays, **named):
        return self.calculate(dict(zip(self.inputs, arrays, strict=False)) | named)

    def bound(self, inputs, outputs):
        def calculate():
            found = self.calculate(inputs)
            for name, array in outputs.items():
                array[:] = found[name]

        return calculate


def _in_torch(graph):
    def calculate(given):
        tensors = {name: torch.from_numpy(np.array(given[name])) for name in graph.inputs}
        with torch.inference_mode():
            return {name: tensor.numpy() for name, tensor in graph.calculate(tensors).items()}

    return Calculated(list(graph.inputs), calculate)


def as_exported(bundle):
    """A model as the runtime has it, but that torch calculates its graphs."""
    graphs = {name: _in_torch(graph) for name, graph in graphs_of(bundle, bundle.model).items()}
    kind = pkgutil.resolve_name(KINDS[bundle.builder])
    parts = kind.fields(bundle.parts())
    if "step" not in graphs:
        [graph] = graphs.values()
        return kind(**parts, graph=graph)
    network = decoder_of(bundle.model)
    decoder = Decoder(graphs["step"], graphs.get("read"), state_shapes(network), network.output.out_features)
    return kind(**parts, decoder=decoder, **({"encoder": graphs["encode"]} if "encode" in graphs else {}))


def chain_decoder(table):
    """A decoder of (vocabulary, vocabulary) logits, those of the next token by the last one."""

    def step(given):
        return {"logits": table[given["tokens"]], "next_h": given["h"]}

    return Decoder(Calculated(["tokens", "h"], step), None, {"h": [1, "batch", 1]}, len(table))
