"""Damaged files, options and standard input of all kinds: each is accepted, or refused in one sentence.

In the suite a few examples of each target, always the same; `pytest -m fuzz -s` tries new ones for ten minutes (or
`FUZZ_SECONDS`), and prints how many.
"""

from seqgen.exits import run_main

import io
import os
import random
import shutil
import sys
import time
from contextlib import redirect_stderr, redirect_stdout

import hypothesis
import numpy as np
import pytest
import torch
from fuzzing import Tally, edited, edits, odd_values, spoilt, zipped
from hypothesis import strategies as st
from making import (
    RECIPES,
    load_recipe,
)
from samples import COMMANDS, FILES, MODELS, PICTURES, READERS

import seqgen
from seqgen.cli.main import run_command
from seqgen.data.images import Preprocessing, read_image
from seqgen.data.store import stored
from seqgen.errors import InputError
from seqgen.figures.curves import draw_curves
from seqgen.files import cache_directory, write_text
from seqgen.runs.checkpoints import load_checkpoint, save_checkpoint
from seqgen.runs.config import option_parser, parse_options
from seqgen.runs.directory import RESUMED, read_resumptions
from seqgen.runs.logger import read_metrics

OPTIONS = ("top_k", "temperature", "max_new_tokens", "num_beams", "seed", "num_return_sequences", "length_penalty")
WORDS = ["", "0", "-1", "1", "2", "3", "1e9", str(2**70), "nan", "inf", "x", "true", "null", "[1]", "{}", "\udcff", "é"]
VALUES = st.sampled_from([*WORDS, "[" * 3_000])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    monkeypatch = pytest.MonkeyPatch()
    """Files of every kind, saved models, and a checkpoint."""
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "images").mkdir()
    for number in (1, 2):
        (folder / "images" / f"{number}.png").write_bytes(PICTURES["PNG"])
    for name, (make, _) in MODELS.items():
        make().save_pretrained(folder / name)
    (folder / "data.tsv").write_text("Ann\tPER\nsaw\tO\n\n" * 20)
    paths = ["--data", str(folder / "data.tsv"), "--output_dir", str(folder / "run")]
    monkeypatch.setattr(sys, "argv", ["tagger", *paths, "--max_steps", "2", "--size", "tiny", "--precision", "fp32"])
    load_recipe("tagger").main()
    write_text(folder / "run" / RESUMED, '{"step": 2, "time": "now", "changed": {"patience": [null, 3]}}\n')
    values = {"model": {"weight": torch.ones(3, 2)}, "progress": [1, 2.0, None], "text": "a"}
    save_checkpoint(folder / "state", 1, values)
    save_checkpoint(folder / "state", 2, values)
    monkeypatch.undo()
    return folder


def shell(arguments: list[str], given: bytes = b"") -> None:
    """Run a command as the shell would, whose exit code must be 0 or 2, with one sentence at the end of stderr.

    Raises:
        InputError: it is 2.
    """
    out, err, before = io.TextIOWrapper(io.BytesIO()), io.TextIOWrapper(io.BytesIO()), sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(given), encoding="utf-8")
    code = 0
    try:
        with redirect_stdout(out), redirect_stderr(err):
            run_main(lambda: run_command(arguments))
    except SystemExit as leaving:
        code = leaving.code or 0
    finally:
        sys.stdin = before
    assert code in (0, 2), (code, arguments)
    if code:
        err.seek(0)
        said = err.read()
        assert "Traceback" not in said
        assert "error: " in said.splitlines()[-1]
        raise InputError(said.splitlines()[-1])


def in_shell(options: list[tuple[str, str]]) -> list[str]:
    return [word for name, value in options for word in (f"--{name}", value)]


def fuzz_reader(folder, tally, draw):
    name = draw(st.sampled_from(sorted(FILES)))
    content, zip_it = FILES[name], draw(st.booleans())
    if name.endswith(".json") and draw(st.booleans()):
        content = spoilt(content, draw(st.floats(0, 1)), draw(odd_values))
    else:
        content = edited(content, draw(edits))
    content = zipped(content, draw(st.just([]) | edits)) if zip_it else content
    path = folder / (f"{name}.gz" if zip_it else name)
    path.write_bytes(content)
    with tally.of(name):
        READERS[name.split(".")[0]](path)


def fuzz_image(folder, tally, draw):
    content = edited(PICTURES[draw(st.sampled_from(sorted(PICTURES)))], draw(edits))
    with tally.of("image"):
        Preprocessing(32).fit(read_image(content))


def fuzz_model(folder, tally, draw):
    kind = draw(st.sampled_from(sorted(MODELS)))
    path = draw(st.sampled_from(sorted((folder / kind).iterdir())))
    content = path.read_bytes()
    if path.suffix == ".json" and draw(st.booleans()):
        changed = spoilt(content, draw(st.floats(0, 1)), draw(odd_values))
    else:
        changed = edited(content, draw(edits))
    path.write_bytes(changed)
    try:
        with tally.of(path):
            MODELS[kind][1](seqgen.load(folder / kind))
    finally:
        path.write_bytes(content)


