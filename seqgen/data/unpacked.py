"""A gzip file, unpacked as it is read, which is refused where it holds far more than text could."""

import gzip
import io
import os
from pathlib import Path
from typing import Any

from seqgen.errors import InputError

EXPANSION = 30  # times its size that a gzip file of text may hold, unless that is little; a bomb holds 1,000 times
LITTLE = 1 << 24  # bytes


class Unpacked(io.RawIOBase):
    """The content of a gzip file, up to the size that text can have.

    Args:
        path: of the file.
        name: as errors call it.
    """

    def __init__(self, path: Path, name: str):
        self._name, self._unpacked = name, gzip.GzipFile(path)
        self._most = max(EXPANSION * path.stat().st_size, LITTLE)

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
        if self._unpacked.tell() > self._most:
            raise InputError(
                f"{self._name} must hold text, which gzip makes up to {EXPANSION} times smaller, but it holds "
                f"more than {self._most:,} bytes: unpack it first"
            )
        return self._unpacked.readinto(buffer)

    def close(self) -> None:
        """Close the file."""
        self._unpacked.close()
        super().close()
