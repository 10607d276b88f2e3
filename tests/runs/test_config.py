"""Options: what was asked for, what was resolved, and where a default comes from."""

from dataclasses import fields
from itertools import pairwise

import numpy as np
import pytest
import torch
import yaml
from making import RECIPES, load_recipe

from seqgen.errors import InputError
from seqgen.runs.config import model_options, option_parser, parse_options
from seqgen.runs.sizes import SIZES


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
    assert (dates.model["dropout"], dates.tokenizer) == (0.1, "char")
    assert (texts.model["dropout"], texts.tokenizer) == (0.2, "subword")
    assert parse_options(config_class, ["--dropout", "0.3"]).model["dropout"] == 0.3
    files = parse_options(config_class, ["--source", "x.de", "--target", "x.en"])
    assert (files.model["dropout"], files.tokenizer) == (0.2, "subword")


def test_what_was_asked_for_is_kept_apart_from_what_was_resolved(tmp_path):
    config_class = load_recipe("translator").Config
    config = parse_options(config_class, ["--cell", "gru", "--seed", "3"])
    assert config.asked == {"cell": "gru", "seed": 3}
    assert config.resolved()["dropout"] == 0.1
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config.asked))
    (tmp_path / "resolved.yaml").write_text(yaml.safe_dump(config.resolved()))
    asked = parse_options(config_class, ["--config", str(tmp_path / "config.yaml"), "--data", "x.tsv"])
    assert (asked.model["cell"], asked.seed, asked.model["dropout"]) == ("gru", 3, 0.2)
    repeated = parse_options(config_class, ["--config", str(tmp_path / "resolved.yaml")])
    assert repeated.resolved() == config.resolved()


NAMES = ["lr[0.1]", "a*b?", "~", "~/x", "{a: 1}", "$HOME ${x}", "100%s", " a b ", "a\nb", "#1", "&a", "*a", "!x"]
NAMES += ["None", "123", "1e3", "true", "[a]", "a: b", "'q\"", "2020-01-01", "=", "-1", "\udcff", "x" * 300]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_taken_as_it_is(name):
    config_class = load_recipe("translator").Config
    config = parse_options(config_class, ["--output_dir", name, f"--data={name}", "--source", name])
    assert (config.output_dir, config.data, config.source) == (name, name, name)


@pytest.mark.parametrize("name", ["layers", "batch_tokens", "num_beams", "max_steps", "heads"])
def test_whole_numbers_are_above_zero(name):
    with pytest.raises(InputError, match=f"--{name} must be (above 0|at least 1), not 0"):
        parse_options(load_recipe("translator").Config, [f"--{name}", "0"])


@pytest.mark.parametrize("size", SIZES)
def test_a_size_gives_way_to_what_is_asked_for_and_to_the_preset(config_class, size):
    options = config_class.sizes[size].options
    plain, sized = parse_options(config_class, []).resolved(), parse_options(config_class, ["--size", size]).resolved()
    preset = config_class.presets.get(plain["data"], {})
    assert sized == plain | options | preset | {"size": size}
    given = {
        option: 7 if isinstance(of_size, int) else 0.25 for option, of_size in [*options.items()][1:]
    }  # all but one
    asked = parse_options(config_class, ["--size", size, *(f"--{option}={value}" for option, value in given.items())])
    assert asked.resolved() == sized | given


def test_sizes_grow(config_class):
    every = {option for size in config_class.sizes.values() for option in size.options}
    assert tuple(config_class.sizes) == SIZES
    data = ["--data", "x", "--captions", "y"] if hasattr(config_class, "captions") else ["--data", "x"]
    sizes = [parse_options(config_class, ["--size", size, *data]).resolved() for size in SIZES]
    assert all(one[option] <= other[option] for one, other in pairwise(sizes) for option in every)
    assert all(any(one[option] < other[option] for option in every) for one, other in pairwise(sizes))
    updates = [size.updates for size in config_class.sizes.values()]
    assert updates == sorted(updates)
    assert updates[0] == 0 < updates[1]


def test_options_of_another_recipe_are_named_as_that(tmp_path):
    options = parse_options(load_recipe("tagger").Config, []).resolved()
    (tmp_path / "resolved.yaml").write_text(yaml.safe_dump(options))
    with pytest.raises(InputError, match="must be with the recipe of the run, tagger, but this is translator"):
        parse_options(load_recipe("translator").Config, ["--resume", "--output_dir", str(tmp_path)])


def test_a_resumed_run_has_its_own_size(tmp_path):
    config_class = load_recipe("translator").Config
    config = parse_options(config_class, []).of_size("small")
    (tmp_path / "resolved.yaml").write_text(yaml.safe_dump(config.resolved()))
    resumed = parse_options(config_class, ["--resume", "--output_dir", str(tmp_path)])
    assert resumed.resolved() | {"output_dir": None} == config.resolved()


BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
BAD_FILES = {
    "latin": ("seed: 1 # caf\u00e9".encode("latin-1"), "text must be UTF-8"),
    "deep": (b"data: " + b"[" * 20_000, "must hold the options of a run"),
    "references": (BOMB.encode(), "holds a reference"),
    "huge": (b"seed: 1\n" * 10_000, "at most 65,536 bytes, but it has 80,000"),
    "list": (b"[1, 2]", "it is a list"),
    "binary": (b"\0\1", "must hold the options of a run"),
    "digits": (b"seed: " + b"9" * 5000, "must hold the options of a run"),
}


@pytest.mark.parametrize(("content", "sentence"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_file_that_holds_no_options_is_a_sentence(tmp_path, content, sentence):
    (tmp_path / "bad.yaml").write_bytes(content)
    for words in (["--config", str(tmp_path / "bad.yaml")], [f"--config={tmp_path / 'bad.yaml'}"]):
        with pytest.raises(InputError, match=sentence) as caught:
            parse_options(load_recipe("tagger").Config, words)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--seed", "-1"], "--seed must be at least 0, not -1"),
        (["--seed", str(2**70)], "--seed must be below 9,223,372,036,854,775,808, not 1,180,591"),
        (["--hidden_size", str(2**70)], "--hidden_size must be below 9,223"),
        (["--learning_rate", "1e400"], "--learning_rate must be finite, not inf"),
        (["--config", "/dev/zero"], "--config must be a YAML file with options, but '/dev/zero' is not a file"),
    ],
)
def test_values_that_nothing_can_take_are_sentences(words, sentence):
    with pytest.raises(InputError, match=sentence):
        parse_options(load_recipe("tagger").Config, words)


def test_the_largest_seed_is_one():
    seed = parse_options(load_recipe("tagger").Config, ["--seed", str(2**63 - 1)]).seed
    torch.manual_seed(seed)
    np.random.default_rng([seed, 1])