def fuzz_run(folder, tally, draw):
    """What a run leaves beside its model, and all that reads it: `info`, `evaluate` and `--resume`."""
    run = folder / "run"
    path = draw(st.sampled_from(sorted(path for path in run.rglob("*") if path.suffix in TEXTS)))
    content = path.read_bytes()
    if path.suffix == ".json" and draw(st.booleans()):
        path.write_bytes(spoilt(content, draw(st.floats(0, 1)), draw(odd_values)))
    else:
        path.write_bytes(edited(content, draw(edits)))
    try:
        with tally.of(path):
            shell(["info", str(run)])
        with tally.of(path):
            shell(["info", str(run), "--json"])
        with tally.of(path):
            parse_options(load_recipe("tagger").Config, ["--output_dir", str(run), "--resume"])
        with tally.of(path):
            read_resumptions(run)
        with tally.of(path):
            draw_curves(run / "curves.png", read_metrics(run))
    finally:
        path.write_bytes(content)


def fuzz_checkpoint(folder, tally, draw):
    path = draw(st.sampled_from(sorted((folder / "state").iterdir())))
    content = path.read_bytes()
    path.write_bytes(edited(content, draw(edits)))
    try:
        with tally.of(path):
            assert load_checkpoint(folder / "state")["progress"] == [1, 2.0, None]  # the other one is whole
    finally:
        path.write_bytes(content)


def fuzz_cache(folder, tally, draw):
    rows = [(np.arange(number % 7), np.arange(number % 5)) for number in range(40)]

    def read() -> list[list[list[int]]]:
        return [[row.tolist() for row in column] for column in stored("fuzz", lambda: rows, [7, 5])]

    right = read()
    path = draw(st.sampled_from(sorted(path for path in cache_directory().iterdir() if path.is_file())))
    path.write_bytes(edited(path.read_bytes(), draw(edits)))
    with tally.of(path):
        assert read() == right


def fuzz_config(folder, tally, draw):
    path = folder / "config.yaml"
    path.write_bytes(edited(b"max_steps: 10\nseed: 3\nhidden_size: 12\ncell: gru\ndata: text.txt\n", draw(edits)))
    with tally.of("config"):
        parse_options(load_recipe("tagger").Config, ["--config", str(path)])


def fuzz_recipe_options(folder, tally, draw):
    config = load_recipe(draw(st.sampled_from(RECIPES))).Config
    names = sorted(option_parser(config)[1])
    chosen = draw(st.lists(st.tuples(st.sampled_from([*names, "nothing", "help_"]), VALUES), min_size=1, max_size=3))
    with tally.of(chosen):
        parse_options(config, in_shell(chosen))


def fuzz_command(folder, tally, draw):
    name = draw(st.sampled_from(sorted(COMMANDS)))
    kind, words = COMMANDS[name]
    options = draw(st.lists(st.tuples(st.sampled_from(OPTIONS), VALUES), max_size=2))
    given = edited(b"the cat sat\nthe dog\n", draw(edits)) if not words else b""
    arguments = [name, str(folder / kind), *words, *in_shell(options)]
    with tally.of(arguments):
        shell(arguments, given[:2_000])


TEXTS = (".json", ".jsonl", ".yaml", ".md")  # of a run
SLOW = (fuzz_run, fuzz_recipe_options, fuzz_config)  # a parser of all options is made for each example
TARGETS = [value for name, value in list(globals().items()) if name.startswith("fuzz_")]


def run(target, folder, examples: int, seed: int) -> Tally:
    """Try a number of examples of a target, from a random seed."""
    tally = Tally()

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples, database=None, deadline=None, suppress_health_check=list(hypothesis.HealthCheck)
    )
    @hypothesis.given(st.data())
    def check(data):
        target(folder, tally, data.draw)

    check()
    return tally


@pytest.mark.parametrize("target", TARGETS)
def test_whatever_is_damaged_is_accepted_or_refused_in_one_sentence(target, folder):
    tally = run(target, folder, 10 if target in SLOW else 30, seed=1)
    assert tally["refused"] or target is fuzz_cache or target is fuzz_checkpoint


@pytest.mark.fuzz
def test_for_ten_minutes(folder):
    seconds, seed = float(os.environ.get("FUZZ_SECONDS", "600")), random.randrange(2**32)
    total, began = {target: Tally() for target in TARGETS}, time.monotonic()
    while time.monotonic() - began < seconds:
        for target in TARGETS:
            total[target].update(run(target, folder, 10 if target in SLOW else 100, seed))
        shutil.rmtree(cache_directory())
        seed += 1
    for target, tally in total.items():
        print(f"{target.__name__:24}", ", ".join(f"{count:8,} {what}" for what, count in sorted(tally.items())))
