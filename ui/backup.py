"""Everything that can't be made again, in one file; and back, while the page is served."""

import hashlib
import json
import shutil
import sqlite3
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from corpus import FeudError
from index.errors import IndexMissing
from index.spare import copy_catalogue, put_back
from rag.settings import Settings
from ui import examples

_FORMAT = 1
_MANIFEST, _CATALOGUE, _CONVERSATIONS = "manifest.json", "catalogue.sqlite", "conversations.sqlite"
_FOLDERS = ("documents", "removed", "eval")


class BackupError(FeudError):
    """A backup can't be written, or isn't one."""


def back_up(settings: Settings, file: Path) -> tuple[int, int]:
    """Write documents, index, conversations, examples, eval runs to `file`; return documents and bytes of it.

    Others may read and write meanwhile: databases are copied as they are at one moment. Models, which can be
    pulled again, and the password are not in it. Raises `BackupError` and what `copy_catalogue` raises.
    """
    if file.exists():
        raise BackupError(f"{file} is there already. Choose another name.")
    part = file.with_name(f".{file.name}.part")
    files: dict[str, str] = {}
    try:
        with TemporaryDirectory() as spare, tarfile.open(part, "w:gz", compresslevel=6) as archive:
            for name, path in _parts(settings, Path(spare)):
                copy = Path(spare) / "file"  # what is hashed is what is packed, though it changes meanwhile
                shutil.copyfile(path, copy)
                files[name] = _sha256(copy)
                archive.add(copy, name, filter=_plain)
            manifest = {"format": _FORMAT, "made": datetime.now(UTC).isoformat(), "files": files}
            (Path(spare) / _MANIFEST).write_text(json.dumps(manifest, indent=1))
            archive.add(Path(spare) / _MANIFEST, _MANIFEST, filter=_plain)
        part.chmod(0o600)
        part.replace(file)
    except OSError as error:
        raise BackupError(f"Can't write {file}: {error.strerror or error}.") from error
    finally:
        part.unlink(missing_ok=True)
    return sum(name.startswith("documents/") for name in files), file.stat().st_size


def restore(settings: Settings, file: Path) -> Path | None:
    """Put back what `back_up` wrote; return the backup of what was there before, None where nothing was.

    Nothing is touched before all of `file` is known to be whole. Documents that are only here stay. Raises
    `BackupError` and what `put_back` raises.
    """
    before = None
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix="restoring-", dir=settings.home) as staged:
            root = Path(staged)
            with tarfile.open(file) as archive:
                archive.extractall(root, filter="data")
            _check(root, file)
            before = _aside(settings)
            if (root / _CATALOGUE).exists():
                put_back(settings.home, root / _CATALOGUE)
            if (root / _CONVERSATIONS).exists():
                _copy_sqlite(root / _CONVERSATIONS, settings.conversations)
            if (root / examples.FILE).exists():
                (root / examples.FILE).replace(settings.home / examples.FILE)
            for folder, target in _folders(settings):
                for path in _files(root / folder):
                    goal = target / path.relative_to(root / folder)
                    goal.parent.mkdir(parents=True, exist_ok=True)
                    path.replace(goal) if target.is_relative_to(settings.home) else shutil.copyfile(path, goal)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise BackupError(f"{file} is no backup of feud, or a torn one: {error}.") from error
    except (OSError, sqlite3.Error) as error:
        kept = f" What was there before is in {before}" if before else ""
        raise BackupError(f"Can't restore {file}: {error}.{kept}") from error
    return before


def _aside(settings: Settings) -> Path | None:
    file = settings.home / f"before-restore-{datetime.now():%Y%m%dT%H%M%S%f}.tar.gz"
    documents, _ = back_up(settings, file)
    if not documents and not settings.conversations.exists():
        file.unlink()
        return None
    return file


def _parts(settings: Settings, spare: Path) -> Iterator[tuple[str, Path]]:
    try:
        copy_catalogue(settings.home, spare / _CATALOGUE)
        yield _CATALOGUE, spare / _CATALOGUE
    except IndexMissing:
        pass
    if settings.conversations.exists():
        _copy_sqlite(settings.conversations, spare / _CONVERSATIONS)
        yield _CONVERSATIONS, spare / _CONVERSATIONS
    if (settings.home / examples.FILE).exists():
        yield examples.FILE, settings.home / examples.FILE
    for name, folder in _folders(settings):
        for path in _files(folder):
            yield f"{name}/{path.relative_to(folder).as_posix()}", path


def _folders(settings: Settings) -> list[tuple[str, Path]]:
    return [(n, settings.documents if n == "documents" else settings.home / n) for n in _FOLDERS]


def _files(folder: Path) -> list[Path]:
    """The regular files below a folder; links may lead out of it and are left."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _check(root: Path, file: Path) -> None:
    try:
        manifest = json.loads((root / _MANIFEST).read_text("utf-8"))
        same = manifest["format"] == _FORMAT and manifest["files"] == {
            path.relative_to(root).as_posix(): _sha256(path) for path in _files(root) if path.name != _MANIFEST
        }
    except (OSError, ValueError, KeyError, TypeError):
        same = False
    if not same:
        raise BackupError(f"{file} is no backup of feud, or not as it was written. Nothing was changed.")


def _copy_sqlite(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)
    target.chmod(0o600)


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o600
    return member


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
