"""What the pages say is so: their code and commands run, their links lead somewhere, their tables are fresh."""

import ast
import re
import shlex
import tomllib
from functools import cache
from pathlib import Path

import option_tables
import PIL.Image
import pytest
import yaml
from making import (
    RECIPES,
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
from pages import CODE, FENCED, FRONT, MANUAL, PAGES, code

from seqgen.cli import main as cli
from seqgen.cli.parsers import PARSERS
from seqgen.generation.config import GenerationConfig
from seqgen.inference.bundle import Bundle
from seqgen.runs.config import RunConfig, option_parser, parse_options

# The blocks of code that the tests below and those of `test_own_tasks.py` run, by what only one of them holds.
RUN = ("generator.stream", "classifier.classify", "found = translator.translate", "captioner.caption", "class Duration")
RUN += (
    "pydoc_data",
    "runs/reverser",
    "class Bigrams",
    "NGram.fit",
    "nearest_vectors",
    'seqgen.load("runs/mine").generate',
)
TEXT = "ROMEO:\nJULIET:\n\ndef self\n" * 9


def commands(name):
    """The commands of a page: indented lines, and those in the running text."""
    page = FENCED.sub("", PAGES[name])
    spans = re.findall(r"`((?:python recipes/|seqgen train |torchrun )[^`]*)`", page)
    return re.findall(r"^    (\S.*)$", page, flags=re.MULTILINE) + spans


EVERY = list(dict.fromkeys(line for name in PAGES for line in commands(name)))
SETUP = [line for line in EVERY if "pip install" in line]
BENCHMARKS = [line for line in EVERY if "recipes/benchmarks/" in line]
NOTEBOOKS = [line for line in EVERY if re.match(r"jupyter |jupytext ", line)]
TRAINING = [line for line in EVERY if re.search(r"recipes/\w+\.py|seqgen train \w", line) and line not in SETUP]
SERVING = [line for line in EVERY if line.startswith("seqgen serve ")]  # which ends with the user's patience
IN_USE = [line for line in EVERY if re.match(r"seqgen (?!train|serve)\w+ runs/", line)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a model of each kind, and all the files that the pages name."""
    folder = tmp_path_factory.mktemp("folder")
    models = {
        "mine": make_generator(TEXT),
        "reviews": make_text_classifier(),
        "photographs": make_image_classifier(),
        "tagger": make_tagger(),
        "german": make_translator(),
        "german2": make_translator(cell="gru", hidden_size=24),
        "german/members/2": make_translator(cell="gru", hidden_size=24),
        "photos": make_captioner(),
        "scenes": make_captioner(),
        "names": make_conditional_generator(("tkinter", "xml")),
    }
    for name, model in models.items():
        model.save_pretrained(folder / "runs" / name / "model")
    (folder / "images").mkdir()
    for name in ("picture.jpg", "photo.jpg", "photo.png", "images/photo.png"):
        PIL.Image.new("RGB", (40, 30)).save(folder / name)
    texts = dict.fromkeys(("in.de", "test.de", "test.en", "reviews.txt", "book.txt"), "the cat sat\nthe dog\n")
    texts |= {"another.txt": "the dog sat\nthe cat\n", "file.py": "the cat sat on the mat\nthe dog\n"}
    texts |= {"prompts.txt": "ROMEO:\nJULIET:\n", "reviews.tsv": "label\ttext\nfine\tthe cat\nbad\tthe dog\n"}
    texts["pairs.tsv"] = "source\ttarget\nthe cat\tthe mat\n"
    texts["nbest.jsonl"] = '{"source": "the", "translations": [{"text": "a"}, {"text": "cat"}]}\n'
    for name, text in texts.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def here(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return folder


def test_every_command_and_every_block_of_code_is_tried_below():
    assert set(EVERY) == {*SETUP, *BENCHMARKS, *NOTEBOOKS, *TRAINING, *SERVING, *IN_USE}
    assert {sum(mark in block for mark in RUN) for block in CODE} == {1}


def test_the_first_commands_are_all_the_set_up():
    assert commands(FRONT)[:3] == [
        'python -m pip install ".[serve]" && python recipes/char_generator.py --output_dir runs/python',
        "seqgen serve runs/python",
        'python -m pip install ".[test]" && python -m pytest -n 2',
    ]
    assert commands(FRONT)[1:2] == SERVING
    assert PARSERS["serve"]().parse(shlex.split(SERVING[0])[2:])["directory"] == "runs/python"
    assert commands(FRONT)[2] in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_extras_that_are_installed_exist():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    named = {name for line in SETUP for name in re.findall(r"\[(\w+)\]", line)}
    assert named
    assert named <= set(extras)


def test_the_readme_is_three_screens():
    assert len(PAGES[FRONT].splitlines()) <= 150
    for name in ("caption", "serve"):
        assert (ROOT / "recipes" / "pictures" / f"{name}.png").stat().st_size < 90_000
    for name in RECIPES:
        assert f"`seqgen train {name}`" in PAGES[FRONT]
    for path in (ROOT / "seqgen").iterdir():
        if (path / "__init__.py").exists():
            assert f"`seqgen/{path.name}/`" in PAGES[FRONT]


def test_each_guarantee_names_a_test():
    table = PAGES[FRONT].split("## Guarantees")[1].split("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("|")][2:]
    assert len(rows) >= 8
    for row in rows:
        tests = re.findall(r"`([\w/]+\.py)::(\w+)`", row)
        assert tests, row
        for path, name in tests:
            assert f"\ndef {name}(" in (ROOT / "tests" / path).read_text(encoding="utf-8"), name


@pytest.mark.parametrize("name", [*PAGES, "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_lead_somewhere(name):
    page = FENCED.sub("", (ROOT / name).read_text(encoding="utf-8"))
    for link in re.findall(r"\]\(([^)\s]+)\)", page):
        path, _, heading = link.partition("#")
        linked = (ROOT / name).parent / path if path else ROOT / name
        assert linked.exists(), link
        if heading:
            titles = re.findall(r"^#+ (.*)$", linked.read_text(encoding="utf-8"), flags=re.MULTILINE)
            assert heading in [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles], link


def test_using_a_model_of_each_kind(here, capsys):
    exec(code('seqgen.load("runs/mine").generate'), {})
    out = capsys.readouterr().out
    assert out.startswith("def ")
    *_, classes, picture, tags, translation, caption, names = out.splitlines()
    assert classes.count("probability=") == 2
    assert picture in make_image_classifier().classes
    assert [token for token, _ in ast.literal_eval(tags)] == list("x = 1")
    assert translation
    assert caption
    assert len(ast.literal_eval(names)) == 5


def test_using_a_model(here, monkeypatch, capsys):
    pushed = []
    monkeypatch.setattr(Bundle, "push_to_hub", lambda self, name: pushed.append(name))
    exec(code("generator.stream"), {})
    assert (here / "romeo" / "config.json").exists()
    assert "ROMEO:" in capsys.readouterr().out


def test_classifiers_and_taggers_are_used_as_it_says(here, capsys):
    exec(code("classifier.classify"), {})
    lines = capsys.readouterr().out.splitlines()
    assert [len(ast.literal_eval(line)) for line in lines[:2]] == [2, 2]
    assert lines[2] in make_image_classifier().classes
    assert [token for token, _ in ast.literal_eval(lines[3])] == list("x = 1")


def test_a_translator_is_used_as_it_says(here, capsys):
    exec(code("found = translator.translate"), {})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    scores = [float(line.split()[0]) for line in lines[:3]]
    assert scores == sorted(scores, reverse=True)


def test_a_captioner_and_a_name_generator_are_used_as_it_says(here, capsys):
    exec(code("captioner.caption"), {})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert all(line.endswith(", 2, 2)") for line in lines[:3])
    assert len(ast.literal_eval(lines[3])) == 5


@cache
def recipe_of(name):
    return load_recipe(name)


@pytest.mark.parametrize("line", TRAINING)
def test_recipe_commands_have_options_that_exist(line, tmp_path, monkeypatch):
    name, words = re.search(r"(?:recipes/|seqgen train )(\w+)(?:\.py)?(.*)", line).groups()
    if "--resume" in words:
        (tmp_path / "runs/mine").mkdir(parents=True)
        (tmp_path / "runs/mine/resolved.yaml").write_text("hidden_size: 8\n")
    if begun := re.search(r"--init_from (\S+)", words):
        make_generator(TEXT).save_pretrained(tmp_path / begun[1] / "model")
    if begun := re.search(r"--vectors (\S+)", words):
        (tmp_path / begun[1]).write_text("the 0.1 0.2\ncat -0.3 0.4\n")
    monkeypatch.chdir(tmp_path)
    assert name in RECIPES
    if words == " --copy":
        return
    parse_options(recipe_of(name).Config, shlex.split(words))


@pytest.mark.parametrize("line", BENCHMARKS)
def test_benchmark_commands_have_options_that_exist(line, monkeypatch):
    words = shlex.split(line)
    monkeypatch.syspath_prepend(ROOT / "recipes" / "benchmarks")
    benchmark = load_recipe(words[1].removeprefix("recipes/").removesuffix(".py"))
    monkeypatch.setattr("sys.argv", words[1:])
    assert benchmark.parse_options(benchmark.Config, "")


@pytest.mark.parametrize("line", NOTEBOOKS)
def test_commands_of_notebooks_name_what_exists(line):
    assert (ROOT / shlex.split(line)[-1]).exists()


@pytest.mark.figures
@pytest.mark.parametrize("line", IN_USE)
def test_commands_of_a_saved_model_work(line, here, monkeypatch, command):
    line, _, read = re.sub(r" [|>].*", "", line).partition(" < ")
    words = [path for word in shlex.split(line) for path in (sorted(map(str, Path().glob(word))) or [word])]
    if read:
        monkeypatch.setattr("sys.stdin", open(read, encoding="utf-8"))  # noqa: SIM115  (the command reads it)
    exit_code, out, err = command(cli.main, *words[1:])
    assert exit_code == 0, err
    assert out or "wrote" in err


def test_the_generate_command_works(here, command):
    [line] = [line for line in commands(MANUAL) if line.startswith('seqgen generate runs/mine "')]
    exit_code, out, _ = command(cli.main, *shlex.split(line)[1:])
    assert exit_code == 0
    assert out.startswith("ROMEO:")
    assert len(out) == len("ROMEO:") + 500 + 1


def test_the_tables_of_options_are_fresh():
    page = PAGES[MANUAL]
    assert option_tables.fresh(page) == page, "run python tests/option_tables.py"
    assert sorted(re.findall(r"<!-- options of (\w+) -->", page)) == sorted(["shared", *RECIPES])


def options_of_table(name):
    table = PAGES[MANUAL].split(f"<!-- options of {name} -->")[1].split("<!-- end -->")[0]
    return set(re.findall(r"^\| `--(\w+)", table, flags=re.MULTILINE))


@pytest.mark.parametrize("name", RECIPES)
def test_every_option_of_a_recipe_is_in_the_tables(name):
    every, shared = set(option_parser(recipe_of(name).Config)[1]), options_of_table("shared")
    assert shared == set(option_parser(RunConfig)[1])
    assert every <= options_of_table(name) | shared
    assert options_of_table(name) <= every


def test_a_table_has_shared_options_of_another_default_and_presets():
    captioner = option_tables.options(recipe_of("image_captioner").Config)
    assert "label_smoothing" in options_of_table("image_captioner")
    assert "clip" not in options_of_table("image_captioner")
    assert dict(option[:2] for option in captioner)["`--dropout`"] == "0.3; with scenes 0.0"


@pytest.mark.parametrize("name", PAGES)
def test_options_that_a_page_names_exist(name):
    known = {option for recipe in RECIPES for option in option_parser(recipe_of(recipe).Config)[1]}
    known |= set(GenerationConfig.__dataclass_fields__) | {"config", "print_config", "help", "copy", "nproc"}
    known |= {option for new in PARSERS.values() for option in new().types}
    sources = [*(ROOT / "seqgen" / "cli").glob("*.py"), *(ROOT / "recipes" / "benchmarks").glob("*.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    known |= set(re.findall(r'"--(\w+)"', text)) | set(re.findall(r"^    (\w+): ", text, flags=re.MULTILINE))
    for span in re.findall(r"`([^`\n]*--[^`\n]*)`", FENCED.sub("", PAGES[name])):
        assert set(re.findall(r"(?<!\S)--(\w+)", span)) <= known, span


def test_resumed_runs_read_what_was_resolved(tmp_path):
    (tmp_path / "config.yaml").write_text("hidden_size: 9\n")
    (tmp_path / "resolved.yaml").write_text(yaml.safe_dump({"hidden_size": 8, "window": 7}))
    resumed = parse_options(recipe_of("char_generator").Config, ["--output_dir", str(tmp_path), "--resume"])
    assert (resumed.model["hidden_size"], resumed.window) == (8, 7)
