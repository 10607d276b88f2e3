"""Options: what was asked for, what was resolved, and where a default comes from."""

from dataclasses import fields

import pytest
import yaml
from making import RECIPES, load_recipe

from seqgen.errors import InputError
from seqgen.runs.config import model_options, option_parser, parse_options


@pytest.fixture(params=RECIPES)
def config_class(request):
    return load_recipe(request.param).Config


def test_a_models_options_are_those_of_its_builder(config_class):
    own = {option.name for option in fields(config_class)}
    options = {option.name: option.default for option in model_options(config_class.builder)}
    data = ["--data", "x", "--captions", "y"] if "captions" in own else ["--data", "x"]
    config = parse_options(config_class, data)
    assert config.model == {name: default for name, default in options.items() if name not in own}


def test_every_option_says_what_it_is(config_class):
    parser, types = option_parser(config_class)
    said = {action.dest: action.help for action in parser._actions}
    assert all(len(said[name]) > 10 for name in types if name != "valid_target")


def test_presets_belong_to_their_data_and_give_way_to_what_is_asked_for():
    config_class = load_recipe("translator").Config
    dates, texts = parse_options(config_class, []), parse_options(config_class, ["--data", "x.tsv"])
    assert (dates.model["hidden_size"], dates.tokenizer) == (128, "char")
    assert (texts.model["hidden_size"], texts.tokenizer) == (384, "subword")
    assert parse_options(config_class, ["--hidden_size", "64"]).model["hidden_size"] == 64
    files = parse_options(config_class, ["--source", "x.de", "--target", "x.en"])
    assert (files.model["hidden_size"], files.tokenizer) == (384, "subword")


def test_what_was_asked_for_is_kept_apart_from_what_was_resolved(tmp_path):
    config_class = load_recipe("translator").Config
    config = parse_options(config_class, ["--cell", "gru", "--seed", "3"])
    assert config.asked == {"cell": "gru", "seed": 3}
    assert config.resolved()["hidden_size"] == 128
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config.asked))
    (tmp_path / "resolved.yaml").write_text(yaml.safe_dump(config.resolved()))
    asked = parse_options(config_class, ["--config", str(tmp_path / "config.yaml"), "--data", "x.tsv"])
    assert (asked.model["cell"], asked.seed, asked.model["hidden_size"]) == ("gru", 3, 384)
    repeated = parse_options(config_class, ["--config", str(tmp_path / "resolved.yaml")])
    assert repeated.resolved() == config.resolved()


@pytest.mark.parametrize("name", ["layers", "batch_tokens", "num_beams", "max_steps", "heads"])
def test_whole_numbers_are_above_zero(name):
    with pytest.raises(InputError, match=f"--{name} must be (above 0|at least 1), not 0"):
        parse_options(load_recipe("translator").Config, [f"--{name}", "0"])
