"""Generations on disk: volumes, which never change once the catalogue has named them.

    index/catalogue.sqlite    the truth, and the row that names the newest generation and its volumes
    index/writer.lock         held by whoever writes
    index/folder              which documents folder the index was last made equal to
    index/volumes/000012/     the files of a volume, see `index.volumes`

Files are written and fsynced in a folder with a temporary name, the folder is renamed and its parent
fsynced, and only then the catalogue names it. What no row names is a leftover of a crash. The size of every
file is checked when a generation is opened, the hash of files up to 16 MB too; `feud doctor` reads them all.
"""

import fcntl
import json
import os
import re
import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from index.arrays import SMALL
from index.assembly import sha256
from index.errors import IndexBusy, IndexDamaged, IndexMismatch, IndexNotWritten
from index.volumes import Volume

FORMAT = 5
"""Of the files of a volume; another number is refused and built anew."""
METRIC = "inner product"

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
    tokens: str = "unknown"  # as in each index before there was this field


@dataclass(frozen=True, slots=True)
class InEnglish:
    """How many sentences were known in English when a generation was made, and how many of its own waited.

    A waiting one is counted in each document. Before format 5 nothing was said.
    """

    known: int = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation consists of: its volumes by their numbers; `rows` is the catalogue's digest."""

    recipe: Recipe
    dimension: int
    documents: int
    passages: int
    sentences: int
    rows: str
    volumes: dict[int, Volume]
    english: InEnglish

    @classmethod
    def read(cls, text: str) -> "Manifest":
        """Read what `text` wrote. Raises IndexMismatch for one of a later feud, with other fields."""
        fields = json.loads(text)
        try:
            volumes = {int(number): Volume.read(volume) for number, volume in fields["volumes"].items()}
            recipe, english = Recipe(**fields["recipe"]), InEnglish(**fields.get("english", {}))
            return cls(**{**fields, "recipe": recipe, "volumes": volumes, "english": english})
        except (TypeError, KeyError) as error:
            raise IndexMismatch("format", "of another feud", str(FORMAT)) from error

    def text(self) -> str:
        return json.dumps(asdict(self), indent=1, sort_keys=True)


def index_folder(home: Path) -> Path:
    """Where the index of a home is."""
    return home / "index"


def catalogue_path(home: Path) -> Path:
    """Where the SQLite file of a home is."""
    return index_folder(home) / "catalogue.sqlite"


def volume_folder(home: Path, number: int) -> Path:
    """Where the files of a volume are."""
    return index_folder(home) / "volumes" / f"{number:06}"


def name_folder(home: Path, folder: Path) -> None:
    """Note what the index was made equal to: by its path in `home`, which may be moved, or its whole one.

    Raises IndexNotWritten.
    """
    if indexed_folder(home) == (folder := folder.absolute()):
        return
    file, own = index_folder(home) / "folder", home.absolute()
    try:
        file.write_bytes(os.fsencode(folder.relative_to(own) if folder.is_relative_to(own) else folder))
    except OSError as error:
        raise IndexNotWritten(file, str(error.strerror)) from error


def forget_folder(home: Path) -> None:
    """Note nothing: the index is not made of a folder any more."""
    (index_folder(home) / "folder").unlink(missing_ok=True)


def indexed_folder(home: Path) -> Path | None:
    """The folder that the index was last made equal to; None where none is noted, as in earlier indexes."""
    try:
        name = (index_folder(home) / "folder").read_bytes()
    except OSError:
        return None
    return home.absolute() / os.fsdecode(name) if name else None


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


def write(home: Path, number: int, made: Callable[[Path], Volume]) -> Volume:
    """Put a volume on the disk, durably, before the catalogue names it: `made` writes into a folder.

    Raises IndexNotWritten, and what `made` raises.
    """
    folder = volume_folder(home, number)
    temporary = folder.with_name(_TEMPORARY + folder.name)
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        volume = made(temporary)
        _fsync(temporary)
        if folder.exists():  # renamed by a build that died before the catalogue named it
            shutil.rmtree(folder)
        temporary.rename(folder)
        for parent in (folder.parent, index_folder(home), home):
            _fsync(parent)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise IndexNotWritten(folder, str(error.strerror)) from error
    return volume


def fingerprints(folder: Path) -> dict[str, tuple[str, int]]:
    """The SHA-256 and size of each file of a folder, as a manifest holds them."""
    return {path.name: (sha256(path), path.stat().st_size) for path in sorted(folder.iterdir())}


def check(home: Path, number: int, volume: Volume, *, whole: bool = False) -> None:
    """Raise IndexDamaged if a file of a volume isn't what was written; of large ones only if `whole`."""
    folder = volume_folder(home, number)
    for name, (digest, size) in volume.files.items():
        try:
            same = (folder / name).stat().st_size == size
            if same and (whole or size <= SMALL):
                same = sha256(folder / name) == digest
        except OSError as error:
            raise IndexDamaged(folder, str(error.strerror)) from error
        if not same:
            raise IndexDamaged(folder / name, "its bytes are not those that were written")


def strays(home: Path, kept: Collection[int]) -> list[Path]:
    """Half-written folders and volumes not in `kept`. Files of unknown names are nobody's."""
    folder = index_folder(home) / "volumes"
    keep = {volume_folder(home, number).name for number in kept}
    found = [
        path
        for path in (folder.iterdir() if folder.is_dir() else ())
        if path.name.startswith(_TEMPORARY) or (_NUMBER.fullmatch(path.name) and path.name not in keep)
    ]
    before = index_folder(home) / "generations"  # as they were before format 3
    return sorted([*found, before] if before.exists() else found)


def sweep(home: Path, kept: Collection[int]) -> None:
    """Remove the `strays`."""
    for path in strays(home, kept):
        shutil.rmtree(path, ignore_errors=True)  # what stays is swept the next time


def _fsync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
