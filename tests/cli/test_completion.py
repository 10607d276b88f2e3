"""Tab completes commands, recipes, options and their words, and imports no torch for it."""

import os
import subprocess
import sys

import pytest
from making import RECIPES, ROOT, load_recipe

from seqgen.cli.main import COMMANDS
from seqgen.cli.parsers import PARSERS
from seqgen.cli.recipe_options import recipe_options
from seqgen.cli.train import recipes
from seqgen.options import choices
from seqgen.runs.config import option_parser


def completed(line, tmp_path, **more):
    """The completions of a line, with the cursor at its end."""
    environment = os.environ | {"_ARGCOMPLETE": "1", "COMP_LINE": line, "COMP_POINT": str(len(line.encode()))}
    environment |= {"_ARGCOMPLETE_STDOUT_FILENAME": str(tmp_path / "found"), "_ARGCOMPLETE_IFS": "\n"} | more
    environment |= {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "seqgen"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, cwd=tmp_path)
    return {word.strip() for word in (tmp_path / "found").read_text().split("\n")} - {""}, done.stderr


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("seqgen ", set(COMMANDS) | {"--help", "--version"}),
        ("seqgen tra", {"train", "translate"}),
        ("seqgen train ", set(RECIPES)),
        ("seqgen train translator --adam", {"--adamw_learning_rate"}),
        ("seqgen train char_generator --documents ", {"none", "lines", "blank-lines", "files"}),
        ("seqgen classify runs --to", {"--top_k"}),
        ("seqgen generate runs --unseen ", {"error", "replace"}),
        ("seqgen translate runs 'a text' --num_beam", {"--num_beams", "--num_beam_groups"}),
        ("seqgen caption runs a.png --for", {"--force_words"}),
        ("seqgen doctor --m", {"--measure_again"}),
        ("seqgen classify rev", {"reviews.txt"}),
    ],
)
def test_tab_completes(tmp_path, line, words):
    (tmp_path / "reviews.txt").write_text("")
    assert completed(line, tmp_path)[0] == words


def test_it_imports_no_torch(tmp_path):
    for line in ("seqgen train image_captioner --", "seqgen generate runs --"):
        words, log = completed(line, tmp_path, PYTHONPROFILEIMPORTTIME="1")
        assert len(words) > 15
        imported = {row.split("|")[-1].strip() for row in log.splitlines()}
        assert "argcomplete" in imported
        assert not {"torch", "numpy", "matplotlib"} & imported


@pytest.mark.parametrize("name", RECIPES)
def test_all_options_of_a_recipe_are_completed_with_their_words(name):
    _, types = option_parser(load_recipe(name).Config)
    found = recipe_options(recipes()[name])
    assert set(found) == {*types, "config", "print_config", "help"}
    for option, kind in types.items():
        assert sorted(word for word in found[option] if word not in ("true", "false")) == sorted(choices(kind)), option


@pytest.mark.parametrize("name", PARSERS)
def test_all_options_of_a_command_have_types(name):
    parser = PARSERS[name]()
    options = {word for action in parser.parser._actions for word in action.option_strings if word.startswith("--")}
    known = {option.strip("-") for option in options if not option.endswith("+")}
    assert known - {"help", "print_shtab"} == set(parser.types)
