"""Make the index equal to the documents folder, and say what became of each file."""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from heapq import nsmallest
from pathlib import Path

import numpy as np

from corpus import Document, Segment, leave_out_copies, passages, sentences
from corpus.copies import OWNERS
from index.catalogue import Catalogue
from index.embedder import Embedder
from index.english import count_known, in_english
from index.errors import IndexDamaged, IndexMismatch, IndexMissing
from index.files import Outcome, look, outcomes
from index.generations import (
    InEnglish,
    Manifest,
    catalogue_path,
    check,
    index_folder,
    name_folder,
    strays,
    sweep,
    writer_lock,
)
from index.parsed import Parsed
from index.progress import Progress
from index.publish import kept_volumes, newest, publish, recipe_of, revise, trusted
from index.records import File, Record
from index.rows import Place
from index.volumes import SMALL
from index.workers import Alone, Workers

_TOGETHER = 256  # documents that are compared with what is like them at a time


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


def build(
    folder: Path,
    home: Path,
    embedder: Embedder,
    *,
    rebuild: bool = False,
    small: int = SMALL,
    workers: Workers | None = None,
) -> Iterator[Progress | Report]:
    """Index `folder`, or the one file that it is, into `home`, telling how far it is; the last is the report.

    When it is given, all is durable. Without changes no generation is published and the embedder isn't
    used. `rebuild` trusts nothing: every file is read and every text embedded again. Volumes of fewer than
    `small` rows are written again when something is added, so that a small collection is one volume. What is
    parsed, cut and embedded, the `workers` do, by default this process.
    Raises IndexBusy, IndexDamaged, IndexNotWritten, EmbedderFault, and DocumentError for a missing folder.
    """
    with writer_lock(home):
        if rebuild:
            _set_aside_if_damaged(catalogue_path(home))
        with (
            Catalogue(catalogue_path(home), create=True) as catalogue,
            closing(Parsed(index_folder(home))) as parsed,
        ):
            workers = workers or Alone(embedder)
            report = yield from _build(folder, home, catalogue, parsed, embedder, workers, rebuild, small)
            name_folder(home, folder)
            yield report


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
        newly, english = _newly_english(catalogue, stay, [], manifest.english)
        if not newly:
            return
        before, now = manifest.recipe, recipe_of(embedder)
        if before.fingerprint != now.fingerprint:
            raise IndexMismatch("embedder", before.embedder, now.embedder)
        if before.splitter != now.splitter:  # the documents are cut as they were
            raise IndexMismatch("splitter", before.splitter, now.splitter)
        files = list(catalogue.files().values())

        def made(name: str) -> tuple[Record, int]:
            return in_english(catalogue, catalogue.record(stay[name]))[0], 0

        intact = before == now and not _damaged(home, manifest)
        left = {name: place for name, place in stay.items() if name not in newly}
        yield from revise(home, catalogue, files, newly, made, left, embedder, english, intact)


def repair(home: Path) -> None:
    """Make the damaged volumes of the newest generation again, from the catalogue alone, as a new generation.

    Raises IndexBusy while somebody writes, IndexDamaged where the catalogue itself is damaged.
    """
    with writer_lock(home), Catalogue(catalogue_path(home)) as catalogue:
        current = newest(catalogue)
        if current is None or not (damaged := _damaged(home, current[1])):
            return
        number, manifest = current
        trusted(catalogue, manifest)
        catalogue.sweep(manifest.volumes)
        places = [place for place in catalogue.places(manifest.volumes).values() if place[0] in damaged]
        records = (catalogue.record(place) for place in places)
        with catalogue.transaction():
            catalogue.add(number + 1, 0, records)
        volumes = {old: volume for old, volume in manifest.volumes.items() if old not in damaged}
        files = list(catalogue.files().values())
        publish(
            home, catalogue, number + 1, files, [], volumes, manifest.recipe, manifest.english, bool(places)
        )


def verify(home: Path) -> None:
    """Raise IndexDamaged if any byte of the newest generation isn't what was written. Reads everything."""
    with Catalogue(catalogue_path(home)) as catalogue:
        catalogue.hold()
        current = newest(catalogue)
        if current is None:
            raise IndexMissing(home)
        catalogue.check()
        catalogue.check_vectors()
        trusted(catalogue, current[1], whole=True)
        for number, volume in current[1].volumes.items():
            check(home, number, volume, whole=True)


