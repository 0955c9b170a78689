"""What files a folder has, and from the bytes of one to its document."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from corpus.apart import extract_apart
from corpus.document import Document
from corpus.errors import DocumentError
from corpus.metadata import METADATA_FILE, Metadata, describe
from corpus.segments import segment


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the folder as a listing shows it; size in bytes, time in nanoseconds."""

    id: str
    size: int
    mtime_ns: int


def scan(folder: Path) -> list[Entry]:
    """Return every file below `folder`, by id, without opening any; or the one file that `folder` is.

    A link to a folder is listed and not followed. Hidden files and documents.toml are no documents. Raises
    DocumentError where there is no such folder, or one that can't be listed: nobody knows what is gone there.
    """
    if folder.is_file():
        status = folder.stat()
        return [Entry(folder.name, status.st_size, status.st_mtime_ns)]
    if not folder.is_dir():
        raise DocumentError(
            f"There is no documents folder at {folder}. Make it, or name another in FEUD_DOCUMENTS."
        )
    try:
        return sorted(_entries(folder), key=lambda entry: entry.id)
    except OSError as error:
        raise DocumentError(
            f"{error.filename} can't be listed: {error.strerror}. Let it be read, or take it out of {folder}."
        ) from error


def _entries(folder: Path) -> Iterator[Entry]:
    def unless_gone(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError) or error.filename == str(folder):
            raise error

    for parent, folders, files in os.walk(folder, onerror=unless_gone):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in (*files, *(name for name in folders if Path(parent, name).is_symlink())):
            path = Path(parent, name)
            ident = path.relative_to(folder).as_posix()
            if not name.startswith(".") and ident != METADATA_FILE:
                with suppress(FileNotFoundError):  # it was there a moment ago
                    status = path.lstat()
                    yield Entry(ident, status.st_size, status.st_mtime_ns)


def fingerprint(data: bytes) -> str:
    """Return the SHA-256 of `data`: files with the same one are the same document."""
    return hashlib.sha256(data).hexdigest()


def parse(
    ident: str,
    data: bytes,
    metadata: Mapping[str, Metadata],
    suffix: str = "",
    told: Mapping[str, str] = MappingProxyType({}),
) -> Document:
    """Return the document in `data`; `metadata` is what documents.toml says, by id.

    The format is that of `suffix`, else of the id; what is `told` of it goes before what it says itself. Raises
    DocumentError where `data` can't become a document.
    """
    if not ident.isprintable():
        raise DocumentError("has a name with characters that can't be shown; rename it")
    content = extract_apart(suffix or PurePosixPath(ident).suffix.lower(), data)
    segments = segment(content.text)
    known = metadata.get(ident) or describe(ident, content, segments, told)
    return Document(
        ident, content.text, known.title, known.publisher, known.published, known.url, known.author, segments
    )
