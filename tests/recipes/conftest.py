import pytest
from making import SMALL, load_recipe


@pytest.fixture
def recipe(monkeypatch):
    """The recipe with short samples, which take most of a short run."""
    recipe = load_recipe("char_generator")
    monkeypatch.setattr(recipe, "SAMPLE", 20)
    return recipe


@pytest.fixture
def train(recipe, command, text_file, tmp_path):
    def run(*arguments, directory=None, data=None):
        directory = tmp_path / "run" if directory is None else directory
        data = text_file if data is None else data
        return command(recipe.main, "--data", data, "--output_dir", directory, *SMALL, *arguments)

    return run