def journal(home: Path) -> str:
    """How SQLite keeps a commit that is not whole. Raises IndexMissing, IndexDamaged."""
    with Catalogue(catalogue_path(home)) as catalogue:
        return catalogue.journal()


def leftovers(home: Path) -> list[Path]:
    """What builds that ended early left on the disk and no generation names. Raises IndexBusy, IndexMissing."""
    with writer_lock(home), Catalogue(catalogue_path(home)) as catalogue:
        return strays(home, kept_volumes(catalogue))


def tidy(home: Path) -> None:
    """Remove the `leftovers`. Raises IndexBusy while somebody writes."""
    with writer_lock(home), Catalogue(catalogue_path(home)) as catalogue:
        sweep(home, kept_volumes(catalogue))


def _build(
    folder: Path,
    home: Path,
    catalogue: Catalogue,
    parsed: Parsed,
    embedder: Embedder,
    workers: Workers,
    rebuild: bool,
    small: int,
) -> Generator[Progress, None, Report]:
    recipe = recipe_of(embedder)
    present = newest(catalogue)
    named = {} if present is None else present[1].volumes
    catalogue.sweep(named)
    sweep(home, kept_volumes(catalogue))
    before = catalogue.files()
    current = None if rebuild else _sound(catalogue, present)
    same_splitter = current is not None and current.recipe.splitter == recipe.splitter
    kept = catalogue.places(named) if same_splitter else {}

    files: list[File] = []
    for each in look(folder, {} if current is None else before, kept, same_splitter, workers):
        files.append(each.file)
        if each.document is not None:
            parsed.keep(each.document, each.said)
        yield Progress("read", len(files), each.total, each.file.id)
    told = outcomes(before, files)
    now = {file.id for file in files if file.state == "indexed"}
    left = {name: place for name, place in kept.items() if name in now and name not in parsed}
    gone = [place for name, place in kept.items() if name not in left]
    marked = _marked(catalogue, parsed, left, gone)
    left = {name: place for name, place in left.items() if name not in marked}
    others = [place for name, place in kept.items() if name not in left]
    newly, english = _newly_english(
        catalogue, left, others, current.english if kept and current else InEnglish()
    )

    intact = current is not None and current.recipe == recipe and not _damaged(home, current)
    if present is not None and intact and _same(before, files) and not newly:
        number, m = present
        catalogue.stamp(file for file in files if file != before[file.id])
        return Report(told, number, False, m.documents, m.passages, m.sentences, english.waiting, 0)

    def made(name: str) -> tuple[Record, int]:
        if name in newly:
            return in_english(catalogue, catalogue.record(left[name]))[0], 0
        record, missing = in_english(catalogue, next(records))
        return record, len(missing)

    def pairs() -> Iterator[tuple[Document, Document]]:
        for name in new:
            own = parsed[name] if name in parsed else catalogue.record(kept[name]).alone
            yield replace(own, segments=marked.get(name, own.segments)), own

    new = sorted({*parsed, *marked})
    records = workers.each(_cut, pairs())  # `revise` asks for them in the order of their names
    stay = {name: place for name, place in left.items() if name not in newly}
    number, m, embedded = yield from revise(
        home, catalogue, files, {*new, *newly}, made, stay, embedder, english, intact, rebuild, small, workers
    )
    return Report(told, number, True, m.documents, m.passages, m.sentences, m.english.waiting, embedded)


def _newly_english(
    catalogue: Catalogue, stay: Mapping[str, Place], others: Iterable[Place], before: InEnglish
) -> tuple[set[str], InEnglish]:
    """The documents of which more is known in English than when they were added, and what waits of those that
    `stay`. While no more is known than `before`, only the `others` of that generation are read.
    """
    known = count_known(catalogue)
    if known == before.known:
        gone = sum(len(in_english(catalogue, catalogue.record(place))[1]) for place in others)
        return set(), InEnglish(known, before.waiting - gone)
    newly, waiting = set(), 0
    for name, place in stay.items():
        record = catalogue.record(place)
        translated, missing = in_english(catalogue, record)
        if translated != record:
            newly.add(name)
        waiting += len(missing)
    return newly, InEnglish(known, waiting)


