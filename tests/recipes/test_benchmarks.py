"""The benchmarks run, and their plain loop computes the same as seqgen; how fast they are is not for tests to say."""

import importlib
import json
import os
import re
import sys
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from making import ROOT, load_recipe, make_translator

from seqgen import patterns
from seqgen.cli.main import main as seqgen_main
from seqgen.training.optimizers import optimizers

TINY = ["--layers", "[1]", "--widths", "[8]", "--embedding_size", 8, "--batches", "[2]", "--rounds", 1]
TINY += ["--cells", "[lstm, gru, rnn]"]


@pytest.fixture(autouse=True)
def beside_the_benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "recipes" / "benchmarks")
    for name in [path.stem for path in (ROOT / "recipes" / "benchmarks").glob("*.py")]:
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


@pytest.fixture
def quick(monkeypatch):
    """Benchmarks of tiny networks on a machine whose limits are hardly measured."""
    machine, usual = importlib.import_module("machine"), importlib.import_module("usual")
    monkeypatch.setattr(machine, "machine", partial(machine.machine, rounds=1))
    monkeypatch.setattr(importlib.import_module("classification"), "VOCABULARY", 50)
    for name, value in {"USUAL": [(8, 2)], "WORDS": 50, "TRANSLATED": [2]}.items():
        monkeypatch.setattr(usual, name, value)


@pytest.fixture(params=["training", "generation", "classification", "translation"])
def benchmark(request):
    return importlib.import_module(request.param)


@pytest.fixture
def tables(benchmark, quick, command, tmp_path, monkeypatch):
    """Run a benchmark: returns what it prints, the machine and the rows of its table of networks."""
    monkeypatch.setattr(benchmark, "growth", lambda config: [{"tokens": 1}], raising=False)
    small = {"translation": ["--sentences", 20, "--alone", 2], "classification": ["--texts", 4]}

    def run(*options):
        options = [*TINY, *small.get(benchmark.__name__, []), *options, "--json", tmp_path / "results.json"]
        code, out, _ = command(benchmark.main, *options)
        assert code == 0
        results = json.loads((tmp_path / "results.json").read_text())
        for row in results["networks"]:
            row["chosen"] = row.get("chosen") or row["decoder"]
        return out, results["machine"], results["networks"]

    return run


def test_sizes_are_trained_and_shown(command, text_file, monkeypatch):
    benchmark = importlib.import_module("sizes")

    def run(words, **_):
        """Run in this process what the benchmark runs in one of its own."""
        code, _, err = command(load_recipe(words[1].stem).main, *words[2:])
        return SimpleNamespace(returncode=code, stderr=err)

    monkeypatch.setattr(benchmark, "subprocess", SimpleNamespace(run=run))
    shown = ["--recipe", "char_generator", "--seconds", "[1]", "--sizes", "[tiny, auto]"]
    code, out, err = command(benchmark.main, *shown, "--options", f"--data {text_file} --window 8 --batch_size 2")
    assert code == 0, err
    *_, columns, tiny, auto = [line.split() for line in out.splitlines()]
    assert columns[:2] == ["asked", "size"]
    assert "val_loss" in columns
    assert (tiny[:2], auto[0]) == (["tiny", "tiny"], "auto")
    code, _, err = command(benchmark.main, "--recipe", "taggr")
    assert code == 2
    assert "did you mean tagger?" in err


def test_processes_are_compared_with_one(command, text_file, monkeypatch):
    benchmark = importlib.import_module("processes")
    launched = []

    def run(words, **_):
        """Run in this process, in one alone, what the benchmark starts."""
        launched.append("--nproc_per_node" in words)
        code, _, err = command(load_recipe("char_generator").main, *words[words.index("char_generator") + 1 :])
        return SimpleNamespace(returncode=code, stderr=err)

    monkeypatch.setattr(benchmark, "subprocess", SimpleNamespace(run=run))
    small = [
        "--steps",
        2,
        "--rounds",
        2,
        "--size",
        "tiny",
        "--options",
        f"--data {text_file} --window 8 --batch_size 2",
    ]
    code, out, err = command(benchmark.main, "--recipes", "[char_generator]", *small)
    assert code == 0, err
    assert launched == [False, True] * 2
    [figure] = [line.split() for line in out.splitlines() if "val_loss" in line]
    assert float(figure[2]) == pytest.approx(float(figure[3]), abs=1e-3)
    code, _, err = command(benchmark.main, "--recipes", "[taggr]")
    assert (code, "did you mean tagger?" in err) == (2, True)


def test_a_benchmark_prints_and_saves_its_tables(tables):
    out, machine, networks = tables()
    assert "GFLOP/s" in out
    assert {"name", "cores", "threads", "used", "torch", "isa", "bf16_flops"} <= machine.keys()
    assert {row["cell"] for row in networks} == {"lstm", "gru", "rnn"}
    for row in networks:
        assert row["auto ratio"] > 0
        assert "1 thread" in row["chosen"]


