"""A tuned default stands in the builder: who imports the library has the model that the recipe trains."""

from inspect import Parameter, signature

import pytest
from making import RECIPES, load_recipe
from small_data import OPTIONS

import seqgen
from seqgen import patterns
from seqgen.inference.bundle import Bundle

BY_DATA = {"generator": {"dropout", "weight_drop"}}  # what a recipe decides by the size of its data


@pytest.mark.parametrize("name", RECIPES)
def test_importing_a_builder_gives_the_model_that_the_recipe_trains(name, command, tmp_path):
    data = OPTIONS[name][0](tmp_path)
    few = ["--max_steps", 1, "--optimizer", "adamw", "--precision", "fp32", "--output_dir", tmp_path / "run"]
    few += {"translator": ["--max_length", 10], "image_captioner": ["--max_length", 10]}.get(name, [])
    code, _, err = command(load_recipe(name).main, *data, *few)
    assert code == 0, err
    bundle: Bundle = seqgen.load(tmp_path / "run")
    builder = getattr(patterns, bundle.builder)
    parameters = signature(builder).parameters
    tuned = {name for name, one in parameters.items() if one.kind is Parameter.KEYWORD_ONLY}
    tuned -= BY_DATA.get(bundle.builder, set())
    assert tuned
    for option in tuned:
        assert bundle.arguments.get(option, parameters[option].default) == parameters[option].default, option
    without = {option: value for option, value in bundle.arguments.items() if option not in tuned}
    imported = type(bundle).built(without, bundle.parts()).model
    assert repr(imported) == repr(bundle.model)
