"""What answers is put together before it is needed, and what is wrong with it shows when it is."""

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import apsw
import pytest

from index import IndexMismatch, Report, build
from index.generations import FORMAT, catalogue_path
from index.splitter import splitter
from rag.assistant import Assistant
from rag.errors import LLMError
from rag.llm import Message
from rag.opening import Library, open_llm
from rag.settings import Settings
from tests.fakes import HashEmbedder
from ui.health import Readiness, readiness


@pytest.mark.parametrize("begin", [False, True])
def test_a_missing_model_is_said_with_the_first_answer(tmp_path: Path, begin: bool) -> None:
    before = set(threading.enumerate())
    llm = open_llm(Settings.from_env({"FEUD_HOME": str(tmp_path), "FEUD_LLM_MODEL": "nowhere.gguf"}), begin)
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
    with pytest.raises(LLMError, match=r"^'nowhere\.gguf' is neither a file nor a known model"):
        list(llm.stream([Message("user", "Who?")], 5))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "a.txt").write_text("The harbour\n\nShips waited in the harbour for weeks.\n")
    *_, _ = build(tmp_path / "documents", tmp_path / "home", HashEmbedder())
    return Settings(tmp_path / "home", tmp_path / "documents", tmp_path / "models")


def publish(settings: Settings, name: str, **recipe: Any) -> None:
    """Add a document, as a feud would whose recipe has those fields."""
    (settings.documents / name).write_text(f"The pilots\n\nNobody knew why the pilots left {name}.\n")
    *_, _ = build(settings.documents, settings.home, HashEmbedder())
    catalogue = apsw.Connection(str(catalogue_path(settings.home)))
    last = "number = (SELECT max(number) FROM generations)"
    manifest = json.loads(next(catalogue.execute(f"SELECT manifest FROM generations WHERE {last}"))[0])
    manifest["recipe"] |= recipe
    text = json.dumps(manifest)
    digest = sha256(text.encode()).hexdigest()
    catalogue.execute(f"UPDATE generations SET manifest = ?, sha256 = ? WHERE {last}", (text, digest))
    catalogue.close()


def lacking(ready: Readiness) -> str:
    """What it lacks, asked in a thread of its own: that of a browser's tests has a loop already."""
    with ThreadPoolExecutor(1) as apart:
        return apart.submit(lambda: asyncio.run(ready.lacking())).result()


def test_what_is_held_answers_while_a_newer_generation_can_not_be_opened(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    library = Library(settings, HashEmbedder())
    assistant = Assistant(library.latest, None)
    ready = readiness(assistant)
    held = library.latest()
    publish(settings, "b.txt", splitter="of another feud")
    assert library.latest() is library.latest() is held
    assert [hit.passage.document.id for hit in held.search("Where did ships wait?")] == ["a.txt"]
    assert lacking(ready) == ""
    with pytest.raises(IndexMismatch):
        Library(settings, HashEmbedder(), lambda _: ()).latest()
    publish(settings, "c.txt", unheard_of=1)
    assert library.latest() is library.latest() is held
    assert caplog.messages == [
        "generation 1 goes on answering: The index was built with the splitter of another feud, but the "
        f"settings ask for {splitter()}. Make them agree with: feud index",
        "generation 1 goes on answering: The index was built with the format of another feud, but the settings "
        f"ask for {FORMAT}. Make them agree with: feud index",
    ]


def test_a_newer_generation_is_taken_once_it_can_be_opened(settings: Settings) -> None:
    library = Library(settings, HashEmbedder())
    publish(settings, "b.txt", splitter="of another feud")
    assert library.latest().generation == 1
    publish(settings, "c.txt")
    assert library.latest().generation == 3
    assert [document.id for document in library.latest().documents] == ["a.txt", "b.txt", "c.txt"]


def test_an_index_of_another_folder_is_told(
    settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Library(settings, HashEmbedder())
    assert caplog.messages == []
    other = replace(settings, documents=tmp_path / "others")
    Library(other, HashEmbedder())
    assert caplog.messages == [
        f"The index is of {settings.documents}; FEUD_DOCUMENTS is {other.documents}. "
        "Index that with: feud index"
    ]
    settings.documents.rename(other.documents)
    *_, report = build(other.documents, other.home, HashEmbedder())
    assert isinstance(report, Report)
    assert not report.published
    Library(other, HashEmbedder())
    assert len(caplog.messages) == 1


def test_a_home_may_be_moved(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    home = tmp_path / "home"
    (home / "documents").mkdir(parents=True)
    *_, _ = build(home / "documents", home, HashEmbedder())
    moved = home.rename(tmp_path / "moved")
    Library(Settings(moved, moved / "documents", tmp_path / "models"), HashEmbedder())
    assert caplog.messages == []


def test_it_is_not_ready_where_what_is_held_can_not_be_read(settings: Settings) -> None:
    library = Library(settings, HashEmbedder())
    ready = readiness(Assistant(library.latest, None))
    catalogue_path(settings.home).write_bytes(b"no database" * 10_000)
    assert lacking(ready) == "the index can't be read, or its store does not answer"
