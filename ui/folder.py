"""The documents folder: what is put into it and taken out of it, and how it looks to the page."""

import filecmp
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import NamedTemporaryFile
from threading import Lock
from typing import Protocol

from corpus import Document, FeudError, Sentence
from index import Filter, Hit, Index, IndexBusy, Outcome, Progress, Report, build, file_outcomes
from index.remembered import Remembered
from rag.disagree import differences
from rag.question import understand
from rag.settings import Settings
from rag.timeline import Event, disputed, timeline
from ui.texts import say

COMPARED = 5_000  # sentences that are compared with all others, at most
BUSY_SECONDS = 30.0  # how long another writer of the index is waited for


class LibraryError(FeudError):
    """A file or a document that was named is not there, or would overwrite another; told as the page speaks."""


@dataclass(frozen=True, slots=True)
class Differences:
    """What is told differently, version by version; of all `sentences` the first `compared` were looked at."""

    found: Sequence[Sequence[Sentence]]
    sentences: int
    compared: int


class Shelf(Protocol):
    """The documents as they are shown: all, one by its id, what is found in them, what they date and tell
    differently, and files that are none.
    """

    def documents(self) -> Sequence[Document]: ...

    def document(self, name: str) -> Document | None: ...

    def search(self, question: str, k: int, where: Filter) -> Sequence[Hit]: ...

    def events(self) -> Sequence[Event]: ...

    def disputed(self, events: Sequence[Event]) -> Sequence[Event]: ...

    def differences(self) -> "Differences": ...

    def aside(self) -> Sequence[Outcome]: ...


class Folder:
    """The documents of the newest index, and the folder it is made of; any number of threads may use them."""

    def __init__(self, settings: Settings, latest: Callable[[], Index], patience: float = BUSY_SECONDS) -> None:
        self._settings, self._latest, self._patience, self._writing = settings, latest, patience, Lock()
        self._events = Remembered[int, list[Event]](1)  # by generation: an index that is a key would stay open
        self._differences = Remembered[int, Differences](1)
        self._known = Remembered[int, dict[Event, Event]](1)
        self._comparing = Lock()

    def documents(self) -> Sequence[Document]:
        return self._latest().documents

    def document(self, name: str) -> Document | None:
        try:
            return self._latest().document(name)
        except KeyError:
            return None

    def events(self) -> Sequence[Event]:
        """What the documents date; read once for each state of the index."""
        with self._comparing:  # not twice at the same time
            index = self._latest()
            return self._events.get(index.generation, lambda _: timeline(index.sentences))

    def disputed(self, events: Sequence[Event]) -> Sequence[Event]:
        """The events with what tells the same with another time; one that is no longer there as it was."""
        with self._comparing:
            index = self._latest()
            known = self._known.get(index.generation, lambda _: {})
            for event in events:
                if event not in known:
                    with suppress(KeyError):
                        [known[event]] = disputed([event], index)
            return [known.get(event, event) for event in events]

    def search(self, question: str, k: int, where: Filter) -> Sequence[Hit]:
        """The passages for a question that stands alone; no model is asked. Raises like `understand`."""
        asked = understand(question, (), None)
        return self._latest().search(asked.standalone, k, where)

    def differences(self) -> Differences:
        """What the first `COMPARED` sentences and others tell differently; once for each state of the index."""
        with self._comparing:
            index = self._latest()
            return self._differences.get(index.generation, lambda _: _differences(index))

    def aside(self) -> list[Outcome]:
        return aside(self._settings)

    def put(self, name: str, data: bytes) -> bool:
        """Keep a file under `name`, whole or not at all; return whether it is new. Raises `LibraryError`."""
        self._own()
        return put(self._settings, name, data)

    def take(self, name: str) -> None:
        """Move a file out of the folder, from where it can be put back. Raises `LibraryError`."""
        self._own()
        take(self._settings, name)

    def put_back(self, name: str) -> None:
        """Bring back the file that was last taken out under `name`. Raises `LibraryError`."""
        self._own()
        put_back(self._settings, name)

    def index(self) -> Iterator[Progress | Report]:
        """Make the index equal to the folder; the last value is the report. Raises like `index.build`.

        One at a time; a writer in another process is waited for, for `patience` seconds.
        """
        self._own()
        with self._writing:
            until = time.monotonic() + self._patience
            while True:
                try:
                    yield from build(self._settings.documents, self._settings.home, self._latest().embedder)
                except IndexBusy:
                    if time.monotonic() > until:
                        raise
                    time.sleep(0.2)
                else:
                    return

    def _own(self) -> None:
        """Raise `LibraryError` where the folder is another machine's."""
        if self._settings.store:
            raise LibraryError(say("elsewhere"))


