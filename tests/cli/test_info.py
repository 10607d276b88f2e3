"""`seqgen info`: what a model is, how good it is, how it was made, and how to use it."""

import json
import shlex
import subprocess
import sys

import pytest
import yaml
from making import (
    TEXT,
    make_captioner,
    make_conditional_generator,
    make_generator,
    make_image_classifier,
    make_tagger,
    make_text_classifier,
    make_translator,
)

from seqgen import patterns
from seqgen.cli import main as cli
from seqgen.cli.info import KINDS, TITLES
from seqgen.cli.parsers import PARSERS
from seqgen.cli.train import recipes
from seqgen.inference.generator import Generator
from seqgen.inference.saved import USED_AS
from seqgen.text.characters import CharacterTokenizer

MAKERS = (
    make_generator,
    make_text_classifier,
    make_image_classifier,
    make_tagger,
    make_translator,
    make_captioner,
    make_conditional_generator,
)


@pytest.fixture
def run(tmp_path):
    """A run directory as a recipe leaves it, around a small model."""
    make_generator().save_pretrained(tmp_path / "run" / "model")
    (tmp_path / "run" / "config.yaml").write_text(yaml.safe_dump({"data": "a book.txt", "layers": 2}))
    (tmp_path / "run" / "resolved.yaml").write_text(yaml.safe_dump({"data": "a book.txt", "seed": 1}))
    results = {"val_loss": 1.25, "steps": 1234, "seconds": 9.5, "precision": "fp32"}
    (tmp_path / "run" / "results.json").write_text(json.dumps(results))
    return tmp_path / "run"


@pytest.mark.parametrize("make", MAKERS)
def test_every_kind_is_described_with_commands_that_exist(command, tmp_path, make):
    model = make()
    model.save_pretrained(tmp_path / "model")
    code, out, _ = command(cli.main, "info", tmp_path / "model", "--json")
    assert code == 0
    found = json.loads(out)
    # A weight that is shared is saved once, and is one parameter.
    assert found["model"]["parameters"] == sum(parameter.numel() for parameter in model.model.parameters())
    assert found["model"]["builder"] == model.builder
    for line in found["commands"]:
        name, *words = shlex.split(line)[1:]
        assert PARSERS[name]().parse(words)["directory"] == str(tmp_path / "model")
    code, out, _ = command(cli.main, "info", tmp_path / "model")
    assert [line[:-1] for line in out.splitlines() if not line.startswith(" ")] == list(TITLES)


def test_odd_names_are_quoted_in_the_commands(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_conditional_generator(categories=["{a} $x'", "dog"]).save_pretrained("-{m} *")
    found = json.loads(command(cli.main, "info", "--json", "--", "-{m} *")[1])
    for line in found["commands"]:
        name, *words = shlex.split(line)[1:]
        assert PARSERS[name]().parse(words)["directory"] == "./-{m} *"
    assert shlex.split(found["commands"][0])[3] == "{a} $x'"


def test_a_run_says_how_good_it_is_and_how_it_was_made(command, run):
    for directory in (run, run / "model"):
        found = json.loads(command(cli.main, "info", directory, "--json")[1])
        assert found["results"] == {"val_loss": 1.25}
        assert found["made"]["steps"] == 1234
        assert found["made"]["command"] == "seqgen train char_generator --data 'a book.txt' --layers 2"
    assert "1,234" in command(cli.main, "info", run)[1]


def test_a_run_without_results_says_so(command, run):
    (run / "results.json").unlink()
    assert "unknown, as there is no results.json" in command(cli.main, "info", run)[1]


def own_decoder(vocab_size):
    return patterns.generator(vocab_size, hidden_size=12)


def test_a_model_of_a_builder_of_ones_own_is_described_without_it(command, tmp_path):
    tokenizer = CharacterTokenizer.fit([TEXT])
    arguments = {"vocab_size": tokenizer.vocab_size}
    own = {"builder": own_decoder, "arguments": arguments}
    Generator.of(own_decoder(**arguments), tokenizer=tokenizer, **own).save_pretrained(tmp_path / "own")
    code, out, err = command(cli.main, "info", tmp_path / "own", "--json")
    assert code == 0, err
    assert json.loads(out)["model"]["builder"].endswith(":own_decoder")
    assert "a generator" in json.loads(out)["model"]["kind"]
    [line] = json.loads(out)["commands"]  # the shell cannot give a function
    assert line.startswith(f"seqgen.load({str(tmp_path / 'own')!r}, builder=own_decoder)")


def test_every_kind_has_a_recipe():
    assert set(KINDS) == set(USED_AS)
    assert {recipe for _, recipe in KINDS.values()} == set(recipes())


def test_it_needs_no_torch(run):
    program = "import sys, seqgen.cli.main as cli; cli.run_command(sys.argv[1:]); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program, "info", str(run)], capture_output=True, check=True)


def test_what_is_no_model_is_a_sentence(command, tmp_path):
    code, _, err = command(cli.main, "info", tmp_path)
    assert (code, err.count("\n")) == (2, 1)
    code, _, err = command(cli.main, "info", "../runs/nope")
    assert (code, err.count("\n")) == (2, 1)
    assert err.startswith("error: there is no folder '../runs/nope'")
