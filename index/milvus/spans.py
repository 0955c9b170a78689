"""What the store has of passages and sentences, by row of a generation: read once, some of it kept a while."""

import json
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.embedder import Matrix, Vector
from index.errors import StoreFault
from index.filters import EVERYTHING, Filter
from index.milvus.layout import PASSAGE, SENTENCE, Part, condition, partition, unpacked, vector_of
from index.milvus.server import Entity, Server
from index.rows import KINDS, Kind
from index.vectors import Among, Rows
from index.volumes import VIEWS

REMEMBERED = 8_192  # spans, some 6 kB each
_VECTORS = {"passages": "own", "sentences": "own", "contexts": "context", "english": "english"}

_NUMBERS = ("document", "number", "name", "publisher", "first", "last")


@dataclass(frozen=True, slots=True)
class Span:
    """A passage or a sentence: `related` are its sentences or the passages around it, by row."""

    part: int
    document: int
    number: int
    name: int
    publisher: int
    first: int
    last: int
    related: tuple[int, ...]
    days: tuple[tuple[int, int], ...]
    words: NDArray[np.uint64]
    counts: NDArray[np.uint8]
    length: int
    vectors: dict[str, Vector]


class Spans:
    """The spans of a generation. Any number of threads may ask. Raises StoreFault."""

    def __init__(self, server: Server, parts: Sequence[Part]) -> None:
        self.server, self.parts = server, parts
        self.firsts = {
            kind: [0, *accumulate(sum(c for _, c in part.languages[kind]) for part in parts)] for kind in KINDS
        }
        self._kept: OrderedDict[tuple[Kind, int], Span] = OrderedDict()
        self._lock = Lock()

    def get(self, kind: Kind, rows: Sequence[int]) -> list[Span]:
        """Return the spans of those rows, in their order."""
        wanted = dict.fromkeys(rows)
        with self._lock:
            found = {row: self._kept[kind, row] for row in wanted if (kind, row) in self._kept}
            for row in found:
                self._kept.move_to_end((kind, row))
        if missing := [row for row in wanted if row not in found]:
            found |= self._read(kind, missing)
            with self._lock:
                self._kept |= {(kind, row): found[row] for row in missing}
                while len(self._kept) > max(REMEMBERED, len(wanted)):
                    self._kept.popitem(last=False)
        return [found[row] for row in rows]

    def place(self, kind: Kind, row: int) -> tuple[int, int]:
        """Return the volume of a row, by its number here, and its row there."""
        part = bisect_right(self.firsts[kind], row) - 1
        return part, row - self.firsts[kind][part]

    def language(self, kind: Kind, row: int) -> str:
        """Return the language of a row."""
        part, inside = self.place(kind, row)
        languages = self.parts[part].languages[kind]
        ends = list(accumulate(count for _, count in languages))
        return languages[bisect_right(ends, inside)][0]

    def _read(self, kind: Kind, rows: Sequence[int]) -> dict[int, Span]:
        by_part: dict[int, list[int]] = {}
        for row in rows:
            part, inside = self.place(kind, row)
            by_part.setdefault(part, []).append(inside)
        fields = list(PASSAGE if kind == "passages" else SENTENCE)
        found = {}
        for part, own in by_part.items():
            for entity in self.server.get(self.parts[part].collection(kind), own, fields):
                found[int(entity["id"]) + self.firsts[kind][part]] = self._span(kind, part, entity)
        if len(found) != len(rows):
            raise StoreFault(self.server.name, f"{len(rows) - len(found)} {kind} are not there")
        return found

    def _span(self, kind: Kind, part: int, entity: Entity) -> Span:
        data = json.loads(entity["data"])
        start = self.firsts["sentences" if kind == "passages" else "passages"][part]
        return Span(
            part=part,
            **{field: int(entity[field]) for field in _NUMBERS},
            related=tuple(row + start for row in data["related"]),
            days=tuple((first, last) for first, last in data["days"]),
            words=unpacked(data["words"], "<u8"),
            counts=unpacked(data["counts"], "u1"),
            length=data["length"],
            vectors={field: vector_of(entity[field]) for field in _VECTORS.values() if field in entity},
        )


class StoredVectors:
    """The vectors of one view; what a search may find is a filter, None for all that is alive."""

    def __init__(self, spans: Spans, view: str, dimension: int) -> None:
        self._spans, self._view, self._dimension = spans, view, dimension
        self._kind = VIEWS[view]

    def __len__(self) -> int:
        return self._spans.firsts[self._kind][-1]

    def search(
        self, vector: Vector, k: int, within: range, among: Among | None = None, rough: bool = False
    ) -> tuple[Rows, Vector]:
        where: Filter = among or EVERYTHING
        language = self._spans.language(self._kind, within.start)
        if k < 1 or (where.languages and language not in where.languages):
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        number, _ = self._spans.place(self._kind, within.start)
        part = self._spans.parts[number]
        found = self._spans.server.search(
            part.collection(self._view),
            np.asarray(vector, np.float32).tolist(),
            min(k, len(within)),
            partition(language),
            condition(where, part.dead),
        )
        start = self._spans.firsts[self._kind][number]
        rows = np.array([row + start for row, _ in found], np.int64)
        scores = np.array([score for _, score in found], np.float32)
        order = np.lexsort((rows, -scores))
        return rows[order], scores[order]

    def vectors(self, rows: Sequence[int] | Rows) -> Matrix:
        wanted = np.asarray(rows, np.int64).tolist()
        field = _VECTORS[self._view]
        own: list[Any] = [span.vectors[field] for span in self._spans.get(self._kind, wanted)]
        return np.array(own, np.float32).reshape(len(wanted), self._dimension)
