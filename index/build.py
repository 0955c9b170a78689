"""Make the index equal to the documents folder, and say what became of each file."""

import time
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np

from corpus import Document, leave_out_copies, passages, said, sentences
from index.catalogue import Catalogue
from index.embedder import Embedder, Matrix, Vector
from index.english import in_english, known_english, sources
from index.errors import EmbedderFault, IndexDamaged, IndexMismatch, IndexMissing
from index.files import Found, Outcome, look, outcomes
from index.generations import (
    Manifest,
    Recipe,
    catalogue_path,
    check,
    fingerprints,
    sweep,
    write,
    writer_lock,
)
from index.progress import Progress
from index.records import File, Record, key
from index.rows import Place
from index.splitter import splitter
from index.vectors import fault
from index.volumes import SMALL, Volume, write_volume

BATCH = 64  # texts embedded at a time: some five seconds on two cores
KEPT = 2  # generations on disk: a reader that has just read the row before still finds its files
MOST = 8  # volumes of a generation
CHECKED = 5_000  # passages of which every document is checked before it is used: some 0.2 s

_AT_ONCE = 2_000_000  # characters of the documents that are cut and embedded together
_SECONDS, _PENDING = 3, 1 << 14  # between two commits of vectors: what a killed build may lose


@dataclass(frozen=True, slots=True)
class Report:
    """What a build did. `outcomes` has one entry a file; `embedded` counts texts, not taken from before.

    `waiting` sentences could be put into English and were not.
    """

    outcomes: tuple[Outcome, ...]
    generation: int
    published: bool
    documents: int
    passages: int
    sentences: int
    waiting: int
    embedded: int


def recipe_of(embedder: Embedder) -> Recipe:
    """What an index made now with that embedder would be made with. Doesn't load the model."""
    return Recipe(embedder.name, embedder.fingerprint, splitter())


def build(
    folder: Path, home: Path, embedder: Embedder, *, rebuild: bool = False, small: int = SMALL
) -> Iterator[Progress | Report]:
    """Index `folder` into `home`, telling how far it is; the last value is the report.

    When it is given, all is durable. Without changes no generation is published and the embedder isn't
    used. `rebuild` trusts nothing: every file is read and every text embedded again. Volumes of fewer than
    `small` rows are written again when something is added, so that a small collection is one volume.
    Raises IndexBusy, IndexDamaged, IndexNotWritten, EmbedderFault, and DocumentError for a missing folder.
    """
    with writer_lock(home):
        if rebuild:
            _set_aside_if_damaged(catalogue_path(home))
        with Catalogue(catalogue_path(home), create=True) as catalogue:
            yield from _build(folder, home, catalogue, embedder, rebuild, small)


def refresh(home: Path, embedder: Embedder) -> Iterator[Progress]:
    """Publish the newest generation again with what was put into English since, without reading any file.

    Raises IndexMissing, IndexBusy, IndexDamaged, IndexNotWritten, EmbedderFault.
    """
    with writer_lock(home), Catalogue(catalogue_path(home)) as catalogue:
        current = newest(catalogue)
        if current is None:
            raise IndexMissing(home)
        _, manifest = current
        trusted(catalogue, manifest)
        catalogue.sweep(manifest.volumes)
        stay = catalogue.places(manifest.volumes)
        newly, _ = _newly_english(catalogue, stay)
        if not newly:
            return
        if manifest.recipe.fingerprint != embedder.fingerprint:
            raise IndexMismatch("embedder", manifest.recipe.embedder, embedder.name)
        files = list(catalogue.files().values())
        old = {name: place for name, place in stay.items() if name in newly}

        def made(name: str) -> Record:
            return _translated(catalogue, catalogue.record(old[name]))

        intact = not _damaged(home, manifest)
        left = {name: place for name, place in stay.items() if name not in newly}
        yield from revise(home, catalogue, files, newly, made, left, embedder, intact)


