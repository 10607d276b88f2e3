"""Recipes in processes of their own, forked from one that has imported torch, which saves seconds for each."""

import multiprocessing
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path

import jinja2
import pytest
from docstring_parser.attrdoc import AttributeDocstrings

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["preloaded"])
# The first candidate is chosen, however fast another one is, and other programs are not waited for.
QUICK_DECISIONS = {
    "seqgen.hardware.decisions.TURNS": 0,
    "seqgen.hardware.decisions.CLEARLY": 0.0,
    "seqgen.hardware.decisions._others_calculate": lambda device: False,
}

# A quarter of the channels of the small image network, which has a hundred times as many weights as the other models.
NARROW = {"seqgen.nn.backbones.backbone.__defaults__": (4,)}


def leave_undrawn(figure, file, **options):
    """Stand in for the saving of a figure."""


def leave_empty(path, drawn):
    """Stand in for the drawing of a figure in a run's directory."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


UNDRAWN = {
    "matplotlib.figure.Figure.savefig": leave_undrawn,
    "seqgen.figures.attention.draw_attention": leave_empty,
    "seqgen.runs.logger.draw_curves": leave_empty,
}


def parse_once(patch):
    """Parse what libraries parse in each run, the docstrings of options and the template of cards, once."""
    find = cache(lambda component, find=AttributeDocstrings.get_attr_docs: find(AttributeDocstrings(), component))
    patch.setattr(AttributeDocstrings, "get_attr_docs", lambda visitor, component: find(component))
    patch.setattr(jinja2.Environment, "compile", cache(jinja2.Environment.compile))


def run_recipe(name, arguments, log, environment):
    """Run a recipe with a checkpoint after every update, so that kills fall into the saving of one, too."""
    os.environ.update(environment)
    from seqgen.exits import run_main

    from making import load_recipe

    patch = pytest.MonkeyPatch()
    for place, value in (QUICK_DECISIONS | NARROW | UNDRAWN | {"seqgen.runs.training.SAVE_EVERY": 0.0}).items():
        patch.setattr(place, value)
    patch.setattr("os.fsync", lambda handle: None)  # what a killed process has written is there without it
    recipe, sys.argv = load_recipe(name), [f"{name}.py", *arguments]
    for constant in ("SAMPLE", "WRITTEN"):  # tokens or texts, which take most of a short run
        patch.setattr(recipe, constant, 20, raising=False)
    with Path(f"{log}.out").open("w") as out, Path(log).open("w") as err, redirect_stdout(out), redirect_stderr(err):
        run_main(recipe.main)


def forked(target, *arguments):
    """Start a process that calls a function; the server that forks it finds modules where this process does."""
    process = CONTEXT.Process(target=target, args=arguments)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        process.start()
    return process


def start(name, *arguments, log, **environment):
    """Start a recipe in a process, with its stderr in the file `log` and its stdout in `log`.out."""
    shared = {name: os.environ[name] for name in ("XDG_CACHE_HOME", "OMP_NUM_THREADS")}
    return forked(run_recipe, name, [str(argument) for argument in arguments], log, shared | environment)


def finish(process, log):
    """Wait for the end of a process, which must have succeeded."""
    process.join()
    assert process.exitcode == 0, Path(log).read_text()
