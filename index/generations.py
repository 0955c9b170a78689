"""Generations on disk: folders of files that never change once the catalogue has named them.

    index/catalogue.sqlite      the truth, and the row that names the newest generation
    index/writer.lock           held by whoever writes
    index/generations/000012/   manifest.json, passages.faiss, sentences.faiss, contexts.faiss, english.faiss,
                                passages.npz, sentences.npz

Files are written and fsynced in a folder with a temporary name, the folder is renamed and its parent
fsynced, and only then the catalogue names it. What no row names is a leftover of a crash.
"""

import fcntl
import json
import os
import re
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from index.errors import IndexBusy, IndexDamaged, IndexNotWritten

FORMAT = 3
"""Of the files of a generation; another number is refused and built anew."""
METRIC = "inner product"

_MANIFEST = "manifest.json"
_TEMPORARY = "writing-"
_NUMBER = re.compile(r"\d{6,}")


@dataclass(frozen=True, slots=True)
class Recipe:
    """What must be equal for two indexes of the same documents to be the same."""

    embedder: str
    fingerprint: str
    splitter: str
    metric: str = METRIC
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation consists of; `files` gives SHA-256 and size, `rows` is the catalogue's digest."""

    recipe: Recipe
    dimension: int
    documents: int
    passages: int
    sentences: int
    rows: str
    files: dict[str, tuple[str, int]]

    @classmethod
    def read(cls, text: str) -> "Manifest":
        """Read what `text` wrote."""
        fields = json.loads(text)
        files = {name: (str(digest), int(size)) for name, (digest, size) in fields["files"].items()}
        return cls(**{**fields, "recipe": Recipe(**fields["recipe"]), "files": files})

    def text(self) -> str:
        return json.dumps(asdict(self), indent=1, sort_keys=True)


def index_folder(home: Path) -> Path:
    """Where the index of a home is."""
    return home / "index"


def catalogue_path(home: Path) -> Path:
    """Where the SQLite file of a home is."""
    return index_folder(home) / "catalogue.sqlite"


def generation_folder(home: Path, number: int) -> Path:
    """Where the files of a generation are."""
    return index_folder(home) / "generations" / f"{number:06}"


@contextmanager
def writer_lock(home: Path) -> Iterator[None]:
    """Hold the one writer's lock, or raise IndexBusy at once. The system frees it when a process dies."""
    path = index_folder(home) / "writer.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise IndexNotWritten(path, str(error.strerror)) from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise IndexBusy(path, os.read(lock, 32).decode(errors="replace").strip()) from error
        try:
            os.ftruncate(lock, 0)
            os.pwrite(lock, str(os.getpid()).encode(), 0)
        except OSError as error:
            raise IndexNotWritten(path, str(error.strerror)) from error
        yield
    finally:
        os.close(lock)


def fingerprints(files: Mapping[str, bytes]) -> dict[str, tuple[str, int]]:
    """The SHA-256 and size of each file, as a manifest holds them."""
    return {name: (sha256(data).hexdigest(), len(data)) for name, data in files.items()}


def write(home: Path, number: int, files: Mapping[str, bytes], manifest: Manifest) -> None:
    """Put the files and the manifest of a generation on the disk, durably, before the catalogue names it."""
    folder = generation_folder(home, number)
    temporary = folder.with_name(_TEMPORARY + folder.name)
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        for name, data in {**files, _MANIFEST: manifest.text().encode()}.items():
            with (temporary / name).open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        _fsync(temporary)
        if folder.exists():  # renamed by a build that died before the catalogue named it
            shutil.rmtree(folder)
        temporary.rename(folder)
        for parent in (folder.parent, index_folder(home), home):
            _fsync(parent)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise IndexNotWritten(folder, str(error.strerror)) from error


def read(home: Path, number: int, manifest: Manifest) -> dict[str, bytes]:
    """Return the files of a generation. Raises IndexDamaged if one isn't what was written."""
    folder = generation_folder(home, number)
    found: dict[str, bytes] = {}
    try:
        for name in manifest.files:
            found[name] = (folder / name).read_bytes()
        same = (folder / _MANIFEST).read_bytes() == manifest.text().encode()
    except OSError as error:
        raise IndexDamaged(folder, str(error.strerror)) from error
    wrong = [name for name, seen in fingerprints(found).items() if seen != manifest.files[name]]
    if wrong or not same:
        raise IndexDamaged(folder / (wrong or [_MANIFEST])[0], "its bytes are not those that were written")
    return found


def sweep(home: Path, kept: Collection[int]) -> None:
    """Remove half-written folders and generations not in `kept`. Files of unknown names stay."""
    folder = index_folder(home) / "generations"
    keep = {generation_folder(home, number).name for number in kept}
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name.startswith(_TEMPORARY) or (_NUMBER.fullmatch(path.name) and path.name not in keep):
            shutil.rmtree(path, ignore_errors=True)  # what stays is swept the next time


def _fsync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
