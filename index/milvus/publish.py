"""Make the store equal to the newest generation of a home."""

import json
import time
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np

from index.catalogue import Catalogue
from index.errors import IndexMissing
from index.generations import catalogue_path, check, index_folder, volume_folder
from index.milvus.layout import (
    DOCUMENT,
    FORMAT,
    LOOKED_AT,
    MANIFEST,
    MARK,
    PASSAGE,
    SENTENCE,
    WORD,
    Manifest,
    Part,
    chunks,
    generation_name,
    generation_number,
    packed,
    partition,
    volume_name,
)
from index.milvus.opening import newest_manifest
from index.milvus.server import ALIAS, Server
from index.milvus.upload import documents, english, passages, sentences, words
from index.opening import joined
from index.progress import Progress
from index.publish import newest, trusted
from index.rows import KINDS, Kind, Place, VolumeRows
from index.snapshot import Snapshot
from index.vectors import EXACT
from index.volumes import Opened, Volume, open_volume

GENERATIONS = 2  # in the store: who reads the one before goes on


def publish(server: Server, home: Path, anew: bool = False) -> Generator[Progress, None, int]:
    """Put the newest generation of `home` into the store, unless it is there; returns its number there.

    Volumes that are there already stay, unless `anew`. One at a time may publish into a database. Raises
    IndexMissing, IndexDamaged, StoreFault.
    """
    with Catalogue(catalogue_path(home)) as catalogue:
        catalogue.hold()
        current = newest(catalogue)
        if current is None:
            raise IndexMissing(home)
        _, manifest = current
        trusted(catalogue, manifest)
        for number, volume in manifest.volumes.items():
            check(home, number, volume)
        volumes = {n: open_volume(volume_folder(home, n), n, v) for n, v in manifest.volumes.items()}
        whole = joined(list(volumes.values()), Snapshot(catalogue, manifest.volumes), manifest.dimension)
        living = set(catalogue.places(manifest.volumes).values())
        memory = index_folder(home) / "store.json"
        names = _names(catalogue, manifest.volumes, memory, anew)
        parts = [_part(names[n], volume.rows, living) for n, volume in volumes.items()]
        before = newest_manifest(server)
        after = Manifest(
            0 if before is None else before.generation,
            manifest.recipe,
            manifest.dimension,
            manifest.documents,
            manifest.passages,
            manifest.sentences,
            {kind: whole.rows.counts(kind) for kind in KINDS},
            [(packed(total), count) for total, count in zip(whole.sums, whole.counts, strict=True)],
            {kind: own.statistics() for kind, own in whole.words.items()},
            tuple(parts),
        )
        if before is not None and before.text() == after.text():
            return before.generation
        there = set() if before is None else {part.name for part in before.parts}
        for part, (number, opened) in zip(parts, volumes.items(), strict=True):
            if part.name not in there:
                yield from _send(server, catalogue, number, part, opened, manifest.dimension)
        memory.write_text(json.dumps({_key(n, v): names[n] for n, v in manifest.volumes.items()}))
    number = after.generation + 1
    _name(server, number, replace(after, generation=number))
    _sweep(server, number)
    return number


def _send(
    server: Server, catalogue: Catalogue, number: int, part: Part, opened: Opened, dimension: int
) -> Iterator[Progress]:
    """Put a volume into collections of its own."""
    about = dict(catalogue.described([number]))
    kinds: list[tuple[str, Mapping[str, str], int, Kind | None]] = [
        ("passages", PASSAGE, dimension, "passages"),
        ("sentences", SENTENCE, dimension, "sentences"),
        ("english", LOOKED_AT, dimension, "sentences"),
        ("words", WORD, len(MARK), None),
        ("documents", DOCUMENT, len(MARK), None),
    ]
    made = {"passages": passages, "sentences": sentences, "english": english}
    total, done = 2 * opened.rows.count("sentences") + opened.rows.count("passages"), 0
    counts: dict[str, int] = {}
    for what, fields, size, kind in kinds:
        name = part.collection(what)
        spoken = part.languages[kind] if kind else ()
        server.create(name, fields, size, [partition(language) for language, _ in spoken])
        counts[what], start = 0, 0
        for language, count in spoken:
            yield Progress("send", done, total)
            rows = range(start, start + count)
            counts[what] += server.insert(name, made[what](opened, rows, language, about), partition(language))
            start += count
            done += count
    counts["words"] = server.insert(part.collection("words"), words(opened))
    counts["documents"] = server.insert(part.collection("documents"), documents(catalogue, number, opened))
    yield Progress("send", total, total)
    with ThreadPoolExecutor(len(kinds)) as threads:  # a server takes some seconds for each, whatever its size

        def finish(what: str) -> None:
            large = what in made and counts[what] > EXACT
            server.finish(part.collection(what), counts[what], exact=not large)

        list(threads.map(finish, counts))


def _name(server: Server, number: int, manifest: Manifest) -> None:
    """Write the manifest, and move the alias when every read sees all that was written."""
    name = generation_name(number)
    server.create(name, MANIFEST, len(MARK))
    entities = [
        {"id": place, "vector": MARK, "generation": number, "data": data}
        for place, data in enumerate(chunks(manifest.text()))
    ]
    server.finish(name, server.insert(name, entities), exact=True)
    time.sleep(server.stale)
    server.point(ALIAS, name)


def _sweep(server: Server, number: int) -> None:
    """Drop the generations before the last two, and what no generation names."""
    names = server.names()
    numbers = sorted(n for n in map(generation_number, names) if n is not None and n <= number)
    kept = numbers[-GENERATIONS:]
    manifests = [newest_manifest(server, generation_name(n)) for n in kept]
    held = {part.name for manifest in manifests if manifest for part in manifest.parts}
    for name in names:  # others may be somebody else's
        own, volume = generation_number(name), volume_name(name)
        if (own is not None and own not in kept) or (volume is not None and volume not in held):
            server.drop(name)


def _names(catalogue: Catalogue, volumes: Mapping[int, Volume], memory: Path, anew: bool) -> dict[int, str]:
    """The name of each volume: a hash of what is in it when it is sent first; documents may die later."""
    known = {} if anew or not memory.exists() else json.loads(memory.read_text())
    return {
        number: known.get(_key(number, volume))
        or _hash([_key(number, volume), catalogue.hashes(number), FORMAT])
        for number, volume in volumes.items()
    }


def _key(number: int, volume: Volume) -> str:
    return _hash([number, volume.files])


def _hash(value: object) -> str:
    return sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def _part(name: str, rows: VolumeRows, living: Collection[Place]) -> Part:
    dead = [number for number in range(rows.documents) if (rows.number, number) not in living]
    gone: dict[Kind, tuple[tuple[int, int], ...]] = {}
    for kind in KINDS:
        own = np.flatnonzero(np.isin(rows.arrays[f"{kind}/document"], dead))
        gone[kind] = tuple(_ranges(own.tolist()))
    return Part(name, rows.documents, rows.languages, tuple(dead), gone)


def _ranges(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Ascending numbers as ranges.

    >>> list(_ranges([1, 2, 3, 7]))
    [(1, 4), (7, 8)]
    """
    start = stop = -1
    for number in numbers:
        if number != stop:
            if stop > start:
                yield start, stop
            start = number
        stop = number + 1
    if stop > start:
        yield start, stop
