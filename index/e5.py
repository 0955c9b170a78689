"""Reads the carrier file of multilingual-e5-small.

The file ("E5S1", little endian) holds the tokenizer, a map that normalises single characters, and the
tensors: weight matrices as Q4_0 blocks of 32 (one f16 scale, 16 bytes; byte j holds weight j in its low
nibble and weight j + 16 in its high one; value = (nibble - 8) * scale), everything else as f32.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.pinned import ModelError

_AGAIN = "feud models pull"
_BLOCK = 32
_BLOCK_BYTES = 18
_SHAPE = ("width", "layers", "heads", "feed_forward", "rows", "positions", "types")


@dataclass(frozen=True, slots=True)
class Tensor:
    """Where a tensor stands in the file: offset and length in bytes, and how many numbers it holds."""

    name: str
    elements: int
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Carrier:
    """The file's head: sizes of the network, pieces with their scores, character map, directory of tensors."""

    shape: Mapping[str, int]
    epsilon: float
    special: Mapping[str, int]
    pieces: tuple[tuple[str, float], ...]
    characters: Mapping[str, str]
    tensors: tuple[Tensor, ...]


class _Reader:
    """Reads little-endian values one after another. Raises ValueError past the end."""

    def __init__(self, data: NDArray[np.uint8]) -> None:
        self._data, self.at = data, 0

    def values(self, layout: str) -> tuple[Any, ...]:
        return struct.unpack("<" + layout, self.array("u1", struct.calcsize("<" + layout)).tobytes())

    def array(self, kind: str, count: int) -> NDArray[Any]:
        found = np.frombuffer(self._data, np.dtype(kind), count, self.at)
        self.at += found.nbytes
        return found


def read(data: NDArray[np.uint8]) -> Carrier:
    """Read the head of a carrier file from its bytes. Raises ModelError if it is none, or cut short."""
    magic = bytes(data[:4])
    if magic != b"E5S1":
        raise ModelError(f"Not an E5S1 file: it begins with {magic!r}. Fetch it with: {_AGAIN}")
    reader = _Reader(data)
    reader.at = 4
    try:
        version, *numbers, epsilon, block = reader.values("I7ifi")
        if (version, block) != (1, _BLOCK):
            raise ModelError(f"An E5S1 file of version {version} with blocks of {block}; feud reads 1 and 32.")
        count, bos, eos, pad, unknown = reader.values("5i")
        (blob_bytes,) = reader.values("Q")
        offsets = reader.array("<u4", count + 1)
        scores = reader.array("<f4", count).tolist()
        blob = bytes(reader.array("u1", blob_bytes))
        pieces = [blob[a:b].decode() for a, b in pairwise(offsets)]
        characters = _characters(reader)
        (tensor_count,) = reader.values("i")
        tensors = tuple(_tensor(reader) for _ in range(tensor_count))
    except ValueError as error:
        raise ModelError(
            f"The E5S1 file is cut short after {reader.at} bytes. Fetch it with: {_AGAIN}"
        ) from error
    end = max(tensor.offset + tensor.length for tensor in tensors)
    if end > len(data):
        raise ModelError(f"The E5S1 file has {len(data)} bytes, not {end}. Fetch it with: {_AGAIN}")
    special = {"bos": bos, "eos": eos, "pad": pad, "unk": unknown}
    shape = dict(zip(_SHAPE, numbers, strict=True))
    return Carrier(shape, epsilon, special, tuple(zip(pieces, scores, strict=True)), characters, tensors)


def _characters(reader: _Reader) -> dict[str, str]:
    count, _ = reader.values("iI")
    found = {}
    for _ in range(count):
        point, length = reader.values("IB")
        found[chr(point)] = "".join(map(chr, reader.values(f"{length}I")))
    return found


def _tensor(reader: _Reader) -> Tensor:
    (length,) = reader.values("H")
    name = bytes(reader.array("u1", length)).decode()
    _, elements, offset, size = reader.values("BIQQ")  # its type follows from elements and bytes
    return Tensor(name, elements, offset, size)


def numbers(data: NDArray[np.uint8], tensor: Tensor) -> NDArray[np.float32]:
    """Return the tensor's values, `(elements,) float32`, from the file's bytes."""
    raw = data[tensor.offset : tensor.offset + tensor.length]
    if tensor.length == 4 * tensor.elements:
        return raw.view("<f4").astype(np.float32)
    if tensor.length * _BLOCK != tensor.elements * _BLOCK_BYTES:
        raise ModelError(f"Tensor {tensor.name} has {tensor.length} bytes for {tensor.elements} numbers.")
    blocks = raw.reshape(-1, _BLOCK_BYTES)
    scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
    packed = blocks[:, 2:]
    nibbles = np.concatenate([packed & 15, packed >> 4], axis=1).astype(np.float32)
    return ((nibbles - 8) * scales).reshape(-1)