def test_emulated_bf16_is_left_out(tables, monkeypatch):
    for module in ("seqgen.hardware.precision", "measuring"):
        monkeypatch.setattr(f"{module}.is_worth_trying", lambda device: False)
    out, _, networks = tables("--cells", "[gru]")
    assert " - " in out
    for row in networks:
        assert row["bf16 ratio"] is None
        assert row["fp32 ratio"] > 0
        assert "fp32" in row["chosen"]


def test_usual_updates_have_the_share_of_the_optimizers(quick):
    usual = importlib.import_module("usual").usual_updates(4, 2, torch.device("cpu"))
    assert [row["plain ms"] is None for row in usual] == [False, True]
    for row in usual:
        for optimizer in ("adamw", "muon"):
            assert 0 < row[f"{optimizer} step() share"] < 1


def test_an_update_of_a_text_of_any_size_is_calculated_as_a_run_would_choose():
    training = importlib.import_module("training")
    figures = training.one_size({"text": 10**6, "window": 4, "width": 8, "batch": 2}, training.Config(rounds=1))
    assert "1 thread" in figures["chosen"]
    assert figures["ms a step"] > 0


def test_the_time_of_all_optimizers_is_added_for_each_update(generator):
    trainers = optimizers(generator.model, "muon")
    seconds = importlib.import_module("updates").seconds_of(trainers)
    for _ in range(3):
        for optimizer in trainers:
            optimizer.step()
    assert len(trainers) == 2
    assert len(seconds) == 3


@pytest.fixture
def children(monkeypatch):
    """The commands and environments of child processes, which are not started, on a processor that has everything."""
    started = []

    def run(command, env, check):
        started.append((command, env))
        return SimpleNamespace(returncode=7)

    monkeypatch.setattr("subprocess.run", run)
    capabilities = dict.fromkeys(("avx2", "fma3", "avx512_f", "avx512_bw", "avx512_dq", "avx512_vl"), True)
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: capabilities)
    return started


@pytest.mark.parametrize("isa", ["avx2", "avx512"])
def test_a_child_runs_with_fewer_instructions_and_the_same_options(benchmark, isa, children, command, monkeypatch):
    machine = importlib.import_module("machine")
    code, out, _ = command(benchmark.main, "--isa", isa, *TINY)
    assert (code, out) == (7, "")
    [(started, environment)] = children
    monkeypatch.setattr("sys.argv", started[1:])
    config = benchmark.parse_options(benchmark.Config, "")
    assert (config.isa, config.cells, config.widths) == ("native", ["lstm", "gru", "rnn"], [8])
    assert os.environ.items() <= environment.items()
    assert machine.isa() == "native"
    monkeypatch.setattr("os.environ", environment)
    assert machine.isa() == isa


def test_instructions_that_the_processor_lacks_are_refused_in_one_sentence(children, command, monkeypatch):
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: {"avx2": True, "fma3": True, "avx512_f": False})
    main = importlib.import_module("training").main
    code, _, err = command(main, "--isa", "avx512")
    assert code == 2
    assert err.count("\n") == 1
    assert "not avx512" in err
    assert not children
    assert command(main, "--isa", "avx2")[0] == 7


@pytest.mark.parametrize("text", ["ptb", "characters"])
def test_language_models_are_trained_and_adapt(command, text, tmp_path, monkeypatch):
    benchmark = importlib.import_module("language_models")

    def run(words, **_):
        """Run in this process what the benchmark runs in one of its own."""
        main, begins = (seqgen_main, 3) if words[1] == "-m" else (load_recipe("char_generator").main, 2)
        code, out, err = command(main, *words[begins:])
        assert code == 0, err
        return SimpleNamespace(returncode=code, stdout=out)

    monkeypatch.setattr(benchmark, "subprocess", SimpleNamespace(run=run, PIPE=None))
    monkeypatch.setenv("SEQGEN_DATA", str(tmp_path))
    (tmp_path / "ptb").mkdir()
    for part, lines in (("train", 40), ("valid", 30), ("test", 20)):
        (tmp_path / "ptb" / f"ptb.{part}.txt").write_text("the cat sat on the mat\n" * lines)
    (tmp_path / "numbers.txt").write_text("\n".join(map(str, range(2000))))
    small = "--max_steps 2 --size tiny --hidden_size 8 --embedding_size 4 --batch_size 2 --window 8"
    where = ["--output_dir", tmp_path / "runs", "--data", tmp_path / "numbers.txt", "--adapt", "temperature"]
    code, out, err = command(benchmark.main, "--texts", f"[{text}]", "--options", small, *where)
    assert code == 0, err
    *_, columns, row = [re.split(r"  +", line.strip()) for line in out.splitlines()]
    figures = dict(zip(columns, row, strict=True))
    assert figures["text"] == f"{text} (test)"
    assert {"network_perplexity", "mixed_perplexity", "adaptive_perplexity"} < figures.keys()
