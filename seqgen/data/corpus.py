"""Text from files, folders, globs, standard input, or Python's own library."""

import glob
import gzip
import hashlib
import io
import logging
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, TextIO

from seqgen.data.sets.python_library import python_docs, python_source
from seqgen.errors import InputError, nearest
from seqgen.files import cache_directory, writing

logger = logging.getLogger(__name__)

NAMES = ("python-source", "python-docs")
BLOCK = 1 << 20  # characters


class Corpus:
    """Text in one or more files, read in blocks so that it may be larger than memory.

    Args:
        paths: UTF-8 text files, plain or gzipped.
        name: as `find` takes it again; that of a copy for a pipe, which can be read only once.
    """

    def __init__(self, paths: list[Path], name: str):
        self.paths, self.name = paths, name

    @classmethod
    def find(cls, data: str) -> "Corpus":
        """Return the text that `--data` names: a file, a folder, a glob, "-", "python-source" or "python-docs".

        Raises:
            InputError: it does not exist, is empty, or is not text.
        """
        if data == "python-source":
            return cls([path for _, path in python_source()], data)
        if data == "python-docs":
            return cls([_keep(io.BytesIO(python_docs().encode()), data)], data)
        if data == "-":
            kept = _keep(sys.stdin.buffer, "stdin")
            return cls([kept], str(kept))
        if not data:
            raise InputError("--data must name a text, but it is empty")
        path = Path(data)
        if path.is_dir():
            return cls(_text_files(visible_files(path), f"the folder {data}"), data)
        if path.is_file():
            if path.stat().st_size == 0:
                raise InputError(f"{path} must hold text, but it is empty")
            return cls([path], data)
        if path.exists():
            kept = read_again(path)
            return cls([kept], str(kept))
        matches = sorted(Path(match) for match in glob.glob(data, recursive=True))
        if matches:
            return cls(_text_files(matches, f"the pattern {data}"), data)
        hint = nearest(data, NAMES)
        raise InputError(f"--data must be a file, a folder, a glob, - or a named text, but {data!r} is not there{hint}")

    def files(self) -> Iterator[Iterator[str]]:
        """Yield each file as an iterator over its blocks."""
        for path in self.paths:
            yield _blocks(path)

    def blocks(self) -> Iterator[str]:
        """Yield the whole text in blocks that end at a line end, or else at a space."""
        for file in self.files():
            yield from file

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the content."""
        digest = hashlib.sha256()
        for path in self.paths:
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()


def _blocks(path: Path) -> Iterator[str]:
    rest = ""
    with _open(path) as file:
        while chunk := file.read(BLOCK):
            if "\0" in chunk:
                raise InputError(f"{path} must be text, but it holds NUL bytes as binary files do")
            rest += chunk
            cut = rest.rfind("\n") + 1 or rest.rfind(" ") + 1
            if cut:
                yield rest[:cut]
                rest = rest[cut:]
    if rest:
        yield rest


def read_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a text file, plain or gzipped, without their ends; only line feeds and CR LF end a line.

    Raises:
        InputError: it is not UTF-8 text, or cannot be read.
    """
    with _open(path) as file:
        for line in file:
            if "\0" in line:
                raise InputError(f"{path} must be text, but it holds NUL bytes as binary files do")
            yield line.removesuffix("\n")


@contextmanager
def _open(path: Path) -> Iterator[TextIO]:
    """Open a text file; what is wrong with it is raised as an InputError."""
    try:
        with _open_bytes(path) as binary:
            yield io.TextIOWrapper(binary, encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(_not_utf8(path, error)) from None
    except (gzip.BadGzipFile, EOFError) as error:
        raise InputError(f"{path} must be a whole gzip file: {error}") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None


def _open_bytes(path: Path) -> gzip.GzipFile | io.BufferedReader:
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")


def _not_utf8(path: Path, error: UnicodeDecodeError) -> str:
    with _open_bytes(path) as binary:
        for number, line in enumerate(binary, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as found:
                byte = line[found.start]
                return f"{path}, line {number}: text must be UTF-8, but byte {found.start + 1} is 0x{byte:02x}"
    return f"{path}: text must be UTF-8, but {error.reason}"


def read_again(path: Path) -> Path:
    """Return the path of a file, or of a cached copy where it is a pipe or device, which can be read only once."""
    if path.is_file() or path.is_dir() or not path.exists():
        return path
    with path.open("rb") as pipe:
        return _keep(pipe, "pipe")


def visible_files(folder: Path) -> list[Path]:
    """Return all files in a folder and its subfolders, sorted, without those whose path has a hidden part (.name)."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(path for path in paths if not any(part[0] == "." for part in path.relative_to(folder).parts))


def _text_files(paths: list[Path], where: str) -> list[Path]:
    """Return the files among these that begin like text; a warning says that others are skipped."""
    texts = [path for path in paths if _begins_like_text(path)]
    skipped = sorted(set(paths) - set(texts))
    if skipped:
        logger.warning(f"{where}: skipping {len(skipped)} files that are not text, such as {skipped[0]}")
    if not texts:
        raise InputError(f"{where} must hold text files, but it holds none")
    return texts


def _begins_like_text(path: Path) -> bool:
    try:
        return bool(next(_blocks(path), ""))
    except InputError:
        return False


def _keep(source: BinaryIO, name: str) -> Path:
    """Copy text that is not a file into the cache, so that it can be read again and a run resumed."""
    arriving = cache_directory() / f"{name}-{os.getpid()}.txt"
    with writing(arriving) as file:
        shutil.copyfileobj(source, file)
    with arriving.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    kept = cache_directory() / f"{name}-{digest[:16]}.txt"
    arriving.replace(kept)
    if kept.stat().st_size == 0:
        raise InputError(f"{name} must hold text, but it is empty")
    return kept
