"""A generation that nobody uses any more holds nothing: no thread, no file, no mapping, no transaction."""

import gc
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from index import Filter, Index, build
from index.generations import catalogue_path
from rag.opening import Library
from rag.settings import Settings
from tests.fakes import HashEmbedder
from ui.folder import Folder


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """A home, while nothing but references keeps anything alive."""
    (tmp_path / "documents").mkdir()
    settings = Settings(tmp_path / "home", tmp_path / "documents", tmp_path / "models")
    publish(settings, 0)
    gc.collect()
    gc.disable()
    yield settings
    gc.enable()


def publish(settings: Settings, number: int) -> None:
    text = (
        f"The harbour\n\nShips waited in the harbour until 3 May {1990 + number}. It cost {number} dollars.\n"
    )
    (settings.documents / f"{number}.txt").write_text(text)
    *_, _ = build(settings.documents, settings.home, HashEmbedder())


def held(settings: Settings) -> tuple[int, int, int]:
    """How many threads there are, and how many files of the home are open and mapped."""
    files = [path.readlink() for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
    maps = [line for line in Path("/proc/self/maps").read_text().splitlines() if str(settings.home) in line]
    return threading.active_count(), sum(str(settings.home) in str(file) for file in files), len(maps)


def used(folder: Folder, library: Library) -> "weakref.ref[Index]":
    """Ask all that is remembered of a generation."""
    index = library.latest()
    where = Filter(languages=frozenset({"en"}))
    assert index.search("When did ships wait in the harbour?", where=where)
    assert index.passages
    assert len(folder.events()) == len(index.documents)
    assert folder.events() is folder.events()
    assert folder.differences() is folder.differences()
    assert len(folder.disputed(folder.events())) == len(folder.events())
    return weakref.ref(index)


def test_generations_come_and_go_and_nothing_stays(settings: Settings) -> None:
    library = Library(settings, HashEmbedder())
    folder = Folder(settings, library.latest)
    before, first = used(folder, library), held(settings)
    for number in range(1, 6):
        publish(settings, number)
        index = used(folder, library)
        assert before() is None
        end = time.monotonic() + 10
        while held(settings) != first and time.monotonic() < end:  # threads of the index before are ending
            time.sleep(0.05)
        assert held(settings) == first
        before = index
    publish(settings, 6)
    assert library.latest().generation == 7  # and nobody asks for the timeline again
    assert before() is None
    assert log(settings) == 0


def test_who_uses_a_generation_keeps_it(settings: Settings) -> None:
    library = Library(settings, HashEmbedder())
    folder = Folder(settings, library.latest)
    old = library.latest()
    publish(settings, 1)
    used(folder, library)
    publish(settings, 2)
    used(folder, library)
    assert [document.id for document in old.documents] == ["0.txt"]
    assert [hit.passage.document.id for hit in old.search("ships in the harbour")] == ["0.txt"]


def log(settings: Settings) -> int:
    """Frames of SQLite's log that a reader of an earlier state keeps from being taken up."""
    catalogue = apsw.Connection(str(catalogue_path(settings.home)))
    frames, taken = catalogue.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
    catalogue.close()
    return frames - taken
