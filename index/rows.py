"""Which row is which passage or sentence: tables that are mapped into memory, and spans made when asked for.

Rows of a volume are in the order of their languages, then of their documents. Numbers go on from volume to
volume. Documents that are gone since a volume was written keep their rows there, which are not alive.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate
from typing import Generic, Literal, Protocol, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from corpus import Document, Passage, Sentence
from index.arrays import Arrays, Writer
from index.filters import EVERYTHING, Filter, span
from index.records import Record
from index.remembered import Remembered
from index.times import Period, of_the_time, periods
from index.vectors import Mask, Rows, runs

Kind = Literal["passages", "sentences"]
Languages = tuple[tuple[str, int], ...]
Place = tuple[int, int]
Item = TypeVar("Item")

KINDS: tuple[Kind, Kind] = ("passages", "sentences")
REMEMBERED = 512  # documents, some 15 MB of articles
CHARACTERS = 16 << 20  # of these together, some 110 MB: the books of a question are read once for it
_FILTERS = 8


class Source(Protocol):
    """Where the documents of an index are: a place is a volume and a number in it."""

    def record(self, place: Place) -> Record:
        """Return a document with its spans. Raises IndexDamaged."""

    def place(self, name: str) -> Place:
        """Return where the document with that id is; raises KeyError."""

    def places(self) -> Iterable[Place]:
        """Where documents are."""

    def described(self) -> Iterable[tuple[Place, Document]]:
        """The documents that are there, without their texts."""


def runs_of(languages: Languages, start: int = 0) -> dict[str, list[range]]:
    """The runs of each language whose rows lie one after the other from `start`.

    >>> runs_of((("de", 2), ("en", 3)), 10)
    {'de': [range(10, 12)], 'en': [range(12, 15)]}
    """
    starts = accumulate((count for _, count in languages), initial=start)
    return {language: runs(first, count) for (language, count), first in zip(languages, starts, strict=False)}


class RowsBuilder:
    """Collects the spans of documents and writes their tables: some 30 bytes a span, and 8 while it grows."""

    def __init__(self) -> None:
        self.documents = 0
        self._languages: dict[Kind, list[str]] = {kind: [] for kind in KINDS}
        self._spoken: dict[Kind, array[int]] = {kind: array("B") for kind in KINDS}
        self._counts: dict[Kind, array[int]] = {kind: array("i") for kind in KINDS}
        self._inside, self._sizes = array("i"), array("i")
        self._named, self._published = array("i"), array("i")

    def add(self, record: Record) -> None:
        """Append a document."""
        numbers = {sentence: i for i, sentence in enumerate(record.sentences)}
        for kind, spans in (("passages", record.passages), ("sentences", record.sentences)):
            known, spoken = self._languages[kind], self._spoken[kind]  # type: ignore[index]
            for own in spans:
                if own.language not in known:
                    known.append(own.language)
                spoken.append(known.index(own.language))
            self._counts[kind].append(len(spans))  # type: ignore[index]
        first = len(self._spoken["sentences"]) - len(record.sentences)
        for passage in record.passages:
            self._inside.extend(first + numbers[sentence] for sentence in passage.sentences)
            self._sizes.append(len(passage.sentences))
        for number, sentence in enumerate(record.sentences, first):
            for begin, end in periods(sentence.text, sentence.language):
                self._named.extend((number, begin.toordinal(), end.toordinal()))
        self._published.extend(day.toordinal() for day in span(record.document.published))
        self.documents += 1

    def write(self, into: Writer) -> tuple[dict[Kind, Languages], dict[Kind, Rows]]:
        """Write the tables; return the languages with their numbers of rows, and the row of each span."""
        languages: dict[Kind, Languages] = {}
        rows: dict[Kind, Rows] = {}
        for kind in KINDS:
            spoken = np.frombuffer(self._spoken[kind], np.uint8)
            counts = np.frombuffer(self._counts[kind], np.int32)
            order = np.argsort(spoken, kind="stable")
            rows[kind] = np.empty(len(order), np.int64)
            rows[kind][order] = np.arange(len(order))
            first = _firsts(counts)
            document = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
            into.add(f"{kind}/first", first)
            into.add(f"{kind}/row", rows[kind].astype(np.int32))
            into.add(f"{kind}/document", document[order])
            into.add(f"{kind}/number", (np.arange(len(order)) - first[document])[order].astype(np.int32))
            sizes = np.bincount(spoken, minlength=len(self._languages[kind])).tolist()
            languages[kind] = tuple(zip(self._languages[kind], sizes, strict=True))
        inside = rows["sentences"][np.frombuffer(self._inside, np.int32)]
        outer = np.repeat(rows["passages"], np.frombuffer(self._sizes, np.int32))
        for name, of, held, count in (
            ("inside", outer, inside, len(rows["passages"])),
            ("around", inside, outer, len(rows["sentences"])),
        ):
            into.add(f"{name}/first", _firsts(np.bincount(of, minlength=count)))
            into.add(f"{name}/row", held[np.argsort(of, kind="stable")].astype(np.int32))
        named = np.frombuffer(self._named, np.int32).reshape(-1, 3)
        order = np.argsort(rows["sentences"][named[:, 0]], kind="stable")
        into.add("named/row", rows["sentences"][named[order, 0]].astype(np.int32))
        into.add("named/days", named[order, 1:])
        into.add("published", np.frombuffer(self._published, np.int32).reshape(-1, 2))
        return languages, rows


def _firsts(counts: NDArray[np.signedinteger]) -> NDArray[np.int64]:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)])


@dataclass(frozen=True, slots=True)
class VolumeRows:
    """The tables of one volume, and which of its documents are alive."""

    number: int
    documents: int
    languages: dict[Kind, Languages]
    arrays: Arrays

    def count(self, kind: Kind) -> int:
        return sum(count for _, count in self.languages[kind])


class Lazy(Sequence[Item], Generic[Item]):
    """A sequence whose items are made when they are looked at."""

    def __init__(self, rows: Rows | range, made: Callable[[int], Item]) -> None:
        self._rows, self._made = rows, made

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, number: int) -> Item: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[Item]: ...
    def __getitem__(self, number: int | slice) -> Item | Sequence[Item]:
        if isinstance(number, slice):
            return Lazy(self._rows[number], self._made)
        return self._made(int(self._rows[number]))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Sequence)
            and len(self) == len(other)
            and all(mine == its for mine, its in zip(self, other, strict=True))
        )

    __hash__ = None  # type: ignore[assignment]


class AllRows:
    """The rows of all volumes of a generation. Any number of threads may ask."""

    def __init__(self, volumes: Sequence[VolumeRows], source: Source) -> None:
        self._volumes, self._source = volumes, source
        self._firsts = {kind: _starts(volume.count(kind) for volume in volumes) for kind in KINDS}
        self._first_document = _starts(volume.documents for volume in volumes)
        self._order = {volume.number: i for i, volume in enumerate(volumes)}
        self._records = Remembered[Place, Record](REMEMBERED, CHARACTERS, lambda r: len(r.document.text))
        self._masks = Remembered[Filter, tuple[Mask, Mask]](_FILTERS)
        self._living = np.zeros(self._first_document[-1], bool)
        self._living[[self._document(place) for place in source.places()]] = True
        self.alive: dict[Kind, Mask | None] = {
            kind: None if self._living.all() else self._spans_of(kind, self._living) for kind in KINDS
        }

    @property
    def passages(self) -> Lazy[Passage]:
        """The living passages, by row."""
        return Lazy(self._living_rows("passages"), self.passage)

    @property
    def sentences(self) -> Lazy[Sentence]:
        """The living sentences, by row."""
        return Lazy(self._living_rows("sentences"), self.sentence)

    @property
    def documents(self) -> Lazy[Document]:
        """The living documents, by volume and number."""
        return Lazy(np.flatnonzero(self._living), lambda number: self._record(self._place(number)).document)

    def count(self, kind: Kind) -> int:
        """How many rows of a kind there are, the dead ones too."""
        return self._firsts[kind][-1]

    def firsts(self, kind: Kind) -> list[int]:
        """The row at which each volume begins, and the end."""
        return self._firsts[kind]

    def runs(self, kind: Kind) -> dict[str, list[range]]:
        """The rows of each language, in the order of the languages' first appearance."""
        found: dict[str, list[range]] = {}
        for volume, start in zip(self._volumes, self._firsts[kind], strict=False):
            for language, own in runs_of(volume.languages[kind], start).items():
                found.setdefault(language, []).extend(own)
        return found

    def counts(self, kind: Kind) -> dict[str, int]:
        """How many living rows each language has."""
        alive = self.alive[kind]
        return {
            language: sum(len(run) if alive is None else int(alive[run.start : run.stop].sum()) for run in own)
            for language, own in self.runs(kind).items()
        }

    def document(self, name: str) -> Document:
        """Return a document by its id; raises KeyError for one that isn't there."""
        return self._record(self._source.place(name)).document

    def passage(self, row: int) -> Passage:
        place, number = self._span("passages", row)
        return self._record(place).passages[number]

    def sentence(self, row: int) -> Sentence:
        place, number = self._span("sentences", row)
        return self._record(place).sentences[number]

    def english(self, row: int) -> str:
        """Return a sentence in English, "" where it isn't there."""
        place, number = self._span("sentences", row)
        return self._record(place).english[number]

    def documents_of(self, sentences: Rows) -> Rows:
        """Return a number for the document that each sentence stands in, (n,)."""
        found = np.empty(len(sentences), np.int64)
        volumes = np.searchsorted(self._firsts["sentences"], sentences, "right") - 1
        for volume in np.unique(volumes).tolist():
            here = volumes == volume
            inside = sentences[here] - self._firsts["sentences"][volume]
            own = self._volumes[volume].arrays["sentences/document"][inside]
            found[here] = own + self._first_document[volume]
        return found

    def row(self, span: Passage | Sentence) -> int:
        """Return the row of a span; raises KeyError for one that isn't there."""
        place = self._source.place(span.document.id)
        kind: Kind = "passages" if isinstance(span, Passage) else "sentences"
        number = place_of(span, getattr(self._record(place), kind))
        volume = self._order[place[0]]
        arrays = self._volumes[volume].arrays
        inside = int(arrays[f"{kind}/row"][arrays[f"{kind}/first"][place[1]] + number])
        return self._firsts[kind][volume] + inside

    def inside(self, passages: Rows) -> tuple[Rows, Rows]:
        """Return the sentences of each passage, one after the other, and how many each has."""
        return self._related("inside", passages, "passages", "sentences")

    def around(self, sentences: Rows) -> tuple[Rows, Rows]:
        """Return the passages that hold each sentence, one after the other, and how many do."""
        return self._related("around", sentences, "sentences", "passages")

    def of_the_time(self, sentences: Rows, asked: Sequence[Period]) -> NDArray[np.float32]:
        """How much each sentence is of a time that was asked for, (n,) float32; reads no document."""
        found = np.zeros(len(sentences), np.float32)
        for i, row in enumerate(sentences.tolist() if asked else []):
            volume = bisect_right(self._firsts["sentences"], row) - 1
            inside, arrays = row - self._firsts["sentences"][volume], self._volumes[volume].arrays
            start, stop = np.searchsorted(arrays["named/row"], (inside, inside + 1)).tolist()
            named = [_period(days) for days in arrays["named/days"][start:stop].tolist()]
            published = _period(arrays["published"][arrays["sentences/document"][inside]].tolist())
            found[i] = of_the_time(named, published, asked)
        return found

    def admitted(self, where: Filter) -> tuple[Mask | None, Mask | None]:
        """Which passages `where` admits, and which sentences stand in them; None where that is all."""
        if where == EVERYTHING:
            return self.alive["passages"], self.alive["sentences"]
        return self._masks.get(where, self._found)

    def only(self, passages: Rows, admitted: Mask | None) -> Rows:
        """Return those of the passages that are `admitted`."""
        return passages if admitted is None else passages[admitted[passages]]

    def _record(self, place: Place) -> Record:
        return self._records.get(place, self._source.record)

    def _found(self, where: Filter) -> tuple[Mask, Mask]:
        documents = np.zeros(len(self._living), bool)
        for place, document in self._source.described():
            documents[self._document(place)] = where.admits_document(document)
        passages = self._spans_of("passages", documents)
        for language, own in self.runs("passages").items():
            if where.languages and language not in where.languages:
                for run in own:
                    passages[run.start : run.stop] = False
        sentences = np.zeros(self.count("sentences"), bool)
        sentences[self.inside(np.flatnonzero(passages))[0]] = True
        return passages, sentences

    def _spans_of(self, kind: Kind, documents: Mask) -> Mask:
        """The spans of those documents."""
        parts = [
            documents[start + volume.arrays[f"{kind}/document"]]
            for volume, start in zip(self._volumes, self._first_document, strict=False)
        ]
        return np.concatenate([np.zeros(0, bool), *parts])

    def _living_rows(self, kind: Kind) -> Rows | range:
        alive = self.alive[kind]
        return range(self.count(kind)) if alive is None else np.flatnonzero(alive)

    def _span(self, kind: Kind, row: int) -> tuple[Place, int]:
        volume = bisect_right(self._firsts[kind], row) - 1
        inside, arrays = row - self._firsts[kind][volume], self._volumes[volume].arrays
        document, number = arrays[f"{kind}/document"][inside], arrays[f"{kind}/number"][inside]
        return (self._volumes[volume].number, int(document)), int(number)

    def _related(self, name: str, rows: Rows, of: Kind, to: Kind) -> tuple[Rows, Rows]:
        rows = np.asarray(rows, np.int64)
        volume = np.searchsorted(self._firsts[of], rows, "right") - 1
        begins, sizes = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64)
        here = [(number, np.flatnonzero(volume == number)) for number in np.unique(volume).tolist()]
        for number, places in here:
            first = self._volumes[number].arrays[f"{name}/first"]
            inside = rows[places] - self._firsts[of][number]
            begins[places], sizes[places] = first[inside], first[inside + 1] - first[inside]
        ends = np.cumsum(sizes)
        from_start = np.repeat(begins - ends + sizes, sizes) + np.arange(int(sizes.sum()))
        found = np.empty(len(from_start), np.int64)
        for number, places in here:
            own = np.repeat(np.isin(np.arange(len(rows)), places), sizes)
            found[own] = self._volumes[number].arrays[f"{name}/row"][from_start[own]] + self._firsts[to][number]
        return found, sizes

    def _place(self, document: int) -> Place:
        volume = bisect_right(self._first_document, document) - 1
        return self._volumes[volume].number, document - self._first_document[volume]

    def _document(self, place: Place) -> int:
        return self._first_document[self._order[place[0]]] + place[1]


def place_of(span: Passage | Sentence, spans: Sequence[Passage | Sentence]) -> int:
    """Return which of the spans, in the order of their starts, is that one; raises KeyError for none.

    Its words have to be the same, too: the document may be another under the same id by now.
    """
    number = bisect_left(spans, span.start, key=lambda own: own.start)
    own = spans[number] if number < len(spans) else None
    if own is None or (own.start, own.end) != (span.start, span.end) or own.text != span.text:
        raise KeyError((span.document.id, span.start, span.end))
    return number


def _period(days: Sequence[int]) -> Period:
    first, last = map(date.fromordinal, days)
    return first, last


def _starts(counts: Iterable[int]) -> list[int]:
    return [0, *accumulate(counts)]
