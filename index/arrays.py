"""Named arrays in one file that is mapped into memory: only what is looked at is read from a large one.

The arrays come first, each at a multiple of 64 bytes; then, as JSON, their names, types, shapes and places;
last the length of that, in eight bytes.
"""

import json
import mmap
import os
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Arrays = Mapping[str, NDArray[Any]]

SMALL = 16 << 20  # bytes of a file that is read whole, and checked each time that it is opened
_ALIGNED = 64


class Writer:
    """A file of arrays that grows. Room is reserved before it is used: OSError where the disk has none."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("xb+")
        self._end = 0
        self._places: dict[str, tuple[str, tuple[int, ...], int]] = {}

    def empty(self, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """Return a new array of zeros that is filled in the file itself, not in memory."""
        kind = np.dtype(dtype)
        start = -(-self._end // _ALIGNED) * _ALIGNED
        size = prod(shape) * kind.itemsize
        self._places[name] = (kind.str, shape, start)
        if not size:
            return np.empty(shape, kind)
        os.posix_fallocate(self._file.fileno(), start, size)
        self._end = start + size
        return np.asarray(np.memmap(self._file, kind, "r+", start, shape))

    def add(self, name: str, array: NDArray[Any]) -> None:
        """Append a whole array."""
        self.empty(name, array.shape, array.dtype)[...] = array

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Finish the file and make it durable, unless there was an error."""
        with self._file as file:
            if kind is None:
                file.seek(self._end)
                places = json.dumps(self._places).encode()
                file.write(places + len(places).to_bytes(8, "little"))
                file.flush()
                os.fsync(file.fileno())


def mapped(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of a file, read-only. The caller knows that its bytes are what was written.

    A small file is read whole: where one is mapped, who cuts it short ends the process.
    """
    small = path.stat().st_size <= SMALL
    data = np.frombuffer(path.read_bytes(), np.uint8) if small else np.asarray(np.memmap(path, np.uint8, "r"))
    size = int.from_bytes(data[-8:].tobytes(), "little")
    places = json.loads(data[-8 - size : -8].tobytes())
    found = {}
    for name, (kind, shape, start) in places.items():
        length = prod(shape) * np.dtype(kind).itemsize
        found[name] = data[start : start + length].view(kind).reshape(shape)
    return found


def let_go(array: NDArray[Any]) -> None:
    """Let the pages of a mapped file go that this process has looked at; the system may still hold them.

    So memory doesn't grow with what was ever looked at. Any thread may go on reading meanwhile.
    """
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap):
        base.madvise(mmap.MADV_DONTNEED)


class Looks:
    """Counts what is looked at of a mapped array, and lets its pages go before that is more than `most`."""

    def __init__(self, array: NDArray[Any], most: int) -> None:
        self._array, self._most, self._count = array, most, 0

    def add(self, count: int) -> None:
        """Tell that `count` rows or items are looked at next."""
        self._count += count
        if self._count > self._most:
            self._count = count
            let_go(self._array)
