"""One run in a directory at a time, whatever ends it, and nothing left behind by one that was killed."""

import socket
import time

import pytest
from making import SMALL, load_recipe
from running import start

import seqgen
from seqgen.files import UNFINISHED, cache_directory

pytestmark = pytest.mark.processes


def wait_for(found, seconds=60):
    end = time.monotonic() + seconds
    while not found() and time.monotonic() < end:
        time.sleep(0.01)
    assert found()


def content_of(directory):
    return {path: path.read_bytes() for path in directory.glob("*.yaml")}


def test_a_second_run_is_refused_until_the_first_one_ends_even_by_a_kill(command, text_file, tmp_path):
    run, recipe, log = tmp_path / "run", load_recipe("char_generator"), tmp_path / "log"
    options = ["--data", text_file, "--output_dir", run, *SMALL, "--optimizer", "adamw", "--eval_every", 20]
    first = start("char_generator", *options, "--max_steps", 100_000, log=log)
    wait_for(lambda: (run / "model" / "config.json").exists() or not first.is_alive())
    before = content_of(run)

    code, _, err = command(recipe.main, *options, "--resume", "--max_steps", 30)
    assert (code, err.count("\n")) == (2, 1)
    assert f"--output_dir must not be in use, but another process runs in {run}" in err

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1]), "WORLD_SIZE": "2"}
    logs = [tmp_path / f"log{rank}" for rank in range(2)]
    two = [
        start("char_generator", *options, "--resume", log=log, **meeting, RANK=str(rank), LOCAL_RANK=str(rank))
        for rank, log in enumerate(logs)
    ]
    for process, log in zip(two, logs, strict=True):
        process.join(60)
        assert process.exitcode == 2
        assert "must not be in use" in log.read_text()
    assert content_of(run) == before
    seqgen.load(run).generate("the")

    assert first.is_alive()
    first.kill()
    first.join()
    left = [folder / f".name.12345678{UNFINISHED}" for folder in (run, run / "model", run / "state", cache_directory())]
    for path in left:
        path.touch()
    code, _, err = command(recipe.main, "--output_dir", run, "--resume", "--max_steps", 30)
    assert code == 0, err
    assert not [path for path in left if path.exists()]
