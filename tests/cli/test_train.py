import os
import shlex
import shutil
import subprocess
import sys
import tomllib
import zipfile

import pytest
from making import RECIPES, ROOT, SMALL, load_recipe, results_of, weights_of

from seqgen.cli import main as cli
from seqgen.runs import command as started
from seqgen.runs import training

# Runs the command `seqgen`, and ends it when it opens a file of the clone.
WATCHED = f"""
import runpy, sys
clone = tuple({[f"{ROOT / folder}{os.sep}" for folder in ("seqgen", "recipes", "data", "tests")]!r})

def watch(event, arguments):
    if event == "open" and str(arguments[0]).startswith(clone):
        raise SystemExit(f"{{arguments[0]}} was read")

sys.addaudithook(watch)
runpy.run_module("seqgen", run_name="__main__", alter_sys=True)
"""


def options(text_file, directory, steps=2):
    words = ["--data", text_file, "--output_dir", directory, "--max_steps", steps, "--device", "cpu", *SMALL]
    return [str(word) for word in words]


def listed(out):
    """What stands beside the name of each recipe, in the block between the usage and the last line."""
    return dict(line.split(maxsplit=1) for line in out.split("\n\n")[1].splitlines())


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_the_recipes_are_listed_without_torch(arguments):
    program = "import sys, seqgen.cli.main as cli; cli.run_command(sys.argv[1:]); assert 'torch' not in sys.modules"
    asked = [sys.executable, "-c", program, "train", *arguments]
    out = subprocess.run(asked, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert listed(out) == {name: load_recipe(name).__doc__.splitlines()[0] for name in RECIPES}


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_shows_its_own_help(command, monkeypatch, name):
    monkeypatch.setattr(shutil, "which", lambda program: f"/bin/{program}")
    monkeypatch.setattr(sys, "orig_argv", ["python", "/bin/seqgen", "train", name, "--help"])
    code, out, _ = command(cli.main, "train", name, "--help")
    assert code == 0
    assert out.startswith(f"usage: seqgen train {name} [")
    assert " ".join(load_recipe(name).__doc__.split("\n\n")[0].split()) in " ".join(out.split())


def test_a_recipe_trains_as_its_script_does(command, text_file, tmp_path):
    code, out, _ = command(cli.main, "train", "char_generator", *options(text_file, tmp_path / "named"))
    assert code == 0
    again = command(load_recipe("char_generator").main, *options(text_file, tmp_path / "script"))
    assert again[0] == 0
    assert results_of(tmp_path / "named")["steps"] == 2
    assert weights_of(tmp_path / "named") == weights_of(tmp_path / "script")
    assert f"seqgen generate {tmp_path / 'named'}" in out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["char_generatr"], "there is no recipe 'char_generatr' (did you mean char_generator?)"),
        (["measuring"], "there is no recipe 'measuring'"),
        (["char_generator", "--max_step", "2"], "there is no option --max_step (did you mean --max_steps?)"),
        (["char_generator", "--max_steps", "few"], "--max_steps must be a whole number or null, not 'few'"),
        (["char_generator", "--copy", "--seed", "2"], "--copy must be the only option, but there are --copy --seed 2"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(command, tmp_path, monkeypatch, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    code, out, err = command(cli.main, "train", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {sentence}")
    assert err.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", RECIPES)
def test_a_copy_is_the_recipe_and_is_never_overwritten(command, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    code, out, _ = command(cli.main, "train", name, "--copy")
    assert code == 0
    assert out.splitlines()[-1] == f"python {name}.py"
    assert (tmp_path / f"{name}.py").read_bytes() == (ROOT / "recipes" / f"{name}.py").read_bytes()
    (tmp_path / f"{name}.py").write_text("changed")
    code, out, err = command(cli.main, "train", name, "--copy")
    assert (code, out) == (2, "")
    assert err == f"error: --copy must not overwrite a file, but {name}.py exists in the current folder\n"
    assert (tmp_path / f"{name}.py").read_text() == "changed"


def test_the_command_that_an_interrupted_run_shows_goes_on_with_it(command, text_file, tmp_path, monkeypatch):
    def train(*arguments):
        monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
        monkeypatch.setattr(sys, "orig_argv", ["python", "/bin/seqgen", "train", *arguments])
        return command(cli.main, "train", *arguments)

    straight, stopped = tmp_path / "straight", tmp_path / "stopped here"
    assert train("char_generator", *options(text_file, straight, 3))[0] == 0
    with monkeypatch.context() as patch:
        patch.setattr(training.StopSignals, "received", True)
        code, _, err = train("char_generator", *options(text_file, stopped, 3))
    assert code == 130
    shown = err.splitlines()[-1].partition("to resume: ")[2]
    assert shown == f"seqgen train char_generator --output_dir '{stopped}' --resume"
    assert train(*shlex.split(shown)[2:])[0] == 0
    assert weights_of(stopped) == weights_of(straight)
    assert f"- command: `{shown}`" in (stopped / "report.md").read_text()


@pytest.mark.parametrize(
    ("process", "shown"),
    [
        (["/bin/python", "tagger.py"], "python tagger.py"),
        (["/bin/python", "my recipe.py"], "python 'my recipe.py'"),
        (["/my env/python", "tagger.py"], "'/my env/python' tagger.py"),
        (["/bin/python", "-m", "seqgen", "train", "tagger"], "python -m seqgen train tagger"),
        (["/bin/python", "/bin/seqgen", "train", "tagger"], "seqgen train tagger"),
        (["/my env/python", "/my env/seqgen", "train", "tagger"], "'/my env/seqgen' train tagger"),
        (["/bin/python", "-u", "tagger.py"], "torchrun --nproc_per_node 2 tagger.py"),
        (
            ["/bin/python", "-u", "-m", "seqgen", "train", "tagger"],
            "torchrun --nproc_per_node 2 -m seqgen train tagger",
        ),
        (["/my env/python", "-u", "my recipe.py"], "'/my env/torchrun' --nproc_per_node 2 'my recipe.py'"),
    ],
)
def test_a_command_is_shown_so_that_it_can_be_typed_again(monkeypatch, process, shown):
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(sys, "executable", process[0])
    monkeypatch.setattr(sys, "orig_argv", [*process, "--seed", "2"])
    monkeypatch.setattr(sys, "argv", ["tagger.py", "--seed", "2"])
    if "torchrun" in shown:
        monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
        monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    assert started.command() == shown
    assert started.command("--data", "a b") == f"{shown} --data 'a b'"


def test_a_command_for_one_of_several_machines_says_which(monkeypatch):
    of_torchrun = {"TORCHELASTIC_RUN_ID": "none", "LOCAL_WORLD_SIZE": "4", "GROUP_WORLD_SIZE": "2", "GROUP_RANK": "1"}
    for name, value in (of_torchrun | {"MASTER_ADDR": "10.0.0.1", "MASTER_PORT": "29500"}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "orig_argv", ["python", "-u", "tagger.py", "--seed", "2"])
    monkeypatch.setattr(sys, "argv", ["tagger.py", "--seed", "2"])
    machines = "--nnodes 2 --node_rank 1 --master_addr 10.0.0.1 --master_port 29500"
    assert started.command("--resume").endswith(f"torchrun {machines} --nproc_per_node 4 tagger.py --resume")


def test_in_a_notebook_the_script_is_shown(monkeypatch):
    monkeypatch.setattr(sys, "orig_argv", ["python", "-m", "ipykernel", "-f", "x"])
    monkeypatch.setattr(sys, "argv", ["recipes/tagger.py", "--seed", "2"])
    assert started.command().endswith("python recipes/tagger.py")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The folder of an unpacked wheel, made of the files that a source distribution has."""
    source, unpacked = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("unpacked")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for name in ["pyproject.toml", *project["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]]:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(ROOT / name, source / name)
    asked = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--retries", "0", "--wheel-dir", "dist", "."]
    done = subprocess.run(asked, capture_output=True, text=True, cwd=source)
    if "No matching distribution found for hatchling" in done.stderr:
        pytest.skip("a wheel is built with hatchling, which pip does not find without an index")
    assert done.returncode == 0, done.stderr
    [made] = (source / "dist").glob("*.whl")
    with zipfile.ZipFile(made) as archive:
        archive.extractall(unpacked)
    return unpacked


def seqgen_of(folder, *arguments, directory):
    """Run the command `seqgen` of a package in this folder, which may open no file of the clone."""
    asked = [sys.executable, "-c", WATCHED, *arguments]
    environment = os.environ | {"PYTHONPATH": str(folder)}
    return subprocess.run(asked, capture_output=True, text=True, cwd=directory, env=environment)


def test_the_wheel_has_every_recipe(wheel):
    packed = {path.name: path.read_bytes() for path in (wheel / "seqgen" / "recipes").rglob("*") if path.is_file()}
    assert packed == {path.name: path.read_bytes() for path in (ROOT / "recipes").glob("*.py")}
    assert set(packed) == {f"{name}.py" for name in RECIPES}


def test_the_wheel_lists_and_runs_recipes_without_the_clone(wheel, text_file, tmp_path):
    assert "was read" in seqgen_of(ROOT, "train", directory=tmp_path).stderr
    done = seqgen_of(wheel, "train", directory=tmp_path)
    assert done.returncode == 0, done.stderr
    assert set(listed(done.stdout)) == set(RECIPES)
    done = seqgen_of(wheel, "train", "char_generator", *options(text_file, "run"), directory=tmp_path)
    assert done.returncode == 0, done.stderr
    assert results_of(tmp_path / "run")["steps"] == 2
