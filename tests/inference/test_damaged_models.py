"""Models that are damaged, or made to do harm: refused in one sentence, before anything is built of them."""

import json
import threading
from inspect import signature
from math import prod

import pytest
import safetensors.torch
import torch
from making import MADE
from torch.nn.modules.module import register_module_parameter_registration_hook

import seqgen
from seqgen import patterns
from seqgen.errors import InputError, NonFiniteLogits
from seqgen.inference import weights
from seqgen.inference.saved import Stored, read_header
from seqgen.inference.weights import building, finite

PICTURE = torch.zeros(20, 20, 3, dtype=torch.uint8).numpy()
USES = {
    "generator": [
        lambda model: model.generate("the", seed=1),
        lambda model: model.generate("the", do_sample=False),
        lambda model: model.generate("the", num_beams=3),
        lambda model: list(model.stream("the")),
        lambda model: model.score("the cat"),
    ],
    "text_classifier": [lambda model: model.classify(["a fine film"])],
    "image_classifier": [lambda model: model.classify([PICTURE])],
    "tagger": [lambda model: model.tag(["the cat"])],
    "translator": [
        lambda model: model.translate("the cat"),
        lambda model: model.translate("the cat", do_sample=True),
        lambda model: model.score("the cat", "the dog"),
    ],
    "captioner": [lambda model: model.caption([PICTURE])],
    "conditional_generator": [lambda model: model.generate("cat"), lambda model: model.generate("cat", num_beams=2)],
}
ODD = [None, True, -1, 2**70, "odd", ["a", "a"], {}]


@pytest.fixture(params=list(MADE))
def bundle(request):
    return MADE[request.param]()


@pytest.fixture
def saved(bundle, tmp_path):
    bundle.save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def refused(directory):
    """The one sentence with which a model is refused, which names its directory."""
    with pytest.raises(InputError) as caught:
        seqgen.load(directory)
    assert "\n" not in str(caught.value)
    assert str(directory) in str(caught.value)
    return str(caught.value)


def attempt(directory):
    """The sentence with which a model is refused, or an empty text."""
    try:
        seqgen.load(directory)
    except InputError as error:
        return str(error)
    return ""


def write(path, data):
    path.write_text(json.dumps(data), encoding="utf-8")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_weights_that_are_not_finite_are_not_saved_not_loaded_and_end_what_uses_them(bundle, value, tmp_path):
    bundle.save_pretrained(tmp_path)
    numbers = [tensor for tensor in bundle.model.state_dict().values() if tensor.is_floating_point()]
    for tensor in numbers:  # normalizations have statistics, too
        before = tensor.flatten()[-1].item()
        tensor.flatten()[-1] = value
        assert not finite(bundle.model)
        tensor.flatten()[-1] = before
    assert finite(bundle.model)
    content = (tmp_path / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(content[:-4] + torch.tensor([value]).numpy().tobytes())
    assert "weights must be finite" in refused(tmp_path)
    for tensor in numbers:
        tensor.fill_(value)
    with pytest.raises(InputError, match="weights must be finite"):
        bundle.save_pretrained(tmp_path)
    for use in USES[bundle.builder]:
        with pytest.raises(NonFiniteLogits):
            use(bundle)


def test_sizes_are_compared_with_the_weights_while_a_network_is_built(bundle, saved):
    config = json.loads((saved / "config.json").read_text())
    shapes = [one.shape for one in read_header(saved / "model.safetensors").values()]
    built = []
    hook = register_module_parameter_registration_hook(
        lambda module, name, weight: built.append(0 if weight is None else weight.numel())
    )
    arguments = signature(getattr(patterns, bundle.builder)).parameters.values()
    sizes = [one.name for one in arguments if one.kind == one.KEYWORD_ONLY and one.annotation is int]
    assert sizes
    for name in sizes:
        for value in (10**6, 2**70):
            write(saved / "config.json", {**config, "arguments": {**config["arguments"], name: value}})
            built.clear()
            assert "\n" not in refused(saved)
            assert len(built) <= weights.TIMES * len(shapes) + weights.AND_PARAMETERS + 1
            assert sum(built[:-1]) <= weights.TIMES * sum(map(prod, shapes)) + weights.AND_NUMBERS
    hook.remove()


def test_a_builder_of_ones_own_is_interrupted_where_it_makes_far_more_than_the_weights():
    with building({"weight": Stored((4, 4), True)}), pytest.raises(InputError, match="far more"):
        torch.nn.ModuleList(torch.nn.Linear(4, 4) for _ in range(10**9))
    torch.nn.ModuleList(torch.nn.Linear(4, 4) for _ in range(2000))  # nothing of it is left


def places(data, path=()):
    """The places of all fields of plain data, and of the first element of lists."""
    if path:
        yield path
    if isinstance(data, dict):
        for key, value in data.items():
            yield from places(value, (*path, key))
    elif isinstance(data, list) and data:
        yield from places(data[0], (*path, 0))


def replaced(data, path, value):
    if not path:
        return value
    kept = dict(data) if isinstance(data, dict) else dict(enumerate(data))
    kept[path[0]] = replaced(kept[path[0]], path[1:], value)
    return kept if isinstance(data, dict) else list(kept.values())


def test_each_field_of_each_part_is_checked(bundle, saved):
    loaded, tried = 0, 0
    for path in saved.glob("*.json"):
        data = json.loads(path.read_text())
        for place in places(data):
            for value in ODD:
                write(path, replaced(data, place, value))
                tried += 1
                sentence = attempt(saved)
                loaded += not sentence
                assert "\n" not in sentence
                assert len(sentence) < 500
        write(path, {**data, "odd": 1})
        assert "odd" in refused(saved)
        write(path, data)
    seqgen.load(saved)
    assert loaded < tried / 3  # what remains has the type and range of the field


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"symbols": ["\\ud800"]}',
        "",
        "null",
        "[]",
        "\xff",
        '{"a": NaN}',
        "9" * 10_000,
    ],
)
def test_what_is_no_json_object_is_refused(saved, text):
    for path in saved.glob("*.json"):
        before = path.read_bytes()
        path.write_bytes(text.encode("latin-1"))
        refused(saved)
        path.write_bytes(before)


@pytest.mark.parametrize("kind", [torch.bool, torch.int64, torch.uint8, torch.float8_e5m2])
def test_weights_of_another_kind_of_number_are_refused(bundle, saved, kind):
    path = saved / "model.safetensors"
    tensors = safetensors.torch.load_file(path)
    safetensors.torch.save_file({name: tensor.to(kind) for name, tensor in tensors.items()}, path)
    assert "other numbers in the file" in refused(saved)


def test_loading_leaves_the_random_numbers_of_other_threads(saved):
    torch.manual_seed(0)
    wanted = torch.rand(3, 1)
    torch.manual_seed(0)
    numbers = []
    for _ in wanted:
        thread = threading.Thread(target=seqgen.load, args=[saved])
        thread.start()
        numbers.append(torch.rand(1))
        thread.join()
    assert torch.equal(torch.stack(numbers), wanted)
