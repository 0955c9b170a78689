"""Publish a generation: embed what is new, write its volume, and name it in one transaction."""

import time
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np

from index.catalogue import Catalogue
from index.embedder import Embedder, Matrix, Vector
from index.english import sources
from index.errors import EmbedderFault, IndexDamaged
from index.generations import InEnglish, Manifest, Recipe, fingerprints, sweep, write
from index.progress import Progress
from index.records import File, Record, key
from index.rows import Place
from index.splitter import splitter, tokenizer
from index.vectors import fault
from index.volumes import SMALL, Volume, write_volume
from index.workers import Alone, Workers

BATCH = 64  # texts embedded at a time: some five seconds on two cores
KEPT = 2  # generations on disk: a reader that has just read the row before still finds its files
MOST = 8  # volumes of a generation
CHECKED = 5_000  # passages of which every document is checked before it is used: some 0.2 s

_AT_ONCE = 2_000_000  # characters of the documents that are cut and embedded together
_SECONDS, _PENDING = 3, 1 << 14  # between two commits of vectors: what a killed build may lose


def recipe_of(embedder: Embedder) -> Recipe:
    """What an index made now with that embedder would be made with. Doesn't load the model."""
    return Recipe(embedder.name, embedder.fingerprint, splitter(), tokens=tokenizer())


def revise(
    home: Path,
    catalogue: Catalogue,
    files: Sequence[File],
    fresh: Collection[str],
    made: Callable[[str], tuple[Record, int]],
    stay: Mapping[str, Place],
    embedder: Embedder,
    english: InEnglish,
    intact: bool = True,
    anew: bool = False,
    small: int = SMALL,
    workers: Workers | None = None,
) -> Generator[Progress, None, tuple[int, Manifest, int]]:
    """Publish a generation of those documents that `stay` and the `fresh` ones, `made` one by one.

    With each that is made comes how many of its sentences wait for English, beside those that `english` counts.
    Volumes of `small` rows or more are only kept while all are `intact`; with `anew` all texts are embedded.
    Returns the generation's number, its manifest, and how many texts were embedded. The writer's lock is held
    by the caller.
    """
    present = newest(catalogue)
    number, named = (1, {}) if present is None else (present[0] + 1, present[1].volumes)
    left = _left(named, stay.values(), small) if intact else set()
    moved = {name: place for name, place in stay.items() if place[0] not in left}
    names = sorted({*fresh, *moved})
    workers = workers or Alone(embedder)
    embedded, waiting = yield from _add(catalogue, number, names, made, moved, embedder, workers, anew)
    english = replace(english, waiting=english.waiting + waiting)
    yield Progress("write", 0, 1)
    volumes = {old: named[old] for old in sorted({place[0] for place in stay.values()} & left)}
    dead = set(catalogue.places(named).values()) - set(stay.values())
    recipe = recipe_of(embedder)
    manifest = publish(home, catalogue, number, files, dead, volumes, recipe, english, bool(fresh or moved))
    yield Progress("write", 1, 1)
    return number, manifest, embedded


def publish(
    home: Path,
    catalogue: Catalogue,
    number: int,
    files: Sequence[File],
    gone: Collection[Place],
    volumes: Mapping[int, Volume],
    recipe: Recipe,
    english: InEnglish,
    new: bool,
) -> Manifest:
    """Write the new volume if there is one, then commit what is gone and the generation's name at once."""
    dimension = catalogue.dimension(recipe.fingerprint)
    if new:
        volume = write(home, number, partial(_made, catalogue, recipe.fingerprint, number, dimension))
        volumes = {**volumes, number: volume}
    with catalogue.transaction():
        catalogue.publish(files, gone, volumes)
        counts = np.array(list(catalogue.counts(volumes).values()), np.int64).reshape(-1, 3).sum(axis=0)
        documents, passages, sentences = counts.tolist()
        if list(volumes) == [number] and number > 1:  # all was read again, so that all that is held is known
            embedded = (
                key(text) for each in catalogue.records(number) for view in each.inputs() for text in view
            )
            spoken = (source for each in catalogue.records(number) for source in sources(each))
            forgotten = catalogue.forget_all_but(embedded, spoken)
            english = replace(english, known=english.known - forgotten)
        rows = catalogue.digest(volumes)
        manifest = Manifest(recipe, dimension, documents, passages, sentences, rows, dict(volumes), english)
        catalogue.name_generation(number, datetime.now(UTC).isoformat(), manifest.text(), KEPT)
    sweep(home, kept_volumes(catalogue))
    return manifest


