"""Something to see at once: every recipe shows samples when it validates, the first soon after the start."""

import pytest
from making import RECIPES, load_recipe
from small_data import small_options

SAMPLES = {
    "char_generator": lambda lines: bool(lines),
    "tagger": lambda lines: "[" in lines[0],
    "name_generator": lambda lines: ": " in lines[0],
    "image_captioner": lambda lines: ": " in lines[0],
    "text_classifier": lambda lines: " -> " in lines[0],
    "image_classifier": lambda lines: " -> " in lines[0],
    "translator": lambda lines: lines[1].startswith("  -> "),
}


@pytest.mark.parametrize("name", RECIPES)
def test_samples_come_with_the_first_validation(name, command, tmp_path):
    options = [*small_options(name, tmp_path), "--output_dir", tmp_path / "run"]
    code, _, err = command(load_recipe(name).main, *options, "--max_steps", 2)
    assert code == 0, err
    lines = err.splitlines()
    began = next(place for place, line in enumerate(lines) if line.startswith("training in "))
    ended = next(place for place, line in enumerate(lines) if line.startswith("step 2, "))
    shown = [line for line in lines[began + 1 : ended + 3] if not line.startswith("step ")]
    assert SAMPLES[name](shown), err
