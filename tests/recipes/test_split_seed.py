"""Runs of other random seeds on the same parts of the data, for an ensemble."""

import pytest
from making import load_recipe
from small_data import small_options

import seqgen


@pytest.mark.parametrize("name", ["text_classifier", "tagger", "translator", "name_generator"])
def test_runs_that_differ_in_their_seed_alone_are_an_ensemble(name, command, tmp_path):
    options, directories = small_options(name, tmp_path), [tmp_path / "one", tmp_path / "other", tmp_path / "elsewhere"]
    for directory, seeds in zip(directories, (["1"], ["2", "--split_seed", "1"], ["2"]), strict=True):
        limits = ["--max_steps", 1, "--eval_every", 1, "--output_dir", directory]
        code, _, err = command(load_recipe(name).main, *options, *limits, "--seed", *seeds)
        assert code == 0, err
    one, other, elsewhere = map(data_of, directories)
    assert one == other != elsewhere
    several = seqgen.load(directories[:2])
    differing = [
        name
        for name, weight in several.members[0].model.state_dict().items()
        if not weight.equal(several.members[1].model.state_dict()[name])
    ]
    assert differing


def data_of(directory):
    """The fingerprint of the parts of the data that a run was trained and tested on."""
    [line] = [line for line in (directory / "model" / "README.md").read_text().splitlines() if "fingerprint" in line]
    return line
