"""A gzip file, unpacked as it is read, which is refused where it holds far more than text could."""

import gzip
import io
import os
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

from seqgen.errors import InputError

SMALL, LITTLE = 1 << 20, 1 << 24  # bytes of a small file, and of what it may hold
EXPANSION = 200  # times its size that any other gzip file may hold: logs that repeat themselves do, a bomb 1,000 times


class Unpacked(io.RawIOBase):
    """The content of a gzip file, up to the size that text can have.

    Args:
        path: of the file.
        name: as errors call it.
    """

    def __init__(self, path: Path, name: str):
        self._name, self._unpacked = name, gzip.GzipFile(path)
        small = path.stat().st_size < SMALL
        self._most = LITTLE if small else EXPANSION * path.stat().st_size
        if small:  # a bomb is found before any of it is used, which would take a minute
            with gzip.open(path) as file, suppress(EOFError, OSError, zlib.error):  # which whoever reads it finds
                while file.read(SMALL):
                    self._require(file.tell())

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place."""
        return self._unpacked.seek(offset, whence)

    def readinto(self, buffer: Any) -> int:
        """Read the next bytes."""
        self._require(self._unpacked.tell())
        return self._unpacked.readinto(buffer)

    def _require(self, count: int) -> None:
        if count > self._most:
            raise InputError(
                f"{self._name} must hold at most {self._most:,} bytes for a gzip file of its size, but it holds more: "
                "unpack it first"
            )

    def close(self) -> None:
        """Close the file."""
        self._unpacked.close()
        super().close()