def repair(home: Path) -> None:
    """Make the damaged volumes of the newest generation again, from the catalogue alone, as a new generation.

    Raises IndexBusy while somebody writes, IndexDamaged where the catalogue itself is damaged.
    """
    with writer_lock(home), Catalogue(catalogue_path(home)) as catalogue:
        current = newest(catalogue)
        if current is None or not (damaged := _damaged(home, current[1])):
            return
        number, manifest = current
        if catalogue.digest(manifest.volumes) != manifest.rows:
            raise IndexDamaged(catalogue.path, "its rows are not those that were written")
        catalogue.sweep(manifest.volumes)
        places = [place for place in catalogue.places(manifest.volumes).values() if place[0] in damaged]
        records = (catalogue.record(place) for place in places)
        with catalogue.transaction():
            catalogue.add(number + 1, 0, records)
        volumes = {old: volume for old, volume in manifest.volumes.items() if old not in damaged}
        files = list(catalogue.files().values())
        _publish(home, catalogue, number + 1, files, [], volumes, manifest.recipe, bool(places))


def verify(home: Path) -> None:
    """Raise IndexDamaged if any byte of the newest generation isn't what was written. Reads everything."""
    with Catalogue(catalogue_path(home)) as catalogue:
        catalogue.hold()
        current = newest(catalogue)
        if current is None:
            raise IndexMissing(home)
        catalogue.check()
        trusted(catalogue, current[1], whole=True)
        for number, volume in current[1].volumes.items():
            check(home, number, volume, whole=True)


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


def texts(records: Iterable[Record]) -> dict[str, str]:
    """Return every text that is embedded for these documents, by its key."""
    return {key(text): text for record in records for view in record.inputs() for text in view}


def _build(
    folder: Path, home: Path, catalogue: Catalogue, embedder: Embedder, rebuild: bool, small: int
) -> Iterator[Progress | Report]:
    recipe = recipe_of(embedder)
    present = newest(catalogue)
    named = {} if present is None else present[1].volumes
    catalogue.sweep(named)
    sweep(home, _kept_volumes(catalogue))
    before = catalogue.files()
    current = None if rebuild else _sound(catalogue, present)
    same_splitter = current is not None and current.recipe.splitter == recipe.splitter
    kept = catalogue.places(named) if same_splitter else {}

    found: list[Found] = []
    for each in look(folder, {} if current is None else before, kept, same_splitter):
        found.append(each)
        yield Progress("read", len(found), each.total, each.file.id)
    files = [each.file for each in found]
    told = outcomes(before, files)
    parsed = {each.file.id: each.document for each in found if each.document is not None}
    now = {file.id for file in files if file.state == "indexed"}
    left = {name: place for name, place in kept.items() if name in now and name not in parsed}
    gone = [place for name, place in kept.items() if name not in left]
    marked = _marked(catalogue, parsed, left, gone)
    left = {name: place for name, place in left.items() if name not in marked}
    newly, waiting = _newly_english(catalogue, left)

    intact = current is not None and current.recipe == recipe and not _damaged(home, current)
    if present is not None and intact and _same(before, files) and not newly:
        number, m = present
        catalogue.stamp(file for file in files if file != before[file.id])
        yield Report(told, number, False, m.documents, m.passages, m.sentences, waiting, 0)
        return

    def made(name: str) -> Record:
        nonlocal waiting
        if name in newly:
            return _translated(catalogue, catalogue.record(left[name]))
        document, own = marked[name]
        record = Record.of(document, own.segments, sentences(document), passages(document))
        waiting += len(_untranslated(catalogue, record))
        return _translated(catalogue, record)

    stay = {name: place for name, place in left.items() if name not in newly}
    number, m, embedded = yield from revise(
        home, catalogue, files, {*marked, *newly}, made, stay, embedder, intact, rebuild, small
    )
    yield Report(told, number, True, m.documents, m.passages, m.sentences, waiting, embedded)


def _newly_english(catalogue: Catalogue, places: Mapping[str, Place]) -> tuple[set[str], int]:
    """The documents of which more is known in English than when they were added, and how many sentences
    wait for it. All are read, one at a time.
    """
    newly, waiting = set(), 0
    for name, place in places.items():
        record = catalogue.record(place)
        if _translated(catalogue, record) != record:
            newly.add(name)
        waiting += len(_untranslated(catalogue, record))
    return newly, waiting


def _translated(catalogue: Catalogue, record: Record) -> Record:
    [made] = in_english([record], known_english(catalogue, [record]))
    return made


