"""Writes a small E5S1 file as `index.e5` should read it: written from the format, not from the reader."""

import struct
from pathlib import Path

import numpy as np

from index.unpack import unpack

WIDTH, LAYERS, HEADS, WIDE, ROWS, POSITIONS, TYPES = 32, 2, 4, 64, 14, 16, 2
PIECES = (
    "<s>",
    "<pad>",
    "</s>",
    "<unk>",
    "▁",
    "▁musk",
    "▁sued",
    "open",
    "ai",
    "▁open",
    "é",
    "▁query:",
    "▁passage:",
)
SCORES = (0.0, 0.0, 0.0, 0.0, -2.5, -3.0, -3.5, -4.0, -4.25, -4.5, -5.0, -2.0, -2.0)
CHARACTERS = {"\t": " ", "\x01": "", "ﬁ": "fi", "\u200b": " "}


def q4(values: np.ndarray) -> bytes:
    """Quantise to Q4_0, one block of 32 after another, one weight after another."""
    data = b""
    for block in values.reshape(-1, 32):
        scale = float(np.float16(max(abs(float(v)) for v in block) / 7))
        nibbles = [min(15, max(0, round(float(v) / scale) + 8)) for v in block]
        data += struct.pack("<e", scale) + bytes(nibbles[j] | nibbles[j + 16] << 4 for j in range(16))
    return data


def q4_read(data: bytes) -> list[float]:
    """The slow twin of the reader: one nibble at a time."""
    values = []
    for start in range(0, len(data), 18):
        (scale,) = struct.unpack_from("<e", data, start)
        packed = data[start + 2 : start + 18]
        values += [((byte & 15) - 8) * scale for byte in packed] + [
            ((byte >> 4) - 8) * scale for byte in packed
        ]
    return values


def shapes() -> dict[str, tuple[int, ...]]:
    """Every tensor by name, in the file's order."""
    found: dict[str, tuple[int, ...]] = {
        "emb.word": (ROWS, WIDTH),
        "emb.pos": (POSITIONS, WIDTH),
        "emb.type": (TYPES, WIDTH),
        "emb.ln.w": (WIDTH,),
        "emb.ln.b": (WIDTH,),
    }
    for i in range(LAYERS):
        for part, (out, into) in {
            **dict.fromkeys(("q", "k", "v", "ao"), (WIDTH, WIDTH)),
            "fi": (WIDE, WIDTH),
            "fo": (WIDTH, WIDE),
        }.items():
            found[f"l{i}.{part}.w"], found[f"l{i}.{part}.b"] = (out, into), (out,)
        for part in ("aln", "oln"):
            found[f"l{i}.{part}.w"], found[f"l{i}.{part}.b"] = (WIDTH,), (WIDTH,)
    return found


def write(path: Path, seed: int = 0) -> dict[str, bytes]:
    """Write the file with random weights; return the bytes of every tensor by its name."""
    random = np.random.default_rng(seed)
    tensors = {}
    for name, shape in shapes().items():
        values = random.standard_normal(shape).astype("<f4")
        quantised = (name.endswith(".w") and len(shape) == 2) or name == "emb.word"
        tensors[name] = (q4(values) if quantised else values.tobytes(), int(np.prod(shape)), int(quantised))
    blob = [piece.encode() for piece in PIECES]
    offsets = np.cumsum([0, *map(len, blob)])
    head = b"E5S1" + struct.pack("<I7ifi", 1, WIDTH, LAYERS, HEADS, WIDE, ROWS, POSITIONS, TYPES, 1e-12, 32)
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, offsets[-1])
    head += (
        struct.pack(f"<{len(offsets)}I", *offsets) + struct.pack(f"<{len(SCORES)}f", *SCORES) + b"".join(blob)
    )
    entries = b"".join(
        struct.pack(f"<IB{len(to)}I", ord(point), len(to), *map(ord, to)) for point, to in CHARACTERS.items()
    )
    head += struct.pack("<iI", len(CHARACTERS), len(entries)) + entries + struct.pack("<i", len(tensors))
    offset = len(head) + sum(2 + len(name) + 21 for name in tensors)
    directory, body = b"", b""
    for name, (data, elements, kind) in tensors.items():
        at = offset + len(body)
        directory += struct.pack(f"<H{len(name)}sBIQQ", len(name), name.encode(), kind, elements, at, len(data))
        body += data
    path.write_bytes(head + directory + body)
    return {name: data for name, (data, _, _) in tensors.items()}


def unpacked(place: Path) -> Path:
    """The folder of such a model, as `feud models pull` leaves it."""
    write(place / "tiny.bin")
    unpack(place / "tiny.bin", place / "model", "0" * 64)
    return place / "model"
