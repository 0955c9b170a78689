"""Which row is which passage or sentence, asked of the store."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from corpus import Document, Passage, Sentence
from index.filters import EVERYTHING, Filter
from index.milvus.layout import Kept, Manifest, kept_document, number_of
from index.milvus.spans import Spans
from index.remembered import Remembered
from index.rows import CHARACTERS, KINDS, REMEMBERED, Kind, Lazy, Place, place_of
from index.times import Period, of_the_time
from index.vectors import Rows

_BLOCK = 256  # rows that are told at once which documents they are of
_BLOCKS = 512


class StoredRows:
    """The rows of a generation in the store: nothing of them is held but what was just read."""

    def __init__(self, spans: Spans, manifest: Manifest) -> None:
        self._spans, self._manifest, self._parts = spans, manifest, manifest.parts
        self._starts = np.cumsum([0, *(part.documents for part in self._parts)]).tolist()
        self._dead = [frozenset(part.dead) for part in self._parts]
        self._documents = Remembered[Place, Kept](
            REMEMBERED, CHARACTERS, lambda kept: len(kept.record.document.text)
        )
        self._places = Remembered[str, Place](REMEMBERED)
        self._blocks = Remembered[tuple[Kind, int, int], dict[int, tuple[int, int]]](_BLOCKS)
        self.alive: dict[Kind, None] = dict.fromkeys(KINDS)  # the vectors know what is dead

    @property
    def passages(self) -> Lazy[Passage]:
        return Lazy(self._living["passages"], self.passage)

    @property
    def sentences(self) -> Lazy[Sentence]:
        return Lazy(self._living["sentences"], self.sentence)

    @property
    def documents(self) -> Lazy[Document]:
        return Lazy(self._living_documents, lambda number: self._kept(self._place(number)).record.document)

    def runs(self, kind: Kind) -> dict[str, list[range]]:
        found: dict[str, list[range]] = {}
        for part, start in zip(self._parts, self._spans.firsts[kind], strict=False):
            for language, count in part.languages[kind]:
                found.setdefault(language, []).append(range(start, start + count))
                start += count
        return found

    def counts(self, kind: Kind) -> dict[str, int]:
        return {language: self._manifest.counts[kind][language] for language in self.runs(kind)}

    def document(self, name: str) -> Document:
        return self._kept(self._named(name)).record.document

    def passage(self, row: int) -> Passage:
        place, number = self._span("passages", row)
        return self._kept(place).record.passages[number]

    def sentence(self, row: int) -> Sentence:
        place, number = self._span("sentences", row)
        return self._kept(place).record.sentences[number]

    def english(self, row: int) -> str:
        place, number = self._span("sentences", row)
        return self._kept(place).record.english[number]

    def row(self, span: Passage | Sentence) -> int:
        place = self._named(span.document.id)
        kept = self._kept(place)
        kind: Kind = "passages" if isinstance(span, Passage) else "sentences"
        number = place_of(span, getattr(kept.record, kind))
        return self._spans.firsts[kind][place[0]] + kept.rows[kind][number]

    def documents_of(self, sentences: Rows) -> Rows:
        spans = self._spans.get("sentences", sentences.tolist())
        return np.array([self._starts[span.part] + span.document for span in spans], np.int64)

    def inside(self, passages: Rows) -> tuple[Rows, Rows]:
        return self._related("passages", passages)

    def around(self, sentences: Rows) -> tuple[Rows, Rows]:
        return self._related("sentences", sentences)

    def of_the_time(self, sentences: Rows, asked: Sequence[Period]) -> NDArray[np.float32]:
        found = np.zeros(len(sentences), np.float32)
        for i, span in enumerate(self._spans.get("sentences", sentences.tolist()) if asked else []):
            named = [_period(*days) for days in span.days]
            found[i] = of_the_time(named, _period(span.first, span.last), asked)
        return found

    def admitted(self, where: Filter) -> tuple[Filter | None, Filter | None]:
        return (None, None) if where == EVERYTHING else (where, where)

    def only(self, passages: Rows, admitted: Filter | None) -> Rows:
        where = admitted or EVERYTHING
        documents = {number_of(name) for name in where.documents}
        publishers = {number_of(name) for name in where.publishers}
        since = where.since.toordinal() if where.since else 0
        until = where.until.toordinal() if where.until else date.max.toordinal()
        fit = [
            span.document not in self._dead[span.part]
            and (not documents or span.name in documents)
            and (not publishers or span.publisher in publishers)
            and (not where.languages or self._spans.language("passages", row) in where.languages)
            and span.last >= since
            and span.first <= until
            for row, span in zip(passages.tolist(), self._spans.get("passages", passages.tolist()), strict=True)
        ]
        return np.asarray(passages[np.array(fit, bool)], np.int64)

    def _related(self, kind: Kind, rows: Rows) -> tuple[Rows, Rows]:
        related = [span.related for span in self._spans.get(kind, rows.tolist())]
        found = np.array([row for own in related for row in own], np.int64)
        return found, np.array([len(own) for own in related], np.int64)

    def _span(self, kind: Kind, row: int) -> tuple[Place, int]:
        part, inside = self._spans.place(kind, row)
        document, number = self._blocks.get((kind, part, inside // _BLOCK), self._read_block)[inside]
        return (part, document), number

    def _read_block(self, key: tuple[Kind, int, int]) -> dict[int, tuple[int, int]]:
        """The document of each row, and its number there."""
        kind, part, block = key
        server, name = self._spans.server, self._parts[part].collection(kind)
        some = f"id >= {block * _BLOCK} and id < {(block + 1) * _BLOCK}"
        found = server.query(name, some, ("document", "number"))
        return {int(each["id"]): (int(each["document"]), int(each["number"])) for each in found}

    @cached_property
    def _living_documents(self) -> Rows:
        living = [
            start + number
            for start, part, dead in zip(self._starts, self._parts, self._dead, strict=False)
            for number in range(part.documents)
            if number not in dead
        ]
        return np.array(living, np.int64)

    @cached_property
    def _living(self) -> Mapping[Kind, Rows | range]:
        living: dict[Kind, Rows | range] = {}
        for kind in KINDS:
            firsts = self._spans.firsts[kind]
            alive = np.ones(firsts[-1] if any(self._dead) else 0, bool)
            for part, start in zip(self._parts, firsts, strict=False):
                for first, stop in part.dead_rows[kind]:
                    alive[start + first : start + stop] = False
            living[kind] = np.flatnonzero(alive) if any(self._dead) else range(firsts[-1])
        return living

    def _kept(self, place: Place) -> Kept:
        return self._documents.get(place, self._document)

    def _document(self, place: Place) -> Kept:
        kept = kept_document(self._spans.server, self._parts[place[0]], place[1])
        if place[1] not in self._dead[place[0]]:
            self._places.get(kept.record.document.id, lambda _: place)
        return kept

    def _named(self, name: str) -> Place:
        """Where the living document with that id is; raises KeyError."""
        return self._places.get(name, self._looked_up)

    def _looked_up(self, name: str) -> Place:
        for number, part in enumerate(self._parts):
            asked = f"name == {number_of(name)} and chunk == 0"
            for found in self._spans.server.query(part.collection("documents"), asked, ("document",)):
                place = number, int(found["document"])
                if place[1] not in self._dead[number] and self._kept(place).record.document.id == name:
                    return place
        raise KeyError(name)

    def _place(self, document: int) -> Place:
        part = int(np.searchsorted(self._starts, document, "right")) - 1
        return part, document - self._starts[part]


def _period(first: int, last: int) -> Period:
    return date.fromordinal(first), date.fromordinal(last)
