"""What is kept on this computer: shown with its place and size, and deleted on demand."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from corpus import FeudError
from rag.settings import Settings

FORGETTABLE = ("conversations", "runs", "removed", "engine", "password")


class KeptError(FeudError):
    """There is no such thing to delete, or it can't be."""


def show(settings: Settings, forget: Sequence[str] = (), as_json: bool = False) -> None:
    """Delete what to `forget`, then print what is left. Raises `KeptError`."""
    if unknown := sorted({*forget} - {*FORGETTABLE}):
        raise KeptError(f"{unknown[0]!r} can't be deleted here. Choose of: {', '.join(FORGETTABLE)}")
    places = _places(settings)
    for name in forget:
        for path in places[name]:
            try:
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
            except OSError as error:
                raise KeptError(f"Can't delete {path}: {error.strerror or error}.") from error
    if as_json:
        told = [
            {"what": name, "bytes": sum(map(_size, paths)), "where": str(paths[0])}
            for name, paths in places.items()
        ]
        print(json.dumps(told, ensure_ascii=False, indent=2))
        return
    table = Table("what", "size", "where")
    for name, paths in places.items():
        size = sum(map(_size, paths))
        table.add_row(name, f"{size / 1e6:,.1f} MB" if size else "–", str(paths[0]))
    Console(width=None if Console().is_terminal else 200).print(table)


def _places(settings: Settings) -> dict[str, list[Path]]:
    """By its name the files or folders of each thing, the one to show first."""
    log = [settings.conversations.with_name(settings.conversations.name + end) for end in ("-wal", "-shm")]
    return {
        "documents": [settings.documents],
        "index": [settings.home / "index"],
        "models": [settings.models],
        "engine": [settings.beginnings],
        "conversations": [settings.conversations, *log, settings.home / "asked"],
        "runs": [settings.home / "eval"],
        "removed": [settings.home / "removed"],
        "password": [settings.password],
    }


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
