"""What can go wrong with the index. Each message says what happened and what to do next."""

# ruff: noqa: N818  (the names say what happened, so "Error" behind each would add nothing)

import shutil
from pathlib import Path

from corpus import FeudError


class IndexMissing(FeudError):
    """No index was ever built in this home."""

    def __init__(self, home: Path | str) -> None:
        super().__init__(f"There is no index in {home} yet. Build it with: feud index")


class IndexMismatch(FeudError):
    """The saved index was built with another embedding model, splitter, file format or tokens."""

    def __init__(self, what: str, built_with: str, asked_for: str) -> None:
        self.what = what
        super().__init__(
            f"The index was built with the {what} {built_with}, but the settings ask for {asked_for}. "
            "Make them agree with: feud index"
        )


class IndexBusy(FeudError):
    """Another process is writing this index."""

    def __init__(self, lock: Path, owner: str) -> None:
        process = f"process {owner}" if owner else "another process"
        super().__init__(f"The index is being written by {process} ({lock}). Try again when it has finished.")


class IndexDamaged(FeudError):
    """What is on disk isn't what was written, and could not be repaired here."""

    exit_code = 3

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"The index is damaged: {path}: {reason}. Make it anew with: feud index --rebuild")


class IndexNotWritten(FeudError):
    """The disk refused a write. The generation published before still serves."""

    exit_code = 3

    def __init__(self, path: Path, reason: str) -> None:
        folder = next(parent for parent in path.absolute().parents if parent.is_dir())
        free = shutil.disk_usage(folder).free / 1e6
        super().__init__(
            f"Can't write {path}: {reason} ({free:.1f} MB free). "
            "What was indexed before still serves; correct this, then run: feud index"
        )


class EmbedderFault(FeudError):
    """An embedder returned something that is no unit vector."""

    exit_code = 3

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"The embedding model {name} returned unusable vectors: {reason}. Check it with: feud doctor"
        )


class UnsafeSqlite(FeudError):
    """The linked SQLite may lose committed writes (https://www.sqlite.org/wal.html#walresetbug)."""

    exit_code = 3

    def __init__(self, version: str) -> None:
        super().__init__(
            f"SQLite {version} can lose committed writes. Install one of 3.51.3 or later with: "
            "pip install --upgrade apsw"
        )


class StoreFault(FeudError):
    """A store of many machines does not answer, or not what was put into it; `missing`: it has no such."""

    exit_code = 3

    def __init__(self, name: str, reason: str, missing: bool = False) -> None:
        self.missing = missing
        super().__init__(f"The store {name} failed: {reason.rstrip('.')}. Check that it runs, then try again.")
