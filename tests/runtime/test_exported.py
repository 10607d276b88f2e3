"""Exported directories: what is damaged or foreign is refused in one sentence."""

import json
import shutil

import pytest
from exporting import make_exported
from exports import exported

from seqgen import runtime
from seqgen.errors import InputError
from seqgen.inference import onnx


@pytest.fixture
def directory(tmp_path):
    shutil.copytree(exported("generator"), tmp_path / "exported")
    return tmp_path / "exported"


def changed(directory, **entries):
    path = directory / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


def damaged(directory, name, content):
    (directory / name).write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (
            lambda one: shutil.rmtree(one),
            "must hold an exported model, but it lacks manifest.json",
        ),
        (lambda one: (one / "manifest.json").unlink(), "must hold an exported model, but it lacks manifest.json"),
        (lambda one: damaged(one, "manifest.json", b"{"), "manifest.json must be JSON as it was saved"),
        (lambda one: damaged(one, "manifest.json", b"[]"), "manifest.json must be a JSON object"),
        (lambda one: changed(one, format=2), "must be of format 1, but it is of format 2, exported by another version"),
        (lambda one: changed(one, kind="painter"), "must have one of the kinds generator, .*, not 'painter'"),
        (lambda one: changed(one, kind="tagger"), "must hold a whole exported model, but it lacks vocabulary.json"),
        (lambda one: changed(one, graphs={}), "must have a graph step, step.onnx, not ''"),
        (
            lambda one: changed(one, graphs={"step": "../step.onnx"}),
            "must have a graph step, step.onnx, not '../step.onnx'",
        ),
        (lambda one: changed(one, graphs=3), "manifest.json: graphs must be a valid dictionary, not 3"),
        (
            lambda one: changed(one, state_shapes={"h": [2, "batch", 64]}),
            "from tokens h to logits next_h, but",
        ),
        (lambda one: (one / "step.onnx").unlink(), "must hold a whole exported model, but it lacks step.onnx"),
        (
            lambda one: (one / "tokenizer.json").unlink(),
            "exported model, but it lacks tokenizer.json",
        ),
        (lambda one: damaged(one, "tokenizer.json", b'{"kind": "char"}'), "tokenizer.json: .*symbols must be there"),
        (lambda one: damaged(one, "generation_config.json", b'{"top_k": 0}'), "top_k must be at least 1, not 0"),
        (lambda one: damaged(one, "step.onnx", (one / "step.onnx").read_bytes()[:999]), "step.onnx must be a graph as"),
        (lambda one: shutil.copy(one / "read.onnx", one / "step.onnx"), "from tokens h c to logits next_h next_c, but"),
    ],
)
def test_damaged_and_foreign_directories_are_one_sentence(directory, damage, sentence):
    damage(directory)
    with pytest.raises(InputError, match=sentence) as error:
        runtime.load(directory)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        ({"vocab_size": 3}, "step.onnx must have the 3 logits that manifest.json says, but it has 19"),
        ({"state_shapes": {"h": [2, "batch", 9], "c": [2, "batch", 9]}}, "must have a state h of the shape"),
    ],
)
def test_sizes_that_do_not_fit_are_one_sentence(directory, entries, sentence):
    changed(directory, **entries)
    with pytest.raises(InputError, match=sentence):
        runtime.load(directory)


def test_the_tokenizer_of_another_model_is_one_sentence(directory):
    damaged(directory, "tokenizer.json", b'{"kind": "byte"}')
    with pytest.raises(InputError, match=r"step.onnx must have the 260 logits that tokenizer.json says, but it has 19"):
        runtime.load(directory)


def test_a_real_export_writes_what_torch_writes(directory):
    generator, asked = make_exported(), {"max_new_tokens": 40, "do_sample": False, "precision": "fp32"}
    model = runtime.load(directory)
    assert model.generate(["the ", ""], **asked) == generator.generate(["the ", ""], **asked)
    found, expected = (one.score("the cat sat").log_probabilities for one in (model, generator))
    assert found == pytest.approx(expected, abs=1e-4)


def test_a_generator_in_onnxruntime_has_the_weights_as_they_are_now(monkeypatch):
    exports = []

    def export(bundle, directory, *, int8):
        exports.append(int8)
        shutil.copytree(exported("generator"), directory, dirs_exist_ok=True)

    monkeypatch.setattr("seqgen.export.directory.export_onnx", export)
    generator, asked = make_exported(), {"max_new_tokens": 20, "do_sample": False}
    text = generator.generate("the ", precision="fp32", **asked)
    assert generator.generate("the ", runtime="onnx", **asked) == text
    assert "".join(generator.stream("the ", runtime="onnx", **asked)) == text[0]
    assert exports == [False]
    generator.model.output.weight.data.mul_(2)
    generator.generate("the ", runtime="onnx", **asked)
    generator.generate("the ", runtime="onnx-int8", **asked)
    assert exports == [False, False, True]
    assert onnx._exported[generator.model].keys() == {"onnx", "onnx-int8"}


def test_another_runtime_is_one_sentence():
    with pytest.raises(InputError, match="runtime must be one of torch, onnx, onnx-int8, not 'onx'"):
        make_exported().generate("the ", runtime="onx")
    with pytest.raises(InputError, match="temperature must be above 0"):
        make_exported().generate("the ", temperature=0.0)
