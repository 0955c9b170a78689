"""The entities of a volume, one by one, from the files and the catalogue that hold it."""

import json
from collections.abc import Iterator, Mapping

import numpy as np

from corpus import Document
from index.catalogue import Catalogue
from index.lexical import Postings, saturated, saturating
from index.milvus.layout import KEPT, MARK, document_entities, number_of, packed
from index.milvus.server import Entity
from index.rows import KINDS, Kind, Place
from index.volumes import Opened

_READ = 4_096  # rows whose vectors are read at a time

About = Mapping[Place, Document]


def passages(volume: Opened, rows: range, language: str, about: About) -> Iterator[Entity]:
    """The passages of a language: those rows of the volume."""
    return _spans(volume, rows, language, about, "passages", {"own": "passages"})


def sentences(volume: Opened, rows: range, language: str, about: About) -> Iterator[Entity]:
    """The sentences of a language, with all their vectors."""
    views = {"own": "sentences", "context": "contexts", "english": "english"}
    return _spans(volume, rows, language, about, "sentences", views)


def english(volume: Opened, rows: range, language: str, about: About) -> Iterator[Entity]:
    """The sentences of a language in English, to be searched."""
    looked_at = _looked_at(volume, about)
    for row, vector in _vectors(volume, "english", rows):
        number = int(volume.rows.arrays["sentences/document"][row])
        yield {"id": row, "vector": vector, "document": number, **looked_at[number]}


def words(volume: Opened) -> Iterator[Entity]:
    """Every word of every language: how many rows hold it, and those of them that it tells most of."""
    for kind in KINDS:
        starts = 0
        for language, count in volume.rows.languages[kind]:
            part = volume.words[kind][language]
            norms = saturating(part.lengths, max(1, part.tokens) / max(1, len(part)))
            for name, rows, counts in part.lists():
                if len(rows) > KEPT:
                    told = saturated(counts, norms[rows])
                    best = np.sort(np.argpartition(-told, KEPT - 1)[:KEPT])
                else:
                    best = np.arange(len(rows))
                data = {
                    "rows": packed((rows[best] + starts).astype("<i4")),
                    "counts": packed(counts[best]),
                    "lengths": packed(part.lengths[rows[best]].astype("<u2")),
                }
                word = {"id": word_id(kind, language, name), "vector": MARK, "rows": len(rows)}
                yield word | {"data": json.dumps(data)}
            starts += count


def documents(catalogue: Catalogue, number: int, volume: Opened) -> Iterator[Entity]:
    """The living documents of a volume."""
    arrays = volume.rows.arrays
    for (_, document), _ in sorted(catalogue.described([number]), key=lambda each: each[0]):
        rows: dict[Kind, list[int]] = {}
        for kind in KINDS:
            first, last = arrays[f"{kind}/first"][document : document + 2].tolist()
            rows[kind] = arrays[f"{kind}/row"][first:last].tolist()
        yield from document_entities(document, catalogue.record((number, document)), rows)


def word_id(kind: Kind, language: str, name: int) -> int:
    """The id of a word among all of a volume, given its sixty-four bits."""
    return number_of(f"{kind} {language} {name}")


def _spans(
    volume: Opened, rows: range, language: str, about: About, kind: Kind, views: Mapping[str, str]
) -> Iterator[Entity]:
    arrays, looked_at = volume.rows.arrays, _looked_at(volume, about)
    related = "inside" if kind == "passages" else "around"
    first, held = arrays[f"{related}/first"], arrays[f"{related}/row"]
    part: Postings = volume.words[kind][language]
    begins, names, counts = part.by_row()
    own = {field: _vectors(volume, view, rows) for field, view in views.items()}
    for row, each in zip(rows, zip(*own.values(), strict=True), strict=True):
        number, place = int(arrays[f"{kind}/document"][row]), row - rows.start
        named = slice(begins[place], begins[place + 1])
        data = {
            "related": held[first[row] : first[row + 1]].tolist(),
            "days": _days(volume, row) if kind == "sentences" else [],
            "words": packed(names[named].astype("<u8")),
            "counts": packed(counts[named]),
            "length": int(part.lengths[place]),
        }
        vectors = dict(zip(own, (vector for _, vector in each), strict=True))
        entity = {"id": row, "vector": vectors["own"], "document": number, **looked_at[number]}
        entity |= {
            "number": int(arrays[f"{kind}/number"][row]),
            "data": json.dumps(data, separators=(",", ":")),
        }
        yield entity | {field: packed(np.array(vector, "<f4")) for field, vector in vectors.items()}


def _vectors(volume: Opened, view: str, rows: range) -> Iterator[tuple[int, list[float]]]:
    for start in range(rows.start, rows.stop, _READ):
        some = range(start, min(start + _READ, rows.stop))
        yield from zip(some, volume.stores[view].vectors(some).tolist(), strict=True)


def _looked_at(volume: Opened, about: About) -> list[dict[str, int]]:
    """What filters look at, by the document's number in the volume; a dead document has nothing."""
    found = []
    for number, (first, last) in enumerate(volume.rows.arrays["published"].tolist()):
        document = about.get((volume.rows.number, number))
        name, publisher = (document.id, document.publisher.casefold()) if document else ("", "")
        found.append({"name": number_of(name), "publisher": number_of(publisher), "first": first, "last": last})
    return found


def _days(volume: Opened, row: int) -> list[list[int]]:
    """The first and the last day of each time that a sentence names."""
    named = volume.rows.arrays["named/row"]
    start, stop = np.searchsorted(named, (row, row + 1)).tolist()
    return [[int(first), int(last)] for first, last in volume.rows.arrays["named/days"][start:stop]]