def _untranslated(catalogue: Catalogue, record: Record) -> set[str]:
    return {*sources(record)} - {"", *known_english(catalogue, [record])}


def revise(
    home: Path,
    catalogue: Catalogue,
    files: Sequence[File],
    fresh: Collection[str],
    made: Callable[[str], Record],
    stay: Mapping[str, Place],
    embedder: Embedder,
    intact: bool = True,
    anew: bool = False,
    small: int = SMALL,
) -> Generator[Progress, None, tuple[int, Manifest, int]]:
    """Publish a generation of those documents that `stay` and the `fresh` ones, `made` one by one.

    Volumes of `small` rows or more are only kept while all are `intact`; with `anew` all texts are embedded.
    Returns the generation's number, its manifest, and how many texts were embedded. The writer's lock is held
    by the caller.
    """
    present = newest(catalogue)
    number, named = (1, {}) if present is None else (present[0] + 1, present[1].volumes)
    left = _left(named, stay.values(), small) if intact else set()
    moved = {name: place for name, place in stay.items() if place[0] not in left}
    embedded = yield from _add(catalogue, number, sorted({*fresh, *moved}), made, moved, embedder, anew)
    yield Progress("write", 0, 1)
    volumes = {old: named[old] for old in sorted({place[0] for place in stay.values()} & left)}
    dead = set(catalogue.places(named).values()) - set(stay.values())
    recipe = recipe_of(embedder)
    manifest = _publish(home, catalogue, number, files, dead, volumes, recipe, bool(fresh or moved))
    yield Progress("write", 1, 1)
    return number, manifest, embedded


def _marked(
    catalogue: Catalogue, parsed: Mapping[str, Document], kept: Mapping[str, Place], gone: Iterable[Place]
) -> dict[str, tuple[Document, Document]]:
    """Leave out what documents repeat of each other; return those that are not as they were kept.

    With each comes the document as it was parsed. Only documents that share a sentence with one that is new,
    changed or gone can change, and only those that share one with them say how.
    """
    volumes = {place[0] for place in kept.values()}
    names = {place: name for name, place in kept.items()}
    sentences = {sentence for document in parsed.values() for sentence in said(document)}
    sentences |= {sentence for place in gone for sentence in catalogue.said(place)}
    touched = {place for place in catalogue.saying(sentences, volumes) if place in names}
    around = catalogue.saying({s for place in touched for s in catalogue.said(place)} | sentences, volumes)
    records = {names[place]: catalogue.record(place) for place in touched | around if place in names}
    own = dict(parsed)
    for name, record in records.items():
        own[name] = replace(record.document, segments=record.own)
    asked = {*parsed, *(names[place] for place in touched)}
    return {
        document.id: (document, own[document.id])
        for document in leave_out_copies(own.values())
        if document.id in asked and (document.id in parsed or records[document.id].document != document)
    }


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
    made: Callable[[str], Record],
    moved: Mapping[str, Place],
    embedder: Embedder,
    anew: bool,
) -> Generator[Progress, None, int]:
    """Embed and add documents to a volume, some at a time; return how many texts were embedded."""
    first, done = 0, 0
    while first < len(names):
        records: list[Record] = []
        size = 0
        while first + len(records) < len(names) and size < _AT_ONCE:
            name = names[first + len(records)]
            records.append(catalogue.record(moved[name]) if name in moved else made(name))
            size += len(records[-1].document.text)
        done += yield from embed(catalogue, embedder, texts(records), anew, done)
        with catalogue.transaction():
            catalogue.add(volume, first, records)
        first += len(records)
    return done


def embed(
    catalogue: Catalogue, embedder: Embedder, wanted: Mapping[str, str], anew: bool = False, done: int = 0
) -> Generator[Progress, None, int]:
    """Embed those texts, given by their keys, that have no vector in the catalogue yet, or all if `anew`.

    Returns how many were; `done` were before. Raises EmbedderFault.
    """
    known = set() if anew else catalogue.known_vectors(embedder.fingerprint, wanted)
    keys = sorted((key for key in wanted if key not in known), key=lambda key: len(wanted[key]))
    new: dict[str, Vector] = {}
    committed = time.monotonic()
    for start in range(0, len(keys), BATCH):
        yield Progress("embed", done + start, done + len(keys))
        batch = keys[start : start + BATCH]
        new |= zip(batch, _embedded(embedder, [wanted[key] for key in batch]), strict=True)
        if len(new) >= _PENDING or time.monotonic() - committed > _SECONDS:
            catalogue.keep_vectors(embedder.fingerprint, new)
            new, committed = {}, time.monotonic()
    catalogue.keep_vectors(embedder.fingerprint, new)
    yield Progress("embed", done + len(keys), done + len(keys))
    return len(keys)