def _cut(_: Embedder, pair: tuple[Document, Document]) -> Record:
    """The document with its spans, and its own segments; runs where a worker is."""
    document, own = pair
    return Record.of(document, own.segments, sentences(document), passages(document))


class _Sayers:
    """Who says a sentence, of those that were parsed and those that are kept."""

    def __init__(self, catalogue: Catalogue, parsed: Parsed, kept: Mapping[str, Place]) -> None:
        self._catalogue, self._volumes = catalogue, {place[0] for place in kept.values()}
        self._names, self._kept = kept.keys(), {place: name for name, place in kept.items()}
        self._parsed = sorted(parsed.said)
        said = [parsed.said[name] for name in self._parsed]
        numbers = np.concatenate([np.empty(0, np.int64), *said])
        order = np.argsort(numbers, kind="stable")
        self._numbers = numbers[order]
        self._places = np.repeat(np.arange(len(said), dtype=np.int32), [len(own) for own in said])[order]

    def kept(self, sentence: int) -> list[str]:
        """The first `OWNERS` of those that are kept, by their ids."""
        found = self._catalogue.saying([sentence], self._volumes) if self._kept else set()
        return nsmallest(OWNERS, (self._kept[place] for place in found if place in self._kept))

    def first(self, sentence: int) -> list[str]:
        """The first `OWNERS` of all, by their ids."""
        return self._with_parsed(sentence, self.kept(sentence))

    def _with_parsed(self, sentence: int, kept: list[str]) -> list[str]:
        start, stop = (int(np.searchsorted(self._numbers, sentence, side)) for side in ("left", "right"))
        parsed = [self._parsed[place] for place in self._places[start : min(stop, start + OWNERS)].tolist()]
        return nsmallest(OWNERS, [*parsed, *kept])

    def touched(self, gone: Iterable[int]) -> set[str]:
        """Those that share a sentence with another that was parsed or says what is `gone`."""
        shared = np.zeros(len(self._numbers), bool)
        shared[1:] = self._numbers[1:] == self._numbers[:-1]
        shared[:-1] |= shared[1:]
        names: set[str] = set()
        known = []
        for sentence in {*np.unique(self._numbers).tolist(), *gone} if self._kept else ():
            if kept := self.kept(sentence):
                known.append(sentence)
                names.update(name for name in self._with_parsed(sentence, kept) if name in self._names)
        shared |= np.isin(self._numbers, np.array(known, np.int64))
        return names | {self._parsed[place] for place in np.unique(self._places[shared]).tolist()}


def _marked(
    catalogue: Catalogue, parsed: Parsed, kept: Mapping[str, Place], gone: Iterable[Place]
) -> dict[str, tuple[Segment, ...]]:
    """Leave out what documents repeat of each other; return the segments of those that are not as they were.

    Only documents that share a sentence with one that is new, changed or gone can change, and only those that
    share one with them say how. They are read some at a time, and of those that say a sentence the first
    `OWNERS`: what stands in more is kept in the first, as it must be, while the reason of one further down may
    name a document that is no longer the first.
    """
    sayers = _Sayers(catalogue, parsed, kept)
    touched = sorted(sayers.touched(s for place in gone for s in catalogue.said(place)))
    marked: dict[str, tuple[Segment, ...]] = {}
    for start in range(0, len(touched), _TOGETHER):
        some = touched[start : start + _TOGETHER]
        said = {
            sentence
            for name in some
            for sentence in (parsed.said[name].tolist() if name in parsed else catalogue.said(kept[name]))
        }
        before, own = dict[str, tuple[Segment, ...]](), list[Document]()
        for name in {*some, *(name for sentence in said for name in sayers.first(sentence))}:
            if name in parsed:
                document = parsed[name]
                before[name] = document.segments
            else:
                record = catalogue.record(kept[name])
                document = record.alone
                before[name] = record.document.segments
            own.append(document)
        for document in leave_out_copies(own):
            if document.id in some and document.segments != before[document.id]:
                marked[document.id] = document.segments
    return marked


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
