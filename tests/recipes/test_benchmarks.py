"""The benchmarks run, and their plain loop computes the same as seqgen; how fast they are is not for tests to say."""

import importlib
import json
import sys

import pytest
import torch
from making import ROOT, make_translator

from seqgen import patterns
from seqgen.hardware.precision import has_bf16

TINY = ["--cells", "[lstm, gru, rnn]", "--layers", "[1]", "--widths", "[8]", "--batches", "[2]", "--rounds", "1"]


@pytest.fixture(autouse=True)
def beside_the_benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "recipes" / "benchmarks")
    for name in ("measuring", "training", "generation", "classification", "translation"):
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


def test_the_plain_search_finds_the_same_translation():
    benchmark = importlib.import_module("translation")
    translator = make_translator()
    for text in ("the cat sat", "dog"):
        [expected] = translator.translate(text, min_new_tokens=5, max_new_tokens=5)
        tokens = benchmark.alone(translator, text, 4, longest=5, shortest=5)
        assert translator.target.decode(tokens) == expected.text


def test_a_trained_translator_is_measured_on_a_file(command, tmp_path):
    make_translator().save_pretrained(tmp_path / "model")
    (tmp_path / "source").write_text("the cat\n\nthe dog sat\n")
    options = ["--model", tmp_path / "model", "--source", tmp_path / "source", "--alone", 1]
    code, out, _ = command(importlib.import_module("translation").main, *TINY, *options)
    assert code == 0
    assert "of greedy" in out


@pytest.mark.parametrize("name", ["training", "generation", "classification", "translation"])
def test_a_benchmark_prints_and_saves_its_tables(name, command, tmp_path, monkeypatch):
    benchmark = importlib.import_module(name)
    monkeypatch.setattr(benchmark, "growth", lambda config: [{"tokens": 1}], raising=False)
    machine = importlib.import_module("measuring").machine
    monkeypatch.setattr(benchmark, "machine", lambda device: machine(device, rounds=1))
    small = {"translation": ["--sentences", 20, "--alone", 2], "classification": ["--texts", 20]}.get(name, [])
    code, out, _ = command(benchmark.main, *TINY, *small, "--json", tmp_path / "results.json")
    assert code == 0
    results = json.loads((tmp_path / "results.json").read_text())
    assert {row["cell"] for row in results["networks"]} == {"lstm", "gru", "rnn"}
    assert results["machine"]["bf16_flops"] > 0
    assert "GFLOP/s" in out
    assert "bf16 ratio" in out or (name in ("training", "classification") and not has_bf16(torch.device("cpu")))
