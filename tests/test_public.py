"""The public names are enough: what a public function takes is public, has a name, and is known to a type checker."""

import inspect
import typing
from functools import cache

import pytest
from making import make_generator, make_tagger, make_text_classifier, make_translator

import seqgen
from seqgen.errors import InputError
from seqgen.inference.bundle import Bundle
from seqgen.inference.saved import USED_AS
from seqgen.symbols import SYMBOLS


@cache
def functions_of(name):
    """The functions that a public name stands for: itself, those of a module, or the methods of a class."""
    thing = getattr(seqgen, name)
    if inspect.ismodule(thing):
        return [getattr(thing, each) for each in thing.__all__]
    if not inspect.isclass(thing):
        return [thing]
    names = [method for method in dir(thing) if method == "__init__" or not method.startswith("_")]
    methods = [inspect.unwrap(getattr(thing, method)) for method in names]
    methods = [getattr(method, "__func__", method) for method in methods]
    return [method for method in methods if inspect.isfunction(method) and method.__module__.startswith("seqgen")]


def classes_in(annotation):
    """The classes that an annotation names."""
    if inspect.isclass(annotation) and not typing.get_origin(annotation):
        yield annotation
    for part in typing.get_args(annotation):
        yield from classes_in(part)


@pytest.mark.parametrize("name", sorted(seqgen.__all__))
def test_what_a_public_function_takes_is_public(name):
    for function in functions_of(name):
        hints = {**typing.get_type_hints(function), "return": None}
        for argument, annotation in hints.items():
            for one in classes_in(annotation):
                where = f"{function.__qualname__}({argument})"
                assert not one.__module__.startswith("seqgen") or one.__name__ in seqgen.__all__, where


@pytest.mark.parametrize("name", sorted(seqgen.__all__))
def test_arguments_have_names_rather_than_places(name):
    for function in functions_of(name):
        parameters = inspect.signature(function).parameters.values()
        by_place = {one.name for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD}
        assert len(by_place - {"self", "cls"}) <= 5, function.__qualname__


CLASSES = [thing for name in seqgen.__all__ if inspect.isclass(thing := getattr(seqgen, name))]
BUNDLES = [thing for thing in CLASSES if issubclass(thing, Bundle)]


@pytest.mark.parametrize("kind", [one for one in BUNDLES if one is not Bundle], ids=lambda kind: kind.__name__)
def test_every_kind_of_model_is_used_in_the_same_way(kind):
    assert len(BUNDLES) == len(USED_AS) + 1
    of, untrained = inspect.signature(kind.of).parameters, inspect.signature(kind.untrained).parameters
    assert next(iter(of)) == "model"
    assert {one.kind for name, one in of.items() if name != "model"} == {inspect.Parameter.KEYWORD_ONLY}
    assert (of["builder"].default, of["arguments"].default) == (None, None)
    shared = set(of) - {"model", "builder", "arguments"}
    assert shared <= set(untrained)
    assert all(of[name].default == untrained[name].default for name in shared)
    for method in (kind.of, kind.untrained, kind.from_pretrained):
        assert typing.get_type_hints(method.__func__)["return"] is typing.Self


def test_a_generator_shows_what_each_cell_does_while_it_reads(cell):
    generator = make_generator(cell=cell, layers=2)
    found = generator.activations("the cat")
    assert found.tokens == list("the cat")
    assert found.h.shape == (2, 7, 16)
    assert all(gate.shape == found.h.shape for gate in found.gates.values())
    assert (found.c is None) == (cell != "lstm")
    assert (generator.activations("the dog").h[:, :4] == found.h[:, :4]).all()
    for text, sentence in (("", "at least one token"), ("日", "not '日'")):
        with pytest.raises(InputError, match=sentence):
            generator.activations(text)


def test_a_model_without_them_says_so():
    generator = make_generator()
    other = seqgen.Generator.of(generator.model.output, tokenizer=generator.tokenizer)
    with pytest.raises(InputError, match="a Linear has none"):
        other.activations("the")
    with pytest.raises(InputError, match="a Linear has none"):
        other.embeddings()


def test_embeddings_are_those_that_the_model_reads():
    translator, words = make_translator(), make_tagger(words=True)
    for bundle, found, part in (
        (make_generator(), make_generator().embeddings(), lambda model: model.embedding.weight),
        (translator, translator.embeddings(), lambda model: model.decoder.embedding.weight * 8**0.5),
        (translator, translator.source_embeddings(), lambda model: model.encoder.embedding.weight * 8**0.5),
        (make_text_classifier(), make_text_classifier().embeddings(), lambda model: model.encoder.embedding.weight),
        (words, words.embeddings(), lambda model: model.encoder.embedding.words.weight),
    ):
        assert found.tokens[:4] == list(SYMBOLS)
        assert len(set(found.tokens)) == len(found.tokens) == len(found.vectors)
        assert abs(found.vectors - part(bundle.model).detach().numpy()).max() < 1e-6
    assert "cat" in words.embeddings().tokens
