"""Numbers in a file that tells whether it is as it was written, read as they are needed."""

import os
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Self, overload

import numpy as np

from seqgen.errors import InputError
from seqgen.files import writing

SEAL = struct.Struct("<QI")  # at the end of a file: the bytes before it, and the checksum of its name and of these
PIECE = 1 << 22  # bytes that are checked at a time


class Damaged(Exception):
    """A file of numbers is missing, cut off or altered."""


@contextmanager
def writing_numbers(path: Path) -> Iterator[Callable[[np.ndarray], None]]:
    """Open a file of numbers that takes its name only when it is complete, and return the function that appends some.

    Raises:
        OSError: the file cannot be written; its `filename` is `path`.
    """
    with writing(path) as file:
        length, checksum = 0, zlib.crc32(path.name.encode())

        def write(numbers: np.ndarray) -> None:
            nonlocal length, checksum
            content = numbers.tobytes()
            length, checksum = length + len(content), zlib.crc32(content, checksum)
            file.write(content)

        yield write
        file.write(SEAL.pack(length, checksum))


class Numbers(Sequence[int]):
    """The (length,) numbers of a file from `writing_numbers`, or some of them: a slice is read by `np.asarray`.

    They are read, not mapped: of a map of a file that another program cuts off, the system kills whoever reads.

    Raises:
        Damaged: the file is not as it was written.
    """

    def __init__(self, path: Path, dtype: np.dtype):
        self.path, self.dtype = path, dtype
        if not path.is_file():  # a pipe of this name would never end
            raise Damaged(path)
        try:
            self._file = path.open("rb", buffering=0)
            self._handle = self._file.fileno()
            self.begin, self.length = 0, _checked(self._file, path.name) // dtype.itemsize
        except OSError:
            raise Damaged(path) from None

    def __len__(self) -> int:
        return self.length

    @overload
    def __getitem__(self, place: int) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> Self: ...
    def __getitem__(self, place: int | slice) -> int | Self:
        if isinstance(place, slice):
            begin, end, step = place.indices(self.length)
            if step != 1:
                raise IndexError(f"a slice must have the step 1, not {step}")
            part = type(self).__new__(type(self))
            vars(part).update(vars(self) | {"begin": self.begin + begin, "length": max(end - begin, 0)})
            return part
        if not -self.length <= place < self.length:
            raise IndexError(place)
        place %= self.length
        return int(self.read(place, place + 1)[0])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        numbers = self.read(0, self.length)
        return numbers if dtype is None else numbers.astype(dtype, copy=False)

    def read(self, begin: int, end: int) -> np.ndarray:
        """Return the (end - begin,) numbers of a part.

        Raises:
            InputError: the file was cut off in the meantime.
        """
        numbers = np.empty(end - begin, self.dtype)
        rest, place = numbers.view(np.uint8).data, (self.begin + begin) * self.dtype.itemsize
        while rest:
            count = os.preadv(self._handle, [rest], place)
            if not count:
                raise InputError(f"{self.path} must not change while it is read, but it was cut off: start again")
            rest, place = rest[count:], place + count
        return numbers


def _checked(file: BinaryIO, name: str) -> int:
    """Return the bytes of numbers of a file, all of which are read: 0.3 to 1 seconds for a gigabyte."""
    rest = size = os.fstat(file.fileno()).st_size - SEAL.size
    checksum = zlib.crc32(name.encode())
    while rest > 0 and (piece := file.read(min(rest, PIECE))):
        checksum, rest = zlib.crc32(piece, checksum), rest - len(piece)
    if rest or file.read() != SEAL.pack(size, checksum):
        raise Damaged(name)
    return size
