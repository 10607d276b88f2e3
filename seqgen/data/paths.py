"""Paths that an option such as `--data` names: of files, folders, globs, lists of these, or a pipe."""

import glob
import hashlib
import logging
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from seqgen.data.pipe import open_pipe
from seqgen.data.text_file import BLOCK, TextFile, known_encoding
from seqgen.errors import InputError, nearest
from seqgen.files import filling_cache, writing

logger = logging.getLogger(__name__)

COMMA = "[,]"  # a comma in a pattern that separates nothing
SEPARATOR = re.compile(r"(?<!\[),|,(?!\])")
ENDLESS = bytes(64)  # what no text has, in any encoding
SPARED = 1 << 30  # bytes of the disk

# What the recipes can name without a file.
NAMED_SETS = (
    *("python-source", "python-docs", "python-packages", "function-names", "dates", "scenes", "shapes"),
    *("ptb", "wikitext2"),
    *("FashionMNIST", "MNIST", "KMNIST", "CIFAR10", "CIFAR100", "multi30k-de-en", "multi30k-en-de"),
)


def find_files(data: str, encoding: str = "utf-8") -> list[TextFile]:
    """Return the text files that an option names: a file, a folder, a glob, "-", or several with commas between them.

    Of folders and globs, hidden files and those that are not text are left out; a warning says so of the latter. A name
    with a comma is a list, unless there is a file, or a match of the glob, with this very name; [,] is only a comma.

    Args:
        data: the value of the option.
        encoding: of all these files.

    Raises:
        InputError: something is not there, is empty or is not text, or the encoding is unknown.
    """
    encoding = known_encoding(encoding)
    return [file for part in _parts(data) for file in _files(part, encoding)]


def kept(data: str) -> str:
    """Return what an option names, but for standard input ("-") and pipes the path of a copy in the cache.

    These can be read only once, and a resumed run must find its data again.

    Raises:
        InputError: there is no end of it; or a pipe that nobody writes to, or a device.
    """
    if data == "-":
        return str(_keep(sys.stdin.buffer, "stdin"))
    if os.path.isfile(data) or os.path.isdir(data) or not os.path.exists(data):
        return data
    with open_pipe(data) as pipe:
        return str(_keep(pipe, "pipe"))


def absolute(data: str) -> str:
    """Return what an option names so that it is found from any folder: with absolute paths, also in lists and globs.

    Named sets, "-", and what is not there stay as they are.
    """
    if not data or data == "-" or data in NAMED_SETS:
        return data
    parts = _parts(data)
    return ",".join(_absolute(part, in_list=len(parts) > 1) for part in parts)


def visible_files(folder: Path) -> list[Path]:
    """Return all files in a folder and its subfolders, sorted, without those whose path has a hidden part (.name)."""
    return sorted(path for path in map(Path, _globbed(f"{glob.escape(str(folder))}/**/*")) if os.path.isfile(path))


def with_prefix(prefix: str) -> list[Path]:
    """Return the files whose names are a prefix, a point and more, such as corpus.de-en.de of corpus.de-en."""
    return sorted(path for path in map(Path, glob.glob(f"{glob.escape(prefix)}.*")) if os.path.isfile(path))


def _is_there(data: str) -> bool:
    return os.path.exists(data) or bool(_matches(data) or with_prefix(data))


def _absolute(part: str, *, in_list: bool) -> str:
    if not _is_there(part):
        return part
    path = Path(part).absolute()
    is_pattern = not (os.path.exists(part) or with_prefix(part))
    if not is_pattern and not (in_list and "," in str(path)):
        return str(path)
    if not is_pattern:
        return glob.escape(str(path)).replace(",", COMMA)
    # The current folder is no pattern, whatever its name.
    return part if os.path.isabs(part) else os.path.join(glob.escape(os.getcwd()).replace(",", COMMA), part)


def _parts(data: str) -> list[str]:
    return [data] if _is_there(data) or data == "-" else [part.strip() for part in SEPARATOR.split(data)]


def _matches(pattern: str) -> list[Path]:
    return sorted(path for path in {*map(Path, _globbed(pattern))} if os.path.isfile(path))


def _globbed(pattern: str) -> Iterator[str]:
    """Yield what matches a pattern; links to folders are not followed by **, as they may lead in a circle."""
    head, below, tail = re.sub(r"(^|/)\*\*$", r"\1**/*", pattern).partition("**/")
    if not below or not (head == "" or head.endswith("/")):
        yield from glob.iglob(pattern)
        return
    for top in glob.iglob(head) if head else ["."]:
        for folder, folders, _ in os.walk(top):
            folders[:] = [name for name in folders if name[0] != "."]
            yield from _globbed(os.path.join(glob.escape(folder), tail))


def _files(data: str, encoding: str) -> list[TextFile]:
    if not data:
        raise InputError("data must name a file, a folder, a glob, - or a named set, but a name is empty")
    path = Path(kept(data))
    if os.path.isdir(path):
        return _texts(visible_files(path), f"the folder {data}", encoding)
    if os.path.isfile(path):
        if path.stat().st_size == 0:
            raise InputError(f"{data} must hold text, but it is empty")
        return [TextFile(path, data, encoding)]
    if matches := _matches(data):
        return _texts(matches, f"the pattern {data}", encoding)
    hint = nearest(data, NAMED_SETS)
    raise InputError(f"data must be a file, a folder, a glob, - or a named set, but {data!r} is not there{hint}")


def _texts(paths: list[Path], where: str, encoding: str) -> list[TextFile]:
    """Return the files among these that begin like text; a warning says that others are skipped."""
    files = [TextFile(path, str(path), encoding) for path in paths]
    skipped = [(file, reason) for file in files if (reason := _no_text(file))]
    if len(skipped) == len(files):
        raise InputError(f"{where} must hold text files, but it holds none{f': {skipped[0][1]}' if skipped else ''}")
    if skipped:
        logger.warning(f"{where}: skipping {len(skipped)} files that are not text, such as {skipped[0][1]}")
    binary = {file for file, _ in skipped}
    return [file for file in files if file not in binary]


def _no_text(file: TextFile) -> str:
    """Return why a file does not begin like text, or an empty text where it does."""
    try:
        return "" if next(file.blocks(), "") else f"{file.name}, which is empty"
    except InputError as error:
        return str(error)


def _keep(source: BinaryIO, name: str) -> Path:
    """Copy text that is not a file into the cache, so that it can be read again and a run resumed."""
    with filling_cache() as cache, tempfile.TemporaryFile(dir=cache) as arriving:
        while block := source.read(BLOCK):
            if ENDLESS in block:
                raise InputError(f"{name} must hold text, but it holds NUL bytes as devices do")
            if shutil.disk_usage(cache).free < SPARED:
                raise InputError(f"{name} must end before the disk is full, but it does not: the cache is on it")
            arriving.write(block)
        if not arriving.tell():
            raise InputError(f"{name} must hold text, but it is empty")
        arriving.seek(0)
        copy = cache / f"{name}-{hashlib.file_digest(arriving, 'sha256').hexdigest()[:16]}.txt"
        arriving.seek(0)
        with writing(copy) as file:
            shutil.copyfileobj(arriving, file)
    return copy
