"""What the collections hold: names, fields, and how a manifest, a document and a vector are written."""

import base64
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.embedder import Vector
from index.errors import StoreFault
from index.filters import Filter
from index.generations import Recipe
from index.milvus.server import ALIAS, Entity, Server
from index.records import Record, digest
from index.rows import Kind, Languages

FORMAT = 1
"""Of the collections; another number is refused."""
KEPT = 4_096  # rows of a word that are kept: what one entity can hold
MARK = [0.0, 0.0]  # the vector of what is never searched: a collection must have some
_CHUNK = 60_000  # characters of one field; 65,535 bytes are allowed

LOOKED_AT = {"document": "int", "name": "int", "publisher": "int", "first": "int", "last": "int"}
PASSAGE = LOOKED_AT | {"number": "int", "data": "text", "own": "text"}
SENTENCE = PASSAGE | {"context": "text", "english": "text"}
WORD = {"rows": "int", "data": "text"}
DOCUMENT = {"document": "int", "name": "int", "chunk": "int", "data": "text"}
MANIFEST = {"generation": "int", "data": "text"}


@dataclass(frozen=True, slots=True)
class Part:
    """A volume in a generation: which documents of it are dead, and which rows."""

    name: str
    documents: int
    languages: dict[Kind, Languages]
    dead: tuple[int, ...]
    dead_rows: dict[Kind, tuple[tuple[int, int], ...]]

    def collection(self, what: str) -> str:
        return f"{ALIAS}_{self.name}_{what}"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation in the store consists of. `sums` are what `Neutral` takes, `words` what BM25 counts."""

    generation: int
    recipe: Recipe
    dimension: int
    documents: int
    passages: int
    sentences: int
    counts: dict[Kind, dict[str, int]]
    sums: list[tuple[str, int]]
    words: dict[Kind, dict[str, tuple[int, float]]]
    parts: tuple[Part, ...]
    format: int = FORMAT

    def text(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def read(cls, text: str) -> "Manifest":
        """Read what `text` wrote."""
        fields = json.loads(text)
        parts = tuple(
            Part(
                part["name"],
                part["documents"],
                {kind: tuple((n, c) for n, c in own) for kind, own in part["languages"].items()},
                tuple(part["dead"]),
                {kind: tuple((a, b) for a, b in own) for kind, own in part["dead_rows"].items()},
            )
            for part in fields["parts"]
        )
        return cls(**{**fields, "recipe": Recipe(**fields["recipe"]), "parts": parts})


def generation_name(number: int) -> str:
    return f"{ALIAS}_generation_{number}"


def generation_number(name: str) -> int | None:
    """The number in the name of a manifest's collection, None for any other name.

    >>> generation_number("feud_generation_12"), generation_number("feud_12ab_words")
    (12, None)
    """
    found = re.fullmatch(rf"{ALIAS}_generation_(\d+)", name)
    return int(found[1]) if found else None


def volume_name(name: str) -> str | None:
    """The volume in the name of one of its collections, None for any other name.

    >>> volume_name("feud_0123456789abcdef_words"), volume_name("feud_generation_12"), volume_name("mine")
    ('0123456789abcdef', None, None)
    """
    found = re.fullmatch(rf"{ALIAS}_([0-9a-f]{{16}})_[a-z]+", name)
    return found[1] if found else None


def partition(language: str) -> str:
    """The name of a language's partition.

    >>> partition("de"), partition("zh-Hans")
    ('of_de', 'of_zh_Hans')
    """
    return "of_" + re.sub(r"\W", "_", language, flags=re.ASCII)


def number_of(text: str) -> int:
    """A number for a name, 63 bits: filters compare these, so that no name becomes part of an expression."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big") >> 1


def condition(where: Filter, dead: Sequence[int] = ()) -> str:
    """The expression for what a filter admits of a volume, but for languages, which are partitions.

    >>> from datetime import date
    >>> condition(Filter(since=date(2025, 1, 1)), dead=[3])
    'last >= 739252 and not (document in [3])'
    """
    tests = []
    for field, names in (("publisher", where.publishers), ("name", where.documents)):
        if names:
            tests.append(f"{field} in {sorted(number_of(name) for name in names)}")
    if where.since:
        tests.append(f"last >= {where.since.toordinal()}")
    if where.until:
        tests.append(f"first <= {where.until.toordinal()}")
    if dead:
        tests.append(f"not (document in {list(dead)})")
    return " and ".join(tests)


def packed(array: NDArray[Any]) -> str:
    """The bytes of an array as text."""
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def unpacked(text: str, kind: str) -> NDArray[Any]:
    """The array of `packed`, by the name of its type."""
    return np.frombuffer(base64.b64decode(text), kind)


def vector_of(text: str) -> Vector:
    return np.asarray(unpacked(text, "<f4"), np.float32)


def chunks(text: str) -> list[str]:
    """A long text, compressed, in parts that fit a field; at least one."""
    whole = base64.b64encode(zlib.compress(text.encode("utf-8", "surrogatepass"))).decode()
    return [whole[start : start + _CHUNK] for start in range(0, len(whole), _CHUNK)]


def whole(parts: Iterable[str]) -> str:
    """The text that `chunks` cut. Raises ValueError where some is missing or damaged."""
    try:
        return zlib.decompress(base64.b64decode("".join(parts), validate=True)).decode("utf-8", "surrogatepass")
    except zlib.error as error:
        raise ValueError(str(error)) from error


def document_entities(number: int, record: Record, rows: Mapping[Kind, Sequence[int]]) -> Iterator[Entity]:
    """A document with its spans and their rows in the volume."""
    document, sentences, passages = record.rows()
    made = digest(document, sentences, passages)
    told = json.dumps([document, sentences, passages, made, rows["passages"], rows["sentences"]])
    for chunk, data in enumerate(chunks(told)):
        own = {"document": number, "name": number_of(record.document.id), "chunk": chunk, "data": data}
        yield {"id": number << 20 | chunk, "vector": MARK, **own}


@dataclass(frozen=True, slots=True)
class Kept:
    """A document as the store has it: where its spans are in its volume."""

    record: Record
    rows: dict[Kind, list[int]]


def kept_document(server: Server, part: Part, number: int) -> Kept:
    """Read a document. Raises StoreFault if it isn't what was written."""
    name = part.collection("documents")
    found = server.query(name, f"document == {number}", ("chunk", "data"))
    try:
        told = json.loads(whole(each["data"] for each in sorted(found, key=lambda each: int(each["chunk"]))))
        document, sentences, passages, made, *rows = told
        if digest(document, sentences, passages) != made:
            raise ValueError("it has changed")
    except ValueError as error:
        raise StoreFault(
            server.name, f"document {number} of {name} is not what was written: {error}"
        ) from error
    return Kept(Record.of_rows(document, sentences, passages), {"passages": rows[0], "sentences": rows[1]})
