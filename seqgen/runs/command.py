"""The command that started this process, to be typed again."""

import os
import shlex
import shutil
import sys
from pathlib import Path


def command(*options: str) -> str:
    """Return this process's command with these options instead of its own, quoted for a shell.

    It begins as it was typed: with `python recipes/translator.py`, `seqgen train translator` or `torchrun`.
    """
    return shlex.join([*_typed(), *options])


def _typed() -> list[str]:
    own, given = sys.argv[1:], sys.orig_argv[1:]
    begin = len(given) - len(own)
    # `seqgen train NAME` leaves a recipe its own options only; in a notebook the two lists are unrelated.
    words = given[:begin] if given[begin:] == own else sys.argv[:1]
    installed = Path(sys.executable).parent
    if "TORCHELASTIC_RUN_ID" in os.environ:  # torchrun starts each process as `python -u`
        words = words[1:] if words[:1] == ["-u"] else words
        own = ["--nproc_per_node", os.environ["LOCAL_WORLD_SIZE"]]
        return [_program("torchrun", installed), *_machines(), *own, *words]
    if words and Path(words[0]).stem == "seqgen":  # the script that an installation makes
        return [_program("seqgen", Path(words[0]).parent), *words[1:]]
    return [_program("python", installed), *words]


def _machines() -> list[str]:
    """Return the options of `torchrun` for this machine among several."""
    if os.environ.get("GROUP_WORLD_SIZE", "1") == "1":
        return []
    variables = {"nnodes": "GROUP_WORLD_SIZE", "node_rank": "GROUP_RANK"}
    variables |= {"master_addr": "MASTER_ADDR", "master_port": "MASTER_PORT"}
    return [word for name, variable in variables.items() for word in (f"--{name}", os.environ[variable])]


def _program(name: str, folder: Path) -> str:
    """Return the name of a program where a shell finds it in this folder, else its path."""
    found = shutil.which(name)
    return name if found and Path(found).parent == folder else str(folder / name)
