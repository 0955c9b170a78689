"""What became of each file of the documents folder since the index was made."""

import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from corpus import (
    Document,
    DocumentError,
    Entry,
    Item,
    PassingError,
    fingerprint,
    holds_items,
    items,
    load_metadata,
    parse,
    read_bytes,
    said,
    scan,
)
from corpus.metadata import Metadata
from index.catalogue import Catalogue
from index.generations import catalogue_path
from index.records import File, key
from index.workers import Workers

# A file that changes twice within one tick of the clock keeps its stamp, so a stamp that is younger than
# this when it is taken isn't trusted the next time (https://git-scm.com/docs/racy-git).
RACY_NS = 2_000_000_000

# What a mistake of ours raises that only some odd file shows: it must not cost all the others. What the machine
# or what is installed raises (OSError, MemoryError, a model that can't be loaded) is no file's fault.
_MISTAKES = (
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    RecursionError,
    AssertionError,
)

Word = Literal["added", "changed", "unchanged", "removed", "duplicate", "quarantined"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: `detail` is a quarantine's reason, or the id that a duplicate repeats."""

    id: str
    outcome: Word
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A file as it is now, of `total`, and its document before copies are left out of it, with what that says.

    None where there is no document of it, or where it is the one that was kept.
    """

    file: File
    document: Document | None
    said: NDArray[np.int64]
    total: int


def look(
    source: Path, before: Mapping[str, File], kept: Collection[str], same_splitter: bool, workers: Workers
) -> Iterator[Found]:
    """Find what may become a document: the files below `source`, by id, or the one that it is, and their items.

    A file whose stamp is as `before` isn't read. `kept` are the ids of documents that need not be parsed again
    while their bytes are the same; the others the `workers` parse. Raises DocumentError where there is no such
    folder or its documents.toml has a mistake.
    """
    folder = source.parent if source.is_file() else source
    metadata, entries = load_metadata(folder), scan(source)
    looking = _Looking(folder, metadata, before, kept, same_splitter)
    jobs = (
        looking.job(entry, item)
        for entry in entries
        for item in (items(folder, entry.id) if holds_items(entry.id) else (None,))
    )
    for number, made in enumerate(workers.each(_parsed, jobs), 1):
        yield looking.found(made, max(number, len(entries)))
    assert not looking.waiting, "what was given to the workers did not all come back"


@dataclass(frozen=True, slots=True)
class _Looking:
    """What is known on the way through a folder.

    `first` is, by hash, the document that stands for all files with the same bytes; `seen` are the hashes of
    what stands so, or will if it can be parsed. `waiting` are the files whose jobs were given to the workers,
    who may be some ahead of what is told: each with how to begin again, where it repeats another's bytes.
    """

    folder: Path
    metadata: Mapping[str, Metadata]
    before: Mapping[str, File]
    kept: Collection[str]
    same_splitter: bool
    first: dict[str, str] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    named: set[str] = field(default_factory=set)
    waiting: deque[tuple[File, Callable[[], "_Job"] | None]] = field(default_factory=deque)

    def job(self, entry: Entry, item: Item | None) -> "_Job | None":
        """What is to be parsed of a file or its item, None for nothing; what is known of it waits for that."""
        file = _stamped(self.folder, entry, self.metadata) if item is None else _of_item(item, self.metadata)
        twin = file.id in self.named
        if twin:  # of an item and of a file, say, or of what can't be told as it is
            names = (f"{file.id}#{n}" for n in count(2))
            file = replace(file, id=next(name for name in names if name not in self.named))
        self.named.add(file.id)
        again, made = partial(_job, self.folder, entry, item, self.metadata), None
        old = self.before.get(file.id)
        try:
            if twin:
                raise DocumentError("has the name of another before it; rename it")
            data = b""
            if old is not None and _same_stamp(old, file):
                file = replace(file, sha256=old.sha256)
            else:
                data = read_bytes(self.folder, entry.id) if item is None else _data(item)
                file = replace(file, sha256=fingerprint(data))
            if file.sha256 in self.seen:
                self.waiting.append((file, again))
                return None
            same = old is not None and (old.sha256, old.described) == (file.sha256, file.described)
            if same and file.id in self.kept:
                self.first[file.sha256] = file.id
            elif old is not None and same and self.same_splitter and old.state == "quarantined":
                self.waiting.append((_quarantined(file, old.detail), None))
                return None
            else:
                made = again(data)
        except DocumentError as error:
            self.waiting.append((_quarantined(file, str(error), passing=True), None))
            return None
        self.seen.add(file.sha256)
        self.waiting.append((file, None))
        return made

    def found(self, made: "_Parsed", total: int) -> Found:
        """The next that waits, with what the workers made of it."""
        file, again = self.waiting.popleft()
        if again and file.sha256 in self.first:
            file = replace(file, state="duplicate", detail=self.first[file.sha256])
        elif again:  # the one before it with the same bytes became no document
            try:
                made = _parsed(None, again())
            except DocumentError as error:
                made = _Parsed(fault=str(error), passing=True)
        if made.fault:
            file = _quarantined(file, made.fault, made.passing)
        elif made.document is not None:
            self.first[file.sha256] = file.id
        return Found(file, made.document, made.said, total)


def outcomes(before: Mapping[str, File], files: Sequence[File]) -> tuple[Outcome, ...]:
    """Name what became of each file, then of those that are gone."""
    now = {file.id for file in files}
    told = [Outcome(file.id, _word(before.get(file.id), file), file.detail) for file in files]
    return (*told, *(Outcome(name, "removed") for name in before if name not in now))


def file_outcomes(home: Path) -> tuple[Outcome, ...]:
    """Return what the index in `home` holds of each file, by id: "unchanged", "duplicate" or "quarantined".

    Raises IndexMissing.
    """
    with Catalogue(catalogue_path(home)) as catalogue:
        known = catalogue.files()
    return outcomes(known, list(known.values()))


def _word(old: File | None, file: File) -> Word:
    if file.state != "indexed":
        return file.state
    if old is None or old.state != "indexed":
        return "added"
    return "unchanged" if old.content == file.content else "changed"


@dataclass(frozen=True, slots=True)
class _Job:
    """What is to be parsed, as it is sent to a worker."""

    name: str
    data: bytes
    metadata: Mapping[str, Metadata]
    suffix: str
    told: Mapping[str, str]


def _job(
    folder: Path, entry: Entry, item: Item | None, metadata: Mapping[str, Metadata], data: bytes = b""
) -> _Job:
    """The job of a file or of its item; only what is said of it goes with it. Raises DocumentError."""
    name = item.id if item else entry.id
    own = {name: metadata[name]} if name in metadata else {}
    if item:
        return _Job(name, item.data, own, item.suffix, item.said)
    return _Job(name, data or read_bytes(folder, name), own, "", {})


@dataclass(frozen=True, slots=True)
class _Parsed:
    """A document and what it says, or why there is none, which may be `passing`."""

    document: Document | None = None
    said: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    fault: str = ""
    passing: bool = False


def _parsed(_: object, job: _Job | None) -> _Parsed:
    """Runs where a worker is."""
    if job is None:
        return _Parsed()
    try:
        document = parse(job.name, job.data, job.metadata, job.suffix, job.told)
        return _Parsed(document, np.fromiter(said(document), np.int64))
    except DocumentError as error:
        return _Parsed(fault=str(error), passing=isinstance(error, PassingError))
    except _MISTAKES as error:
        return _Parsed(fault=f"can't be read: {type(error).__name__}", passing=True)


def _data(item: Item) -> bytes:
    """The bytes of an item. Raises DocumentError where there is no document in it."""
    if item.fault or not item.data.strip():
        raise DocumentError(item.fault or "is empty")
    return item.data


def _of_item(item: Item, metadata: Mapping[str, Metadata]) -> File:
    """What is known of an item before it is read. It has no stamp: its file is read each time."""
    told = [repr(metadata[item.id])] if item.id in metadata else []
    about = key(repr([*told, item.suffix, sorted(item.said.items())]))
    return File(_tellable(item.id), "", about, len(item.data), 0, 0, "indexed")


def _quarantined(file: File, reason: str, passing: bool = False) -> File:
    """A file of which there is no document. Without its hash, as when that is `passing`, it is read again."""
    file = replace(file, sha256="") if passing else file
    return replace(file, state="quarantined", detail=_tellable(reason))


def _tellable(name: str) -> str:
    r"""A name as it can be stored: of one that is no UTF-8, which the corpus quarantines, the bytes are told.

    >>> _tellable("caf\udce9"), _tellable("half: \ud83d")
    ('caf\\xe9', 'half: \\ud83d')
    """
    try:
        return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # JSON can name what no file's name can hold
        return name.encode("utf-8", "backslashreplace").decode()


def _stamped(folder: Path, entry: Entry, metadata: Mapping[str, Metadata]) -> File:
    """The file with its size and times and nothing read yet; times are 0 where they can't be trusted."""
    about = key(repr(metadata[entry.id])) if entry.id in metadata else ""
    file = File(_tellable(entry.id), "", about, entry.size, 0, 0, "indexed")
    try:
        status = (folder / entry.id).stat()  # of a link's target: the link itself keeps its times
    except OSError:
        return file
    if time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) < RACY_NS:
        return file
    return replace(file, size=status.st_size, mtime_ns=status.st_mtime_ns, ctime_ns=status.st_ctime_ns)


def _same_stamp(old: File, file: File) -> bool:
    """The change time tells apart what the modification time doesn't: files swapped, or copied with `-p`."""
    stamps = [(f.size, f.mtime_ns, f.ctime_ns) for f in (old, file)]
    return stamps[0] == stamps[1] and file.mtime_ns != 0 and old.sha256 != ""