def _embedded(embedder: Embedder, batch: list[str]) -> Matrix:
    matrix = embedder.embed_passages(batch)
    reason = fault(matrix, embedder.dimension)
    if reason or len(matrix) != len(batch):
        raise EmbedderFault(embedder.name, reason or f"{len(matrix)} vectors for {len(batch)} texts")
    return matrix


def made(catalogue: Catalogue, fingerprint: str, number: int, dimension: int, folder: Path) -> Volume:
    """Write the files of a volume from the catalogue into `folder`."""
    vectors = partial(catalogue.matrix, fingerprint)
    languages = write_volume(folder, catalogue.records(number), vectors, dimension)
    [counts] = catalogue.counts([number]).values()
    return Volume(counts[0], languages["passages"], languages["sentences"], fingerprints(folder))


def _publish(
    home: Path,
    catalogue: Catalogue,
    number: int,
    files: Sequence[File],
    gone: Collection[Place],
    volumes: Mapping[int, Volume],
    recipe: Recipe,
    new: bool,
) -> Manifest:
    """Write the new volume if there is one, then commit what is gone and the generation's name at once."""
    dimension = catalogue.dimension(recipe.fingerprint)
    if new:
        volume = write(home, number, partial(made, catalogue, recipe.fingerprint, number, dimension))
        volumes = {**volumes, number: volume}
    with catalogue.transaction():
        catalogue.publish(files, gone, volumes)
        counts = np.array(list(catalogue.counts(volumes).values()), np.int64).reshape(-1, 3).sum(axis=0)
        documents, passages, sentences = counts.tolist()
        rows = catalogue.digest(volumes)
        manifest = Manifest(recipe, dimension, documents, passages, sentences, rows, dict(volumes))
        catalogue.name_generation(number, datetime.now(UTC).isoformat(), manifest.text(), KEPT)
        if list(volumes) == [number] and number > 1:  # all was read again, so that all that is held is known
            embedded = (
                key(text) for each in catalogue.records(number) for view in each.inputs() for text in view
            )
            spoken = (source for each in catalogue.records(number) for source in sources(each))
            catalogue.forget_all_but(embedded, spoken)
    sweep(home, _kept_volumes(catalogue))
    return manifest


def _kept_volumes(catalogue: Catalogue) -> set[int]:
    return {number for text in catalogue.manifests() for number in Manifest.read(text).volumes}


def _same(before: Mapping[str, File], files: Sequence[File]) -> bool:
    """Whether nothing but stamps differs."""
    old = {name: file.content for name, file in before.items()}
    return old == {file.id: file.content for file in files}


def _sound(catalogue: Catalogue, current: tuple[int, Manifest] | None) -> Manifest | None:
    """The newest generation, unless its rows are damaged: then none is trusted, every file is read again."""
    if current is None:
        return None
    try:
        trusted(catalogue, current[1])
    except IndexDamaged:
        return None
    return current[1]


def _damaged(home: Path, manifest: Manifest) -> set[int]:
    """The volumes whose files are not what was written."""
    found = set()
    for number, volume in manifest.volumes.items():
        try:
            check(home, number, volume)
        except IndexDamaged:
            found.add(number)
    return found


def _set_aside_if_damaged(path: Path) -> None:
    """Move a catalogue out of the way that can't be trusted, for a rebuild to start from nothing."""
    if not path.exists():
        return
    try:
        with Catalogue(path, create=True) as catalogue:
            catalogue.check()
            current = newest(catalogue)
            if current is not None:
                trusted(catalogue, current[1], whole=True)
    except IndexDamaged:
        path.replace(path.with_suffix(".damaged"))
        for suffix in ("-wal", "-shm"):  # they belong to the damaged file, and would spoil the new one
            path.with_name(path.name + suffix).unlink(missing_ok=True)
