"""`seqgen train`: runs the recipe of a name, or copies it into the current folder to be changed."""

import ast
import re
import runpy
import sys
from pathlib import Path

from seqgen.errors import InputError, nearest
from seqgen.interruptions import handle, interruptions

PACKAGE = Path(__file__).parents[1]

USAGE = """usage: seqgen train NAME [OPTION ...]  train a model with the recipe of this name
       seqgen train NAME --help        show the options of the recipe
       seqgen train NAME --copy        copy the recipe into the current folder, to be changed

"""

PROCESSES = """
For several processes, one on each GPU or core: torchrun --nproc_per_node 2 -m seqgen train NAME [OPTION ...]"""


def train(arguments: list[str]) -> None:
    """Run the recipe of a name with the options that follow it; without a name, list the recipes.

    Raises:
        InputError: there is no such recipe, or the file to copy it to exists.
    """
    found = recipes()
    if not arguments or arguments[0] in ("-h", "--help"):
        width = max(map(len, found), default=0)
        print(USAGE + "".join(f"  {name:{width}}  {summary(path)}\n" for name, path in found.items()) + PROCESSES)
        return
    name, *options = arguments
    if name not in found:
        raise InputError(f"there is no recipe {name!r}{nearest(name, found)}; see seqgen train --help")
    if "--copy" not in options:
        sys.argv = [str(found[name]), *options]
        handle(interruptions.end)  # until the recipe's own main: torch drops what is raised while it imports numpy
        runpy.run_path(str(found[name]), run_name="__main__")
    elif options == ["--copy"]:
        copy(found[name])
    else:
        raise InputError(f"--copy must be the only option, but there are {' '.join(options)}")


def recipes() -> dict[str, Path]:
    """Return the script of each recipe by its name: those inside an installed package, else those of the clone."""
    folder = PACKAGE / "recipes"
    if not folder.is_dir():
        folder = PACKAGE.parent / "recipes"
    return {path.stem: path for path in sorted(folder.glob("*.py"))}


def summary(path: Path) -> str:
    """Return the first sentence of a module's docstring; the module is not run."""
    docstring = ast.get_docstring(ast.parse(path.read_bytes())) or ""
    return " ".join(re.split(r"(?<=\.)\s", docstring, maxsplit=1)[0].split())


def copy(path: Path) -> None:
    """Write a copy of a script into the current folder, and say how to run it.

    Raises:
        InputError: there is a file of this name.
    """
    try:
        with open(path.name, "xb") as file:
            file.write(path.read_bytes())
    except FileExistsError:
        raise InputError(f"--copy must not overwrite a file, but {path.name} exists in the current folder") from None
    print(f"{path.name} is now in the current folder; change it, and run it with\n")
    print(f"python {path.name}")
