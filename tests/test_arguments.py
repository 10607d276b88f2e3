"""Public functions name the argument that is wrong, the rule and the value received, whatever they are given."""

import inspect
from pathlib import Path

import numpy as np
import pytest
import torch
from making import make_generator
from test_settings import KINDS

import seqgen
from seqgen.arguments import checked
from seqgen.errors import InputError
from seqgen.inference.bundle import Bundle

STRANGE = {
    "None": lambda: None,
    "number": lambda: 3,
    "fraction": lambda: -1.5,
    "bytes": lambda: b"text",
    "nested": lambda: [["a"], [["b"]]],
    "generator": lambda: (text for text in "ab"),
    "array": lambda: np.zeros((2, 2)),
    "path": lambda: Path("nowhere"),
    "object": object,
    "empty": list,
    "text": lambda: "nothing",
}
ENCODED = {
    "write",
    "scored",
    "logits",
    "batches",
    "collate",
    "arrays",
    "distributions",
    "lengths",
    "fastest",
}  # of rows
ENCODED |= {"fields"}  # these take rows or the content of files, not inputs
WRITING = {"push_to_hub", "save_pretrained"}


def must_be_refused_or_work(function, make):
    """Give every argument without a default the same strange value: an error must be the one sentence of ours."""
    parameters = inspect.signature(function).parameters.values()
    many = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    needed = [one for one in parameters if one.default is one.empty and one.kind not in many]
    by_place = [make() for one in needed if one.kind is not one.KEYWORD_ONLY]
    by_name = {one.name: make() for one in needed if one.kind is one.KEYWORD_ONLY}
    try:
        result = function(*by_place, **by_name)
        if inspect.isgenerator(result):
            next(result, None)
    except InputError as error:
        assert "\n" not in str(error)  # noqa: PT017
        assert len(str(error)) < 400  # noqa: PT017


@pytest.fixture(scope="module")
def models():
    return {name: make() for name, (make, _) in KINDS.items()}


@pytest.mark.parametrize("strange", STRANGE)
@pytest.mark.parametrize("kind", KINDS)
def test_models_in_use_refuse_what_they_cannot_use(models, kind, strange):
    model = models[kind]
    for name in dir(model):
        method = getattr(model, name)
        if inspect.ismethod(method) and not name.startswith("_") and name not in ENCODED | WRITING:
            must_be_refused_or_work(method, STRANGE[strange])


OTHERS = [
    name
    for name in sorted(seqgen.__all__)
    if callable(getattr(seqgen, name))
    and not getattr(getattr(seqgen, name), "_is_protocol", False)
    and not (inspect.isclass(getattr(seqgen, name)) and issubclass(getattr(seqgen, name), Bundle | Exception))
]


@pytest.mark.parametrize("strange", STRANGE)
def test_public_functions_refuse_what_they_cannot_use(strange):
    for name in OTHERS:
        thing = getattr(seqgen, name)
        must_be_refused_or_work(thing, STRANGE[strange])
        for method in ("fit", "from_data"):
            if hasattr(thing, method):
                must_be_refused_or_work(getattr(thing, method), STRANGE[strange])


def test_a_sentence_has_the_argument_the_rule_and_the_value():
    generator, state = make_generator(), seqgen.State(torch.zeros(1, 2, 3))
    for call, sentence in (
        (lambda: generator.generate(3), "prompts must be a text or a list, each a text, not 3"),
        (lambda: generator.generate(["a", None]), "prompts must be a text or a list, each a text, not ['a', None]"),
        (lambda: generator.score(text=b"a"), "text must be a text, not b'a'"),
        (lambda: state.select(3), "rows must be a Tensor, not 3"),
        (lambda: seqgen.load(None), "source must be a text or a path or a list, each a text or a path, not None"),
        (lambda: seqgen.Parallel("ab", ["c"]), "sources must be a list, each a text, not 'ab'"),
        (lambda: seqgen.patterns.tagger("9", 3), "vocab_size must be a whole number, not '9'"),
        (lambda: seqgen.check_decoder(object(), 5), "decoder must be a Decoder, an object with start and step, not "),
        (lambda: seqgen.beam_search(generator.model, [], generator.generation), "prompts must be at least one, each "),
    ):
        with pytest.raises(InputError) as error:
            call()
        assert str(error.value).startswith(sentence)


def test_what_numpy_counts_is_a_number():
    @checked
    def taking(whole: int, number: float, flag: bool, rows: list[int]) -> bool:
        return True

    assert taking(np.int64(1), np.float32(1), np.bool_(True), np.array([1, 2]))
    assert taking(1, 1, True, (1, 2))
    for wrong in ((1.5, 1, True, []), (1, "1", True, []), (1, 1, 1, []), (1, 1, True, np.array([1.5]))):
        with pytest.raises(InputError):
            taking(*wrong)


def test_a_checked_function_keeps_its_signature():
    assert list(inspect.signature(seqgen.beam_search).parameters)[:3] == ["decoder", "prompts", "config"]
    assert "texts" in inspect.signature(seqgen.Translator.translate).parameters
    assert seqgen.train_steps.__doc__.startswith("Yield after each update")
