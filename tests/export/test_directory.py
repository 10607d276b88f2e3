"""An exported model is whole or not there, and nothing else in the folder is ever touched."""

import errno
import json
import shlex
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from exporting import make_exported, network
from making import make_captioner, make_tagger, make_translator

from seqgen.cli import main as cli
from seqgen.cli.parsers import PARSERS
from seqgen.errors import InputError
from seqgen.export import directory
from seqgen.export.directory import export_onnx
from seqgen.export.requirements import requirements
from seqgen.inference.translator import Translator
from seqgen.text.subwords import SubwordTokenizer

FILES = ["README.md", "config.json", "generation_config.json", "manifest.json", "read.onnx", "requirements.txt"]
FILES += ["step.onnx", "tokenizer.json"]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(directory, "exported", lambda name, graph: network(name))


@pytest.fixture
def run(tmp_path):
    make_exported().save_pretrained(tmp_path / "mine" / "model")
    return tmp_path / "mine"


def broken(model, factor=2.0):
    """A graph with other weights."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    for initializer in model.graph.initializer:
        weights = onnx.numpy_helper.to_array(initializer)
        if weights.ndim > 1 and weights.dtype == np.float32:
            initializer.CopyFrom(onnx.numpy_helper.from_array(weights * np.float32(factor), initializer.name))
    return model


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_command_writes_a_directory_with_all_that_is_needed(run, tmp_path, command):
    sizes = []
    for options in ([], ["--int8"]):
        code, out, err = command(cli.main, "export", run, tmp_path / "out", *options)
        assert (code, err) == (0, "")
        assert [line.split()[0] for line in out.splitlines()] == [
            str(tmp_path / "out" / f"{n}.onnx") for n in ("step", "read")
        ]
        assert names(tmp_path / "out") == FILES
        sizes.append((tmp_path / "out" / "step.onnx").stat().st_size)
    assert sizes[1] < 0.5 * sizes[0]
    assert names(tmp_path) == ["mine", "out"]
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert (manifest["kind"], manifest["weights"]) == ("generator", "int8")
    for name in ("config.json", "tokenizer.json", "generation_config.json"):
        assert (tmp_path / "out" / name).read_bytes() == (run / "model" / name).read_bytes()


def test_the_commands_of_its_page_exist(tmp_path):
    export_onnx(make_exported(), tmp_path / "out")
    lines = [line for line in (tmp_path / "out" / "README.md").read_text().splitlines() if line.startswith("seqgen ")]
    assert lines
    for line in lines:
        assert PARSERS[shlex.split(line)[1]]().parse(shlex.split(line)[2:])["directory"] == "DIRECTORY"


def test_what_is_saved_is_the_same_after_an_export(run, tmp_path):
    generator = make_exported()
    generator.model.train()
    modules = [(name, part.training) for name, part in generator.model.named_modules()]
    export_onnx(generator, tmp_path / "out", int8=True)
    assert [(name, part.training) for name, part in generator.model.named_modules()] == modules
    generator.save_pretrained(tmp_path / "again")
    for path in (run / "model").iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()


def test_a_graph_that_differs_from_the_model_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr(directory, "exported", lambda name, graph: broken(network(name)))
    with pytest.raises(InputError, match=r"logits of step differs by .* for batch 1:"):
        export_onnx(make_exported(), tmp_path / "out")
    assert names(tmp_path) == []


@pytest.mark.parametrize("factor", [-1.0, np.nan])
def test_a_graph_in_int8_that_is_unrelated_to_the_model_is_not_written(tmp_path, monkeypatch, factor):
    monkeypatch.setattr(directory, "quantized", lambda model: broken(model, factor))
    with pytest.raises(InputError, match="export it without --int8"):
        export_onnx(make_exported(), tmp_path / "out", int8=True)
    assert names(tmp_path) == []


def test_an_earlier_export_stays_whole_where_the_next_one_fails(tmp_path, monkeypatch):
    export_onnx(make_exported(), tmp_path / "out")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}

    def full(self, text, **options):
        raise OSError(errno.ENOSPC, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space left"):
        export_onnx(make_exported(), tmp_path / "out", int8=True)
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("content", ["", '{"name": "an app"}', "[", "[1]"])
def test_a_folder_with_something_else_is_left_alone(run, tmp_path, command, content):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "manifest.json").write_text(content)
    code, _, err = command(cli.main, "export", run, tmp_path / "out")
    assert code == 2
    assert "must be a new or empty folder or an exported model" in err
    assert err.count("\n") == 1
    assert (tmp_path / "out" / "manifest.json").read_text() == content


@pytest.mark.parametrize("place", ["mine", "mine/model", "file"])
def test_neither_a_run_nor_a_file_is_replaced(run, tmp_path, place):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="must be a new or empty folder"):
        export_onnx(make_exported(), tmp_path / place)


def test_an_empty_folder_is_used(tmp_path):
    (tmp_path / "out").mkdir()
    export_onnx(make_exported(), tmp_path / "out")
    assert names(tmp_path / "out") == FILES


def test_without_the_extra_it_says_what_to_install(run, tmp_path, command, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    for name in ("exporter", "directory", "manifest"):
        monkeypatch.delitem(sys.modules, f"seqgen.export.{name}", raising=False)
    code, _, err = command(cli.main, "export", run, tmp_path / "out")
    assert code == 2
    assert 'pip install "seqgen[export]"' in err


def test_ngrams_of_an_earlier_export_are_replaced_by_none(tmp_path):
    for _ in range(2):
        export_onnx(make_exported(), tmp_path / "out")
        assert names(tmp_path / "out") == FILES
        for name in ("word_ngrams.json", "word_ngrams.safetensors"):
            (tmp_path / "out" / name).write_text("of another model")


def test_what_only_some_models_need_is_required_of_these_alone():
    def needed(bundle):
        return {line.split(">")[0] for line in requirements(bundle).splitlines()}

    tokenizer = SubwordTokenizer.fit(["the cat sat on the mat"] * 20, largest=300)
    translator = Translator.untrained(source=tokenizer, hidden_size=8, embedding_size=8)
    least = needed(make_exported())
    assert "torch" not in least
    assert needed(make_translator()) == least
    assert needed(translator) == least | {"sentencepiece"}
    assert needed(make_captioner()) == least | {"pillow"}
    assert needed(make_tagger(words=True)) == least | {"nltk"}
    assert needed(make_tagger()) == least
