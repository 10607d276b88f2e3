"""Graphs in onnxruntime: called or bound, and refused in one sentence where they are damaged or others."""

import sys

import numpy as np
import pytest
from onnx import TensorProto, helper, save

from seqgen.errors import InputError
from seqgen.runtime.graph import Graph


@pytest.fixture
def adding(tmp_path):
    """A graph that adds two inputs with any number of rows."""
    one, other, total = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", 2]) for name in ("one", "other", "sum")
    )
    node = helper.make_node("Add", ["one", "other"], ["sum"])
    graph = helper.make_graph([node], "adding", [one, other], [total])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    save(model, tmp_path / "adding.onnx")
    return tmp_path / "adding.onnx"


def test_inputs_come_by_place_or_by_name(adding):
    graph, one, other = Graph(adding, ("one", "other"), ("sum",)), np.float32([[1, 2]]), np.float32([[3, 4]])
    assert graph(one, other)["sum"].tolist() == graph(one=one, other=other)["sum"].tolist() == [[4, 6]]
    assert graph(np.zeros((3, 2), np.float32), np.ones((3, 2), np.float32))["sum"].shape == (3, 2)


def test_bound_arrays_are_read_and_written_in_place(adding):
    one, other, total = (np.zeros((1, 2), np.float32) for _ in range(3))
    calculate = Graph(adding).bound({"one": one, "other": other}, {"sum": total})
    for number in range(3):
        one[:], other[:] = number, 2 * number
        calculate()
        assert total.tolist() == [[3 * number] * 2]


def test_other_inputs_are_one_sentence(adding):
    for given in ([np.zeros((1, 2))] * 2, [np.zeros((1, 3), np.float32)] * 2, [np.zeros((1, 2), np.float32)]):
        with pytest.raises(InputError, match="must calculate as it was exported, but it does not"):
            Graph(adding)(*given)
    wide = np.zeros((1, 3), np.float32)
    with pytest.raises(InputError, match="must calculate as it was exported, but it does not"):
        Graph(adding).bound({"one": wide, "other": wide}, {"sum": wide})()


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda path: path.unlink(), "must hold a whole exported model, but it lacks adding.onnx"),
        (
            lambda path: path.write_bytes(path.read_bytes()[:40]),
            "as it was exported, but it is damaged",
        ),
        (lambda path: path.write_bytes(b""), "as it was exported, but it is damaged"),
        (lambda path: path.write_text("a text"), "as it was exported, but it is damaged"),
    ],
)
def test_damaged_files_are_one_sentence(adding, damage, sentence, capfd):
    damage(adding)
    with pytest.raises(InputError, match=sentence) as error:
        Graph(adding)
    assert "\n" not in str(error.value)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(("inputs", "outputs"), [(("tokens",), ("sum",)), (("one", "other"), ("logits",))])
def test_another_graph_is_one_sentence(adding, inputs, outputs):
    with pytest.raises(InputError, match="but it is one from one other to sum"):
        Graph(adding, inputs, outputs)


def test_without_onnxruntime_it_is_one_sentence(adding, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(InputError, match="needs onnxruntime, which is missing: pip install onnxruntime"):
        Graph(adding)
