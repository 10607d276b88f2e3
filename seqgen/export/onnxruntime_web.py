"""The files of onnxruntime-web, which runs graphs in browsers: found where npm has put them."""

from pathlib import Path

from seqgen.errors import InputError

PACKAGE = Path("node_modules") / "onnxruntime-web"
FILES = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
LICENSE = Path(__file__).with_name("onnxruntime_web.license")  # the package has no file of it


def runtime_files(place: str | None) -> list[Path]:
    """Return the files of onnxruntime-web that a page needs, and its licence.

    Args:
        place: folder of the package; by default that of the working directory or of a folder above it.

    Raises:
        InputError: the package is not there, or lacks a file.
    """
    here = Path.cwd()
    package = Path(place) if place else next(
        (folder / PACKAGE for folder in (here, *here.parents) if (folder / PACKAGE).is_dir()), None
    )
    if package is None:
        raise InputError(
            "a page that writes in the browser needs the package onnxruntime-web, which is in no folder node_modules "
            "here or above: npm install onnxruntime-web, or name its folder with --onnxruntime_web"
        )
    files = [package / "dist" / name for name in FILES]
    missing = [path for path in files if not path.is_file()]
    if missing:
        raise InputError(
            f"onnxruntime_web must be the folder of the package onnxruntime-web, 1.19 or newer, but {missing[0]} is "
            "not there: npm install onnxruntime-web"
        )
    return [*files, LICENSE]
