"""Files: written whole or not at all, read as UTF-8, and the folder of cached ones."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import yaml

from seqgen.errors import InputError


@contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """Open a binary file for writing that takes its name only when it is complete and on the disk.

    If a full disk or a kill interrupts the writing, an earlier file of that name is left as it was.

    Raises:
        OSError: the file cannot be written; its `filename` is `path`.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.chmod(aside, 0o666 & ~_umask())
            os.replace(aside, path)
        except BaseException:
            os.unlink(aside)
            raise
    except OSError as error:
        error.filename = str(path)
        raise


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file, whole or not at all."""
    with writing(path) as file:
        file.write(text.encode())


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file.

    Raises:
        InputError: it cannot be read, or is not UTF-8.
    """
    try:
        return read_bytes(path).decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: text must be UTF-8, but byte {error.start + 1} is not") from None


def read_bytes(path: Path) -> bytes:
    """Return the content of a file.

    Raises:
        InputError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None


def read_options(path: Path) -> dict[str, Any]:
    """Return the options of a run, as they were saved in a YAML file; none where there is no file.

    Raises:
        InputError: the file is damaged.
    """
    try:
        saved = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except yaml.YAMLError:
        saved = None
    if not isinstance(saved, dict):
        raise InputError(f"{path} must hold the options of a run as they were saved, but it is damaged")
    return saved


def cache_directory() -> Path:
    """Return the cache, which is the folder `seqgen` in `XDG_CACHE_HOME` or `~/.cache`; it is made where missing."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    directory = Path(home) / "seqgen"
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask
