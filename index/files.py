"""What became of each file of the documents folder since the index was made."""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from corpus import Document, DocumentError, Entry, fingerprint, load_metadata, parse, read_bytes, scan
from corpus.metadata import Metadata
from index.catalogue import Catalogue
from index.generations import catalogue_path
from index.records import File, key

# A file that changes twice within one tick of the clock keeps its stamp, so a stamp that is younger than
# this when it is taken isn't trusted the next time (https://git-scm.com/docs/racy-git).
RACY_NS = 2_000_000_000

Word = Literal["added", "changed", "unchanged", "removed", "duplicate", "quarantined"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: `detail` is a quarantine's reason, or the id that a duplicate repeats."""

    id: str
    outcome: Word
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A file as it is now, of `total`, and its document before copies are left out of it.

    None where there is no document of it, or where it is the one that was kept.
    """

    file: File
    document: Document | None
    total: int


def look(
    folder: Path, before: Mapping[str, File], kept: Collection[str], same_splitter: bool
) -> Iterator[Found]:
    """Find the files below `folder`, by id. A file whose stamp is as `before` isn't read.

    `kept` are the ids of documents that need not be parsed again while their bytes are the same. Raises
    DocumentError where there is no such folder or its documents.toml has a mistake.
    """
    metadata, entries = load_metadata(folder), scan(folder)
    first: dict[str, str] = {}  # by hash, the document that stands for all files with the same bytes
    for entry in entries:
        file = _stamped(folder, entry, metadata)
        old = before.get(file.id)
        data: bytes | None = None
        document: Document | None = None
        try:
            if old is not None and _same_stamp(old, file):
                file = replace(file, sha256=old.sha256)
            else:
                data = read_bytes(folder, entry.id)
                file = replace(file, sha256=fingerprint(data))
            same = old is not None and (old.sha256, old.described) == (file.sha256, file.described)
            if file.sha256 in first:
                file = replace(file, state="duplicate", detail=first[file.sha256])
            elif same and file.id in kept:
                first[file.sha256] = file.id
            elif same and same_splitter and old is not None and old.state == "quarantined":
                file = replace(file, state="quarantined", detail=old.detail)
            else:
                document = parse(entry.id, data or read_bytes(folder, entry.id), metadata)
        except DocumentError as error:
            file = replace(file, state="quarantined", detail=str(error))
        if document is not None:
            first[file.sha256] = file.id
        yield Found(file, document, len(entries))


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


def _stamped(folder: Path, entry: Entry, metadata: Mapping[str, Metadata]) -> File:
    """The file with its size and times and nothing read yet; times are 0 where they can't be trusted."""
    # Names that are no UTF-8 can't be stored; the corpus quarantines them, and here they stay tellable.
    name = entry.id.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    about = key(repr(metadata[entry.id])) if entry.id in metadata else ""
    file = File(name, "", about, entry.size, 0, 0, "indexed")
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
