"""Files: written whole or not at all, read as UTF-8, and the folder of cached ones."""

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import yaml

from seqgen.errors import InputError

UNFINISHED = ".unfinished"  # the ending of files that are being written
MOST_OPTIONS = 1 << 16  # bytes of a file of options


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


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Wait until no other process, nor thread, is in this context for the same path.

    Raises:
        OSError: the folder cannot be written.
    """
    aside = path.with_name(f".{path.name}{UNFINISHED}")  # which `sweep` removes where a kill leaves it
    with open(aside, "wb") as file:
        _locked(file.fileno())
        try:
            yield
        finally:
            aside.unlink(missing_ok=True)


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


def read_json(text: str) -> Any:
    """Return the value of a JSON text that others may have written.

    Raises:
        ValueError: it is not JSON, is nested too deeply, or holds half of a surrogate pair, which no file can hold.
    """
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if "\\u" in text:  # only so can a text that was decoded hold surrogates
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise ValueError(f"it holds half of a surrogate pair, \\u{ord(error.object[error.start]):04x}") from None
    return value


def read_options(path: Path) -> dict[str, Any]:
    """Return options from a YAML file, as a run saves them; none where there is no file.

    Raises:
        InputError: the file is damaged, or holds anything else.
    """
    if not path.is_file():
        return {}
    rule = f"{path} must hold the options of a run, each with its value"
    if path.stat().st_size > MOST_OPTIONS:
        raise InputError(f"{rule}, in at most {MOST_OPTIONS:,} bytes, but it has {path.stat().st_size:,}")
    try:
        saved = yaml.load(read_text(path), _PlainLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{rule}, but it is damaged: {' '.join(str(error).split())[:200]}") from None
    if not isinstance(saved, dict):
        raise InputError(f"{rule}, but it is damaged: it is a {type(saved).__name__}")
    return saved


class _PlainLoader(yaml.SafeLoader):
    """Reads YAML without references, a few of which make a value of any size."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Return a node that is no reference."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("it holds a reference to another value")
        return super().compose_node(parent, index)


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
