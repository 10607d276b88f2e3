"""Files: written whole or not at all, read as UTF-8, and the folder of cached ones."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import yaml

from seqgen.errors import InputError

UNFINISHED = ".unfinished"  # the ending of files that are being written


@contextmanager
def writing(path: Path, *, replace: bool = True) -> Iterator[BinaryIO]:
    """Open a binary file for writing that takes its name only when it is complete and on the disk.

    If a full disk or a kill interrupts the writing, an earlier file of that name is left as it was; what a kill leaves
    aside is removed by `sweep`.

    Args:
        path: of the file; its folder is made where missing.
        replace: whether it takes the place of an earlier file of that name, which is kept otherwise.

    Raises:
        OSError: the file cannot be written; its `filename` is `path`.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, aside = _aside(path)
        with os.fdopen(handle, "wb") as file:  # locked until it is closed, under its own name or unlinked
            try:
                yield file
                file.flush()
                os.fsync(handle)
                os.chmod(aside, 0o666 & ~_umask())
                if not replace:
                    with suppress(FileExistsError):
                        os.link(aside, path)
                    os.unlink(aside)
                else:
                    os.replace(aside, path)
            except BaseException:
                with suppress(FileNotFoundError):  # where the interruption came after the renaming
                    os.unlink(aside)
                raise
    except OSError as error:
        error.filename = str(path)
        raise


def sweep(directory: Path) -> None:
    """Remove what killed writers have left in a folder and its subfolders; the files of living ones are locked."""
    for aside in directory.rglob(f".*{UNFINISHED}"):
        if aside.is_file():  # of which opening never waits
            with suppress(OSError), aside.open("rb") as file:
                if _locked(file.fileno(), wait=False):
                    aside.unlink(missing_ok=True)


def _aside(path: Path) -> tuple[int, str]:
    """Open a locked file beside `path`."""
    while True:
        # A name of 255 bytes leaves no room for more.
        handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.", suffix=UNFINISHED)
        if not _locked(handle) or os.fstat(handle).st_nlink:
            return handle, aside
        os.close(handle)  # swept in the moment before it was locked


def _locked(handle: int, *, wait: bool = True) -> bool:
    """Lock a file until it is closed; return False where another process has it, or the file system has no locks."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file, whole or not at all; bytes of a name that are not UTF-8 are written as JSON does."""
    with writing(path) as file:
        file.write(text.encode(errors="backslashreplace"))


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


@contextmanager
def filling_cache() -> Iterator[Path]:
    """Return the cache, to which something is written.

    Raises:
        InputError: it cannot be written.
    """
    try:
        yield cache_directory()
    except OSError as error:
        raise InputError(
            f"the cache must be a folder with room to write, but {error.filename} cannot be written "
            f"({error.strerror or error}): set XDG_CACHE_HOME to another"
        ) from None


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask
