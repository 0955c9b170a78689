"""A backup is taken while others write and put back while others read; nothing that was there is lost."""

import io
import tarfile
import threading
from pathlib import Path

import pytest

from index import IndexBusy, indexed_folder
from index.generations import index_folder, writer_lock
from rag.opening import Library
from rag.settings import Settings
from tests.scripted import ANSWER, QUESTION
from tests.test_index_build import CountingEmbedder, content, run, story
from ui.archive import Archive
from ui.backup import BackupError, back_up, restore
from ui.conversation import Conversation

EXAMPLES = '[[example]]\nlanguage = "en"\nquestion = "Who?"\n'
TALK = Conversation().ask(QUESTION).show(1, ANSWER)


def settings_of(home: Path) -> Settings:
    return Settings(home, home / "documents", home / "models")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = settings_of(tmp_path / "home")
    (settings.documents / "deep").mkdir(parents=True)
    for seed, name in enumerate(["a.txt", "b.txt", "deep/c.txt"]):
        (settings.documents / name).write_text(story(seed))
    run(settings.documents, settings.home)
    Archive(settings.conversations).keep("", 0, TALK)
    (settings.home / "examples.toml").write_text(EXAMPLES)
    return settings


def test_a_home_comes_back_elsewhere_without_the_embedder(settings: Settings, tmp_path: Path) -> None:
    file, other = tmp_path / "kept.tar.gz", settings_of(tmp_path / "other")
    assert back_up(settings, file) == (3, file.stat().st_size)
    assert file.stat().st_mode & 0o777 == 0o600
    assert restore(other, file) is None
    assert content(other.home) == content(settings.home)
    assert [kept.title for kept in Archive(other.conversations).listed()] == [QUESTION]
    assert indexed_folder(other.home) is None
    embedder = CountingEmbedder()
    assert (other.home / "examples.toml").read_text() == EXAMPLES
    assert {o.outcome for o in run(other.documents, other.home, embedder).outcomes} == {"unchanged"}
    assert embedder.count == 0
    assert indexed_folder(other.home) == other.documents
    assert not list(other.home.glob("restoring-*"))


def test_who_reads_goes_over_to_what_was_put_back(settings: Settings, tmp_path: Path) -> None:
    file, before = tmp_path / "kept.tar.gz", content(settings.home)
    back_up(settings, file)
    (settings.documents / "a.txt").write_text(story(70))
    (settings.documents / "new.txt").write_text(story(71))
    library = Library(settings, CountingEmbedder())
    for _ in range(3):
        run(settings.documents, settings.home)
        (settings.documents / "b.txt").write_text(story(72))
    old, after = library.latest(), content(settings.home)
    aside = restore(settings, file)
    assert library.latest().generation > old.generation
    assert [d.id for d in library.latest().documents] == ["a.txt", "b.txt", "deep/c.txt"]
    assert content(settings.home) == before
    assert (settings.documents / "a.txt").read_text() == story(0)
    assert (settings.documents / "new.txt").exists()
    assert aside
    restore(settings, aside)
    assert content(settings.home) == after


def test_a_backup_while_somebody_writes_is_of_one_moment(settings: Settings, tmp_path: Path) -> None:
    stop = threading.Event()

    def write() -> None:
        for seed in range(100, 200):
            if stop.is_set():
                return
            (settings.documents / "a.txt").write_text(story(seed))
            run(settings.documents, settings.home)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for n in range(4):
            back_up(settings, tmp_path / f"{n}.tar.gz")
    finally:
        stop.set()
        writer.join()
    for n in range(4):
        other = settings_of(tmp_path / f"other{n}")
        restore(other, tmp_path / f"{n}.tar.gz")
        assert len(content(other.home)[0]) == 3


def test_what_is_no_backup_changes_nothing(settings: Settings, tmp_path: Path) -> None:
    file, before = tmp_path / "kept.tar.gz", content(settings.home)
    back_up(settings, file)
    whole = file.read_bytes()
    with pytest.raises(BackupError, match="is there already"):
        back_up(settings, file)
    for spoiled in (
        b"",
        b"words",
        whole[: len(whole) // 2],
        whole[:-200],
        _with(whole, "../out.txt"),
        _with(whole, "x"),
    ):
        file.write_bytes(spoiled)
        with pytest.raises(BackupError, match=r"is no backup of feud|Can't restore"):
            restore(settings, file)
    with pytest.raises(BackupError, match="No such file"):
        restore(settings, tmp_path / "none.tar.gz")
    file.write_bytes(whole)
    with writer_lock(settings.home), pytest.raises(IndexBusy):
        restore(settings, file)
    assert content(settings.home) == before
    assert not (tmp_path / "out.txt").exists()
    assert (index_folder(settings.home) / "catalogue.sqlite").exists()


def _with(backup: bytes, name: str) -> bytes:
    """The same backup with one more file in it."""
    made = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(backup)) as old, tarfile.open(fileobj=made, mode="w:gz") as new:
        for member in old.getmembers():
            new.addfile(member, old.extractfile(member))
        more = tarfile.TarInfo(name)
        more.size = 4
        new.addfile(more, io.BytesIO(b"evil"))
    return made.getvalue()