def aside(settings: Settings) -> list[Outcome]:
    """The files of the folder that are no documents: unreadable ones and copies. A store has none of them."""
    if settings.store:
        return []
    return [o for o in file_outcomes(settings.home) if o.outcome in ("quarantined", "duplicate")]


def put(settings: Settings, name: str, data: bytes) -> bool:
    """Keep a file in the folder, whole or not at all; return whether it is new. Raises `LibraryError`."""
    target = _inside(settings.documents, name)
    if not name.isprintable() or Path(name).name != name or name.startswith(".") or len(name.encode()) > 200:
        raise LibraryError(say("unfit", name=name))
    if target.exists():
        if target.is_file() and target.read_bytes() == data:
            return False
        raise _taken(target)
    settings.documents.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=settings.documents, prefix=".", delete=False) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).chmod(0o644)
    Path(file.name).rename(target)
    return True


def copy(settings: Settings, paths: Sequence[Path]) -> None:
    """Copy files and folders into the folder; nothing is copied if one of them can't be: `LibraryError`."""
    copies = [pair for path in paths for pair in _copies(path, settings.documents)]
    sources: dict[Path, Path] = {}
    for source, target in copies:
        other = sources.setdefault(target, source)
        if not filecmp.cmp(source, other, shallow=False):
            raise LibraryError(f"{source} and {other} have the same name. Rename one of them.")
        if target.exists() and not (target.is_file() and filecmp.cmp(source, target, shallow=False)):
            raise _taken(target)
    for target, source in sources.items():
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)


def take(settings: Settings, *names: str) -> list[tuple[str, Path]]:
    """Move files out of the folder; return the id of each and where it is now. Raises `LibraryError`."""
    files = dict.fromkeys(_inside(settings.documents, name) for name in names)
    for file in files:
        if not file.is_file():
            raise LibraryError(say("absent", name=file.name))
    taken = []
    for file in files:
        name = file.relative_to(settings.documents.resolve())
        target = settings.home / "removed" / str(next(_free(settings.home / "removed"))) / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(file, target)
        taken.append((name.as_posix(), target))
    return taken


def put_back(settings: Settings, name: str) -> None:
    """Bring back the file that was last taken out under `name`; raises `LibraryError` where none was."""
    target = _inside(settings.documents, name)
    inner = target.relative_to(settings.documents.resolve())
    kept = sorted((settings.home / "removed").glob("*/"), key=lambda each: (len(each.name), each.name))
    found = [each / inner for each in kept if (each / inner).is_file()]
    if not found:
        raise LibraryError(say("unremoved", name=name))
    if target.exists():
        raise LibraryError(say("present", name=name))
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(found[-1], target)


def _taken(target: Path) -> LibraryError:
    return LibraryError(say("taken", name=target.name))


def _copies(path: Path, folder: Path) -> list[tuple[Path, Path]]:
    path = Path(os.path.abspath(path))  # "..", too, has a name
    if path.is_file():
        return [(path, folder / path.name)]
    if path.is_dir():
        found = {file.relative_to(path): file for file in sorted(path.rglob("*")) if file.is_file()}
        shown = {name: file for name, file in found.items() if not any(p.startswith(".") for p in name.parts)}
        return [(file, folder / path.name / name) for name, file in shown.items()]
    raise LibraryError(f"There is no file or folder {path}.")


def _free(kept: Path) -> Iterator[int]:
    """Numbers that no folder of a removal has; each file is moved into one of its own."""
    last = max((int(each.name) for each in kept.glob("*") if each.name.isdecimal()), default=0)
    return count(last + 1)


def _inside(folder: Path, name: str) -> Path:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()) or path == folder.resolve():
        raise LibraryError(f"{name!r} is not in the documents folder.")
    return path


def _differences(index: Index) -> Differences:
    sentences = index.sentences
    found = differences(sentences[:COMPARED], index)
    return Differences(found, len(sentences), min(len(sentences), COMPARED))
