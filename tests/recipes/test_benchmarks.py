"""The benchmarks run, and their plain loop computes the same as seqgen; how fast they are is not for tests to say."""

import importlib
import json
import sys

import pytest
import torch
from making import ROOT

from seqgen import patterns

TINY = ["--cells", "[lstm, gru, rnn]", "--layers", "[1]", "--widths", "[8]", "--batches", "[2]", "--rounds", "1"]


@pytest.fixture(autouse=True)
def beside_the_benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "recipes" / "benchmarks")
    for name in ("measuring", "training", "generation", "classification"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_the_plain_model_is_the_same_model(cell):
    model = patterns.generator(65, cell=cell, layers=2, hidden_size=16)
    tokens = torch.randint(65, (3, 7))
    torch.testing.assert_close(importlib.import_module("measuring").Plain(model)(tokens)[0], model(tokens)[0])


@torch.no_grad()
def test_the_plain_classifier_is_the_same_model(cell):
    options = {"cell": cell, "hidden_size": 12, "embedding_size": 8, "pooling": "last", "skip": False}
    model = patterns.text_classifier(50, 2, **options).eval()
    lengths = torch.tensor([3, 7, 1])
    tokens = torch.randint(4, 50, (3, 7)) * (torch.arange(7) < lengths[:, None])
    plain = importlib.import_module("classification").PlainClassifier(model, cell)
    torch.testing.assert_close(plain(tokens, lengths), model(tokens))


@pytest.mark.parametrize("name", ["training", "generation", "classification"])
def test_a_benchmark_prints_and_saves_its_tables(name, command, tmp_path, monkeypatch):
    benchmark = importlib.import_module(name)
    monkeypatch.setattr(benchmark, "growth", lambda config: [{"tokens": 1}], raising=False)
    machine = importlib.import_module("measuring").machine
    monkeypatch.setattr(benchmark, "machine", lambda device: machine(device, rounds=1, size=64))
    code, out, _ = command(benchmark.main, *TINY, "--json", tmp_path / "results.json")
    assert code == 0
    results = json.loads((tmp_path / "results.json").read_text())
    assert {row["cell"] for row in results["networks"]} == {"lstm", "gru", "rnn"}
    assert results["machine"]["bf16_flops"] > 0
    assert "GFLOP/s" in out
    assert "bf16 ratio" in out
