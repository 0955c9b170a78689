"""Open a generation: its volumes, joined to one index; what is damaged is made again first."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from index.build import repair
from index.catalogue import Catalogue
from index.embedder import Embedder, Matrix
from index.errors import IndexBusy, IndexDamaged, IndexMismatch, IndexMissing
from index.generations import Recipe, catalogue_path, check, index_folder, volume_folder
from index.lexical import Bm25Index, Postings
from index.neutral import Neutral
from index.publish import newest, recipe_of, trusted
from index.rows import KINDS, AllRows, Kind, Source
from index.search import Index
from index.snapshot import Snapshot
from index.vectors import JoinedStore, VectorStore
from index.volumes import VIEWS, Opened, open_volume


def open_index(home: Path, embedder: Embedder) -> Index:
    """Open the newest generation. Damaged derived files are made again from the catalogue first.

    Raises IndexMissing, IndexMismatch, IndexDamaged. The embedding model isn't loaded yet.
    """
    for _ in range(3):  # once, again after a repair, and again if a writer published meanwhile
        catalogue = Catalogue(catalogue_path(home))
        try:
            return _opened(home, catalogue, embedder)
        except _Torn as error:
            damage = error.damage
            catalogue.close()
        except BaseException:
            catalogue.close()
            raise
        try:
            repair(home)
        except IndexBusy as error:
            raise damage from error
    raise damage


def current_generation(home: Path) -> int | None:
    """Return the number of the newest generation, None before the first: a cheap look for a new one."""
    try:
        with Catalogue(catalogue_path(home)) as catalogue:
            found = catalogue.generation()
    except IndexMissing:
        return None
    return None if found is None else found[0]


def index_of_volumes(
    generation: int, volumes: Sequence[Opened], source: Source, dimension: int, embedder: Embedder
) -> Index:
    """Return the index of these volumes, with the documents that `source` has of them."""
    parts = joined(volumes, source, dimension)
    return Index(generation, parts.rows, parts.stores, parts.words, Neutral(parts.sums, parts.counts), embedder)


class Parts(NamedTuple):
    """What the volumes of a generation make together; `sums` and `counts` are what `Neutral` takes."""

    rows: AllRows
    stores: Mapping[str, VectorStore]
    words: Mapping[Kind, Bm25Index]
    sums: Matrix
    counts: list[int]


def joined(volumes: Sequence[Opened], source: Source, dimension: int) -> Parts:
    """Join volumes to one generation's rows, stores and lists."""
    rows = AllRows([volume.rows for volume in volumes], source)
    stores = {view: JoinedStore([volume.stores[view] for volume in volumes], dimension) for view in VIEWS}
    words = {}
    for kind in KINDS:
        lists: dict[str, list[tuple[int, Postings]]] = {}
        for volume, start in zip(volumes, rows.firsts(kind), strict=False):
            for language, count in volume.rows.languages[kind]:
                lists.setdefault(language, []).append((start, volume.words[kind][language]))
                start += count
        words[kind] = Bm25Index(lists, rows.alive[kind])
    return Parts(rows, stores, words, *_sums(volumes, rows, stores))


def _sums(
    volumes: Sequence[Opened], rows: AllRows, stores: Mapping[str, VectorStore]
) -> tuple[Matrix, list[int]]:
    """The sum of the living sentences' vectors of each language, and how many there are."""
    sums, counts = [], []
    alive = rows.alive["sentences"]
    for language, runs in rows.runs("sentences").items():
        parts = [volume.sums.get(language) for volume in volumes]
        total = np.sum([part for part in parts if part is not None], axis=0)
        count = sum(map(len, runs))
        for run in runs:
            if alive is None:
                break
            dead = np.arange(run.start, run.stop)[~alive[run.start : run.stop]]
            total = total - stores["sentences"].vectors(dead).sum(axis=0, dtype=np.float64)
            count -= len(dead)
        sums.append(total)
        counts.append(count)
    return np.array(sums), counts


class _Torn(Exception):  # noqa: N818
    """Derived files that are damaged, while the catalogue is whole."""

    def __init__(self, damage: IndexDamaged) -> None:
        self.damage = damage


def _opened(home: Path, catalogue: Catalogue, embedder: Embedder) -> Index:
    """The index keeps the catalogue open, in the state that it is in now."""
    catalogue.hold()
    current = newest(catalogue)
    if current is None:
        raise IndexMissing(home)
    number, manifest = current
    agree(manifest.recipe, recipe_of(embedder))
    try:
        for volume in manifest.volumes:
            check(home, volume, manifest.volumes[volume])
    except IndexDamaged as damage:
        raise _Torn(damage) from damage
    trusted(catalogue, manifest)
    volumes = [open_volume(volume_folder(home, n), n, volume) for n, volume in manifest.volumes.items()]
    source = Snapshot(catalogue, manifest.volumes)
    index = index_of_volumes(number, volumes, source, manifest.dimension, embedder)
    spans = len(index.passages), len(index.sentences)
    if spans != (manifest.passages, manifest.sentences):
        reason = f"it has {spans} spans, the manifest says {manifest.passages, manifest.sentences}"
        raise IndexDamaged(index_folder(home), reason)
    return index


def agree(built: Recipe, asked: Recipe) -> None:
    """Raise IndexMismatch unless both would make the same index."""
    if built.fingerprint != asked.fingerprint:
        names = (f"{r.embedder} ({r.fingerprint[:12]})" for r in (built, asked))
        raise IndexMismatch("embedder", *names)
    for what in ("splitter", "metric", "format", "tokens"):
        values = str(getattr(built, what)), str(getattr(asked, what))
        if values[0] != values[1]:
            raise IndexMismatch(what, *values)
