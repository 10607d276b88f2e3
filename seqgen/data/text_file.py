"""A text file: its lines or blocks, whatever its encoding, plain or gzipped."""

import codecs
import gzip
import io
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from seqgen.data.store import file_fingerprint, fingerprint
from seqgen.data.unpacked import Unpacked
from seqgen.errors import InputError

BLOCK = 1 << 20  # characters
NOT_OF_FILES = {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "utf-7"}  # encodings
LONGEST = 1 << 24  # characters of a line; more are no text that anyone wrote, and would take gigabytes
GZIP = b"\x1f\x8b"  # the first bytes of every gzip file, with which no UTF-8 text can begin


@dataclass(kw_only=True)
class TextOptions:
    """Options for reading text files."""

    encoding: str = "utf-8"
    """encoding of text files, such as utf-8, latin-1, cp1252 or utf-16"""


@dataclass(frozen=True)
class TextFile:
    """A text file, and how its bytes are read.

    Args:
        path: of the file, plain or gzipped.
        name: as it was asked for; places in it begin with this.
        encoding: as `known_encoding` returns it.
    """

    path: Path
    name: str
    encoding: str = "utf-8"

    @property
    def ending(self) -> str:
        """The ending of its name in lower case, such as ".csv", without ".gz"."""
        return Path(self.stem_and_ending).suffix.lower()

    @property
    def stem_and_ending(self) -> str:
        """Its name without folders and ".gz"."""
        return self.path.name.removesuffix(".gz")

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the content, read in its encoding; neither of the name nor of the folder.

        Raises:
            InputError: it cannot be read.
        """
        content = file_fingerprint(self.path)
        return content if self.encoding == "utf-8" else fingerprint([content, self.encoding])

    def at(self, line: int) -> str:
        """Return the place of a line, as "file, line 3"."""
        return f"{self.name}, line {line}"

    def lines(self) -> Iterator[str]:
        """Yield its lines without their ends; only line feeds and CR LF end a line.

        Raises:
            InputError: it is not text in its encoding, has a line that is too long, or cannot be read.
        """
        with self._open() as file:
            number = 0
            while line := file.readline(LONGEST):
                number += 1
                if len(line) == LONGEST:
                    raise InputError(f"{self.at(number)}: a line must have less than {LONGEST:,} characters, not more")
                yield self._text(line).removesuffix("\n")

    def blocks(self) -> Iterator[str]:
        """Yield the whole text in blocks that end at a line end, or else at a space, or else anywhere.

        Raises:
            InputError: it is not text in its encoding, or cannot be read.
        """
        rest = ""
        with self._open() as file:
            while chunk := file.read(BLOCK):
                rest += self._text(chunk)
                cut = rest.rfind("\n") + 1 or rest.rfind(" ") + 1
                if cut or len(rest) >= 4 * BLOCK:
                    cut = cut or len(rest)
                    yield rest[:cut]
                    rest = rest[cut:]
        if rest:
            yield rest

    def _text(self, read: str) -> str:
        if "\0" in read:
            raise InputError(self._binary())
        return read

    def _binary(self) -> str:
        hint = "" if self.encoding.startswith("utf-16") else " (UTF-16 has them, too: --encoding utf-16)"
        return f"{self.name} must be text, but it holds NUL bytes as binary files do{hint}"

    @contextmanager
    def _open(self) -> Iterator[TextIO]:
        """Open it; what is wrong with it is raised as an InputError."""
        with self._readable():
            try:
                with self._open_bytes() as binary:
                    yield io.TextIOWrapper(binary, "utf-8-sig" if self.encoding == "utf-8" else self.encoding)
            except UnicodeError as error:
                raise InputError(self._undecodable(error)) from None

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise InputError(f"{self.name} must be a whole gzip file: {error}") from None
        except OSError as error:
            raise InputError(f"{self.name} cannot be read: {error.strerror or error}") from None

    def _open_bytes(self) -> BinaryIO:
        if not stat.S_ISREG(self.path.stat().st_mode):  # a pipe would wait for ever, and a device never end
            raise InputError(f"{self.name} must be a file, not a pipe or a device")
        file = self.path.open("rb")
        if self.path.suffix != ".gz" and file.peek(len(GZIP))[: len(GZIP)] != GZIP:
            return file
        file.close()
        return cast("BinaryIO", io.BufferedReader(Unpacked(self.path, self.name)))

    def _undecodable(self, error: UnicodeError) -> str:
        """Return a sentence about bytes that are not in the encoding."""
        utf8 = self.encoding == "utf-8"
        rule = "text must be UTF-8" if utf8 else f"text must be {self.encoding} as --encoding says"
        with self._open_bytes() as binary:
            begin = binary.read(BLOCK)
            marked = begin.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
            if utf8 and b"\0" in begin and not marked:
                return self._binary()
            likely = "utf-16" if marked else "cp1252"
            binary.seek(0)
            hint = f"; --encoding names another encoding, such as {likely}" if utf8 else ""
            # A line of bytes is one of text in encodings that contain ASCII only.
            for number, line in enumerate(binary if "\n".encode(self.encoding) == b"\n" else [], start=1):
                try:
                    line.decode(self.encoding)
                except UnicodeDecodeError as found:
                    byte = line[found.start]
                    return f"{self.at(number)}: {rule}, but byte {found.start + 1} is 0x{byte:02x}{hint}"
        return f"{self.name}: {rule}, but {getattr(error, 'reason', error)}{hint}"


def known_encoding(name: str) -> str:
    """Return the name under which Python knows an encoding.

    Raises:
        InputError: Python knows none of this name.
    """
    try:
        "".encode(name)  # which codecs that are no encodings of text refuse
        found = codecs.lookup(name).name.removesuffix("-sig")
        if found.replace("_", "-") in NOT_OF_FILES:
            raise LookupError
        return found
    except (LookupError, ValueError):
        raise InputError(
            f"--encoding must be one that Python knows, such as utf-8, latin-1, cp1252 or utf-16, not {name!r}"
        ) from None
