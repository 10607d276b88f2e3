"""What several tests need: a text, an untrained writer, the recipes as modules, and what their runs leave."""

import importlib.util
import json
import sys
from pathlib import Path

import torch

from seqgen import patterns
from seqgen.text.characters import CharacterTokenizer
from seqgen.writer import Writer

ROOT = Path(__file__).parents[1]
CELLS = ("lstm", "gru", "rnn")
TEXT = "the cat sat on the mat. the dog sat on the log.\n" * 40

SMALL = ["--hidden_size", 16, "--embedding_size", 8, "--batch_size", 4, "--window", 16, "--precision", "fp32"]


def make_writer(text=TEXT, cell="lstm", *, ends=False, **options):
    """An untrained writer with weights large enough that its choices differ."""
    tokenizer = CharacterTokenizer.fit([text])
    arguments = {"cell": cell, "hidden_size": 16, "embedding_size": 8, **options}
    torch.manual_seed(1)
    model = patterns.generator(tokenizer.vocabulary_size, **arguments)
    with torch.no_grad():
        model.output.weight.mul_(8)
    return Writer.of(model.eval(), tokenizer, arguments, ends=ends)


def load_recipe(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "recipes" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def results_of(directory):
    return json.loads((directory / "results.json").read_text())


def weights_of(directory):
    return (directory / "model" / "model.safetensors").read_bytes()