def newest(catalogue: Catalogue) -> tuple[int, Manifest] | None:
    """Return the newest generation's number and manifest."""
    found = catalogue.generation()
    return None if found is None else (found[0], Manifest.read(found[1]))


def trusted(catalogue: Catalogue, manifest: Manifest, *, whole: bool = False) -> None:
    """Raise IndexDamaged if the rows of a generation are not those that were written.

    Each document is checked when it is read. Here all are read where they are few, or if `whole`.
    """
    if catalogue.digest(manifest.volumes) != manifest.rows:
        raise IndexDamaged(catalogue.path, "its rows are not those that were written")
    if whole or manifest.passages <= CHECKED:
        for volume in manifest.volumes:
            for _ in catalogue.records(volume):
                pass


def kept_volumes(catalogue: Catalogue) -> set[int]:
    return {number for text in catalogue.manifests() for number in Manifest.read(text).volumes}


def texts(records: Iterable[Record]) -> dict[str, str]:
    """Return every text that is embedded for these documents, by its key."""
    return {key(text): text for record in records for view in record.inputs() for text in view}


def embed(
    catalogue: Catalogue,
    embedder: Embedder,
    workers: Workers,
    wanted: Mapping[str, str],
    anew: bool = False,
    done: int = 0,
) -> Generator[Progress, None, int]:
    """Let embed those texts, given by their keys, that have no vector in the catalogue yet, or all if `anew`.

    Returns how many were; `done` were before. Raises EmbedderFault.
    """
    known = set() if anew else catalogue.known_vectors(embedder.fingerprint, wanted)
    keys = sorted((key for key in wanted if key not in known), key=lambda key: len(wanted[key]))
    new: dict[str, Vector] = {}
    committed = time.monotonic()
    batches = [keys[start : start + BATCH] for start in range(0, len(keys), BATCH)]
    vectors = workers.each(_embedded, ([wanted[key] for key in batch] for batch in batches), 1)
    for number, batch in enumerate(batches):
        yield Progress("embed", done + number * BATCH, done + len(keys))
        new |= zip(batch, next(vectors), strict=True)
        if len(new) >= _PENDING or time.monotonic() - committed > _SECONDS:
            catalogue.keep_vectors(embedder.fingerprint, new)
            new, committed = {}, time.monotonic()
    catalogue.keep_vectors(embedder.fingerprint, new)
    yield Progress("embed", done + len(keys), done + len(keys))
    return len(keys)


def _left(volumes: Mapping[int, Volume], stay: Collection[Place], small: int) -> set[int]:
    """The volumes that aren't written again: not small, and three quarters alive; of many, the larger half."""
    alive = Counter(number for number, _ in stay)
    left = [n for n, v in volumes.items() if v.rows >= small and alive[n] >= 0.75 * v.documents]
    left.sort(key=lambda number: -volumes[number].rows)
    return set(left if len(left) < MOST else left[: MOST // 2])


def _add(
    catalogue: Catalogue,
    volume: int,
    names: Sequence[str],
    made: Callable[[str], tuple[Record, int]],
    moved: Mapping[str, Place],
    embedder: Embedder,
    workers: Workers,
    anew: bool,
) -> Generator[Progress, None, tuple[int, int]]:
    """Embed and add documents to a volume, some at a time.

    Returns how many texts were embedded, and how many sentences of those that were made wait for English.
    """
    first, done, waiting = 0, 0, 0
    while first < len(names):
        records: list[Record] = []
        size = 0
        while first + len(records) < len(names) and size < _AT_ONCE:
            name = names[first + len(records)]
            record, missing = (catalogue.record(moved[name]), 0) if name in moved else made(name)
            records.append(record)
            waiting += missing
            size += len(records[-1].document.text)
        done += yield from embed(catalogue, embedder, workers, texts(records), anew, done)
        with catalogue.transaction():
            catalogue.add(volume, first, records)
        first += len(records)
    return done, waiting


def _embedded(embedder: Embedder, batch: list[str]) -> Matrix:
    matrix = embedder.embed_passages(batch)
    reason = fault(matrix, embedder.dimension)
    if reason or len(matrix) != len(batch):
        raise EmbedderFault(embedder.name, reason or f"{len(matrix)} vectors for {len(batch)} texts")
    return matrix


def _made(catalogue: Catalogue, fingerprint: str, number: int, dimension: int, folder: Path) -> Volume:
    """Write the files of a volume from the catalogue into `folder`."""
    vectors = partial(catalogue.matrix, fingerprint)
    languages = write_volume(folder, catalogue.records(number), vectors, dimension)
    [counts] = catalogue.counts([number]).values()
    return Volume(counts[0], languages["passages"], languages["sentences"], fingerprints(folder))
