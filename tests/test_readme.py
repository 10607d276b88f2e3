"""What the README says is run."""

import ast
import re
import shlex
from dataclasses import fields

import PIL.Image
import pytest
from making import (
    ROOT,
    load_recipe,
    make_captioner,
    make_conditional_generator,
    make_generator,
    make_image_classifier,
    make_tagger,
    make_text_classifier,
    make_translator,
)

from seqgen.cli import main as cli
from seqgen.inference.bundle import Bundle

README = (ROOT / "README.md").read_text(encoding="utf-8")
CODE = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
COMMANDS = re.findall(r"^    (\S.*)$", README, flags=re.MULTILINE)


def code(mark):
    """The block of code that holds a mark."""
    [block] = [block for block in CODE if mark in block]
    return block


def test_the_first_two_commands_are_all_the_set_up():
    assert COMMANDS[:2] == [
        "python -m pip install . && python recipes/char_generator.py",
        'python -m pip install ".[test]" && python -m pytest',
    ]
    assert COMMANDS[1] in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_using_a_model(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    make_generator("ROMEO:\nJULIET:\n\n" * 9).save_pretrained("runs/mine/model")
    pushed = []
    monkeypatch.setattr(Bundle, "push_to_hub", lambda self, name: pushed.append(name))
    exec(code("generator.generate"), {})
    assert (tmp_path / "romeo" / "config.json").exists()
    assert "ROMEO:" in capsys.readouterr().out


def test_a_generator_from_its_parts_in_ten_lines(capsys):
    ten_lines = code("seqgen.Generator.of")
    lines = [line for line in ten_lines.splitlines() if line.strip() and not line.startswith(("import", "from"))]
    assert len(lines) <= 10
    exec(ten_lines, {})
    *losses, text = capsys.readouterr().out.split("\n", 4)
    assert float(losses[-1].split()[1]) < float(losses[0].split()[1])
    assert text.startswith("The ")


def test_classifiers_and_taggers_are_used_as_it_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    make_text_classifier().save_pretrained("runs/reviews/model")
    make_image_classifier().save_pretrained("runs/photographs/model")
    make_tagger().save_pretrained("runs/tagger/model")
    PIL.Image.new("RGB", (40, 30)).save("picture.jpg")
    exec(code("classifier.classify"), {})
    lines = capsys.readouterr().out.splitlines()
    assert [len(ast.literal_eval(line)) for line in lines[:2]] == [2, 2]
    assert lines[2] in make_image_classifier().classes
    assert [token for token, _ in ast.literal_eval(lines[3])] == list("x = 1")


def test_a_translator_is_used_as_it_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    make_translator().save_pretrained("runs/german/model")
    exec(code("translator.translate"), {})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    scores = [float(line.split()[0]) for line in lines[:3]]
    assert scores == sorted(scores, reverse=True)


def test_a_captioner_and_a_name_generator_are_used_as_it_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    make_captioner().save_pretrained("runs/photos/model")
    make_conditional_generator(("tkinter", "xml")).save_pretrained("runs/names/model")
    PIL.Image.new("RGB", (40, 30)).save("photo.jpg")
    exec(code("captioner.caption"), {})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert all(line.endswith(", 2, 2)") for line in lines[:3])
    assert len(ast.literal_eval(lines[3])) == 5


def test_a_task_of_ones_own_in_forty_lines(capsys):
    task = code("class Duration")
    assert len([line for line in task.splitlines() if line.strip()]) <= 40
    exec(task, {})
    *losses, answer = capsys.readouterr().out.splitlines()
    assert float(losses[-1].split()[1]) < 0.5 * float(losses[0].split()[1])
    assert 2700 < float(answer.split()[0]) < 10_800


def recipe_commands():
    recipes = [command for command in COMMANDS if "recipes/" in command and "pip" not in command]
    return [command for command in recipes if "benchmarks" not in command]


@pytest.mark.parametrize("line", recipe_commands())
def test_recipe_commands_have_options_that_exist(line, tmp_path, monkeypatch, text_file):
    words = shlex.split(line)
    recipe = load_recipe(words[1].removeprefix("recipes/").removesuffix(".py"))
    if "--resume" in words:
        (tmp_path / "runs/mine").mkdir(parents=True)
        (tmp_path / "runs/mine/config.yaml").write_text("hidden_size: 8\n")
        monkeypatch.chdir(tmp_path)
    recipe.parse_options(recipe.Config, "", words[2:])


@pytest.mark.parametrize("line", [command for command in COMMANDS if "benchmarks" in command])
def test_benchmark_commands_have_options_that_exist(line, monkeypatch):
    words = shlex.split(line)
    monkeypatch.syspath_prepend(ROOT / "recipes" / "benchmarks")
    benchmark = load_recipe(words[1].removeprefix("recipes/").removesuffix(".py"))
    monkeypatch.setattr("sys.argv", words[1:])
    assert benchmark.parse_options(benchmark.Config, "").widths


@pytest.mark.parametrize(
    "name",
    [
        "char_generator",
        "text_classifier",
        "image_classifier",
        "tagger",
        "translator",
        "image_captioner",
        "name_generator",
    ],
)
def test_every_option_of_a_recipe_is_in_the_readme(name):
    for field in fields(load_recipe(name).Config):
        assert f"--{field.name}" in README, field.name


def test_the_generate_command_works(tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    make_generator("ROMEO:\nJULIET:\n\n" * 9).save_pretrained("runs/mine/model")
    [line] = [line for line in COMMANDS if line.startswith("seqgen generate runs/mine")]
    code, out, _ = command(cli.main, *shlex.split(line)[1:])
    assert code == 0
    assert out.startswith("ROMEO:")
    assert len(out) == len("ROMEO:") + 500 + 1
