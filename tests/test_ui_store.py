"""A machine that has no documents and no index answers from the store, as a reader runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from index import store_named
from rag.opening import Library
from rag.settings import Settings
from tests.milvus_servers import NO_SERVERS, SERVERS, emulator, forget
from tests.scripted_llm import CloseEmbedder, ScriptedServer
from tests.test_index_stores import publish
from tests.test_ui_cli import ASKED, FERRY, SOLD
from ui.folder import Folder, LibraryError


def run(home: Path, store: str, endpoint: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("FEUD_")}
    environ |= {"FEUD_HOME": str(home), "FEUD_EMBEDDER": f"{endpoint}#close", "FEUD_STORE": store}
    command = [sys.executable, "-c", "from ui.cli import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environ, timeout=120)


def test_a_machine_without_documents_answers_from_the_store(tmp_path: Path) -> None:
    if not (SERVERS / "bin" / "milvus-lite").exists():
        pytest.skip(NO_SERVERS)
    writer, reader = tmp_path / "writer", tmp_path / "reader"
    (writer / "documents").mkdir(parents=True)
    (writer / "documents" / "ferry.txt").write_text(FERRY)
    (tmp_path / "server").mkdir()
    with ScriptedServer() as endpoint:
        with emulator(tmp_path / "server") as (store, _):
            indexed = run(writer, store, endpoint.base_url, "index")
            assert indexed.returncode == 0, indexed.stderr
            assert "answers with generation 1." in indexed.stdout
            asked = run(reader, store, endpoint.base_url, "ask", "--extractive", "--json", ASKED)
            assert asked.returncode == 0, asked.stderr
            [cited, *_] = json.loads(asked.stdout)["citations"]
            assert (cited["quote"], FERRY[cited["start"] : cited["end"]]) == (SOLD, SOLD)
            assert not reader.exists() or not any(reader.rglob("catalogue.sqlite"))
        gone = run(reader, store, endpoint.base_url, "ask", "--extractive", ASKED)
        assert (gone.returncode, gone.stdout) == (3, "")
        [line] = gone.stderr.splitlines()
        assert line.startswith("error: The store 127.0.0.1:")


def test_documents_are_not_changed_where_a_reader_is(milvus: str, tmp_path: Path) -> None:
    """Else the reader's own empty folder would become what everybody answers from."""
    forget(milvus)
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "ferry.txt").write_text(FERRY)
    publish(tmp_path / "documents", store_named(milvus, tmp_path / "home"), embedder=CloseEmbedder())
    settings = Settings(tmp_path / "reader", tmp_path / "reader", tmp_path, store=milvus)
    folder = Folder(settings, Library(settings, CloseEmbedder()).latest)
    assert [document.id for document in folder.documents()] == ["ferry.txt"]
    with pytest.raises(LibraryError, match="another computer"):
        folder.put("a.txt", b"words")
    with pytest.raises(LibraryError, match="another computer"):
        folder.take("ferry.txt")
    with pytest.raises(LibraryError, match="another computer"):
        list(folder.index())
    assert folder.aside() == []
    assert [document.id for document in folder.documents()] == ["ferry.txt"]
