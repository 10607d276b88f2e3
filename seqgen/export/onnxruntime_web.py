"""The files of onnxruntime-web, which runs graphs in browsers: found where npm has put them."""

import os
from pathlib import Path

from seqgen.errors import InputError

PACKAGE = "onnxruntime-web"
FILES = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
LICENSE = Path(__file__).with_name("onnxruntime_web.license")  # the package has no file of it


def runtime_files(place: str | Path | None = None) -> list[Path]:
    """Return the files of onnxruntime-web that a page needs, and its licence.

    Args:
        place: folder of the package; by default it is found as Node.js does: in `node_modules` of the working directory
            or of a folder above it, or in a folder that the environment variable NODE_PATH names.

    Raises:
        InputError: the package is not there, or lacks a file.
    """
    found = [folder / PACKAGE for folder in _folders() if (folder / PACKAGE).is_dir()] if place is None else [place]
    if not found:
        raise InputError(
            f"a page that writes in the browser needs the package {PACKAGE}, which is in no folder node_modules here "
            f"or above: npm install {PACKAGE}, or name its folder with onnxruntime_web"
        )
    files = [Path(found[0]) / "dist" / name for name in FILES]
    for path in files:
        if not path.is_file():
            raise InputError(
                f"onnxruntime_web must be the folder of the package {PACKAGE}, but {path} is not there: "
                f"npm install {PACKAGE} gets it"
            )
    return [*files, LICENSE]


def _folders() -> list[Path]:
    here = Path.cwd()
    named = os.environ.get("NODE_PATH", "").split(os.pathsep)
    return [*(folder / "node_modules" for folder in (here, *here.parents)), *map(Path, filter(None, named))]
