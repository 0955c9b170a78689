"""Documents added on the page and taken out there: the folder follows, then the index, then what is shown."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest

from corpus.read import MAX_BYTES
from index import IndexBusy, build
from index.generations import writer_lock
from rag.assistant import Assistant
from rag.opening import Library
from rag.settings import Settings
from tests.browsing import PHONE
from tests.scripted import Fixed, Scripted
from tests.scripted_llm import CloseEmbedder
from ui.archive import Archive
from ui.conversation import Session
from ui.folder import Folder, LibraryError
from ui.talk import Talk

if TYPE_CHECKING:
    from playwright.sync_api import Page

Served = Callable[..., str]
Opened = Callable[..., "Page"]
LAMP = "The lamp of the tower\n\nThe lamp burned whale oil. A storm broke the glass in March 1871."


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    home = Settings(tmp_path, tmp_path / "documents", tmp_path / "models", "http://127.0.0.1:9/v1#none")
    home.documents.mkdir()
    (home.documents / "ferry.txt").write_text("The ferry\n\nThe ferry leaves at six. It holds forty people.")
    assert list(build(home.documents, home.home, CloseEmbedder()))
    return home


@pytest.fixture
def library(settings: Settings) -> Library:
    return Library(settings, CloseEmbedder())


@pytest.fixture
def folder(settings: Settings, library: Library) -> Folder:
    return Folder(settings, library.latest)


def held(settings: Settings) -> list[str]:
    return sorted(file.name for file in settings.documents.iterdir())


def send(
    address: str, method: str, path: str, body: bytes = b"", language: str = "en", **headers: str
) -> tuple[int, str]:
    asked = Request(address + path, body, {"X-Feud": language, **headers}, method=method)
    try:
        with urlopen(asked, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


def words(lines: str) -> str:
    said: list[dict[str, Any]] = [json.loads(line) for line in lines.splitlines()]
    assert [line["over"] for line in said] == [False] * (len(said) - 1) + [True]
    return str(said[-1]["words"])


def test_a_file_is_added_taken_out_and_brought_back(served: Served, settings: Settings, folder: Folder) -> None:
    address = served(Scripted(), folder, folder=folder)
    name = "die lampe & 灯.txt"
    assert send(address, "PUT", f"/documents/{quote(name)}", LAMP.encode()) == (201, "")
    index = "/index", name.encode()
    assert words(send(address, "POST", *index)[1]) == f"Added: {name}."
    assert send(address, "PUT", f"/documents/{quote(name)}", LAMP.encode()) == (204, "")  # it was there
    assert words(send(address, "POST", *index)[1]) == "Nothing has changed."
    assert [event.value for event in folder.events()] == ["1871-03"]
    assert send(address, "DELETE", f"/documents/{quote(name)}")[0] == 204
    assert words(send(address, "POST", *index, language="de")[1]) == f"Entfernt: {name}."
    assert [document.id for document in folder.documents()] == ["ferry.txt"]
    assert folder.document(name) is None
    assert list(folder.events()) == []
    assert send(address, "POST", f"/documents/{quote(name)}")[0] == 204
    assert words(send(address, "POST", *index)[1]) == f"Added: {name}."
    assert held(settings) == [name, "ferry.txt"]
    assert (settings.documents / name).read_text("utf-8") == LAMP


def test_what_can_not_be_a_document_is_said_and_shown(served: Served, folder: Folder) -> None:
    address = served(Scripted(), folder, folder=folder)
    assert send(address, "PUT", "/documents/blob.txt", b"\x00\x01\xff" * 50)[0] == 201
    ferry = next(iter(folder.documents())).text.encode()
    assert send(address, "PUT", "/documents/twin.txt", ferry)[0] == 201
    said = words(send(address, "POST", "/index", b"blob.txt\ntwin.txt")[1])
    assert "twin.txt: has the same content as ferry.txt" in said
    assert "blob.txt has an encoding that can't be told" in said
    assert [outcome.id for outcome in folder.aside()] == ["blob.txt", "twin.txt"]


@pytest.mark.parametrize("name", ["../out.txt", "a/b.txt", ".hidden", "x" * 210 + ".txt", "a\x1b[2J.txt", ""])
def test_a_name_that_leads_elsewhere_is_refused(settings: Settings, folder: Folder, name: str) -> None:
    with pytest.raises(LibraryError):
        folder.put(name, b"words")
    assert held(settings) == ["ferry.txt"]


def test_nothing_is_overwritten(served: Served, settings: Settings, folder: Folder) -> None:
    address = served(Scripted(), folder, folder=folder)
    status, line = send(address, "PUT", "/documents/ferry.txt", b"other words")
    assert (status, line) == (400, "ferry.txt is in the documents folder with other content. Remove it first.")
    status, line = send(address, "PUT", "/documents/ferry.txt", b"other words", language="de")
    assert line == "ferry.txt liegt mit anderem Inhalt im Ordner der Dokumente. Entfernen Sie es zuerst."
    assert send(address, "POST", "/documents/ferry.txt")[0] == 400  # nothing was removed
    assert send(address, "DELETE", "/documents/none.txt")[0] == 400
    assert "forty" in (settings.documents / "ferry.txt").read_text()
    assert send(address, "PUT", "/documents/big.txt", b"x" * (MAX_BYTES + 1)) == (
        413,
        "big.txt: larger than 20 MB; split it",
    )
    assert held(settings) == ["ferry.txt"]


def test_another_sites_page_can_change_nothing(served: Served, settings: Settings, folder: Folder) -> None:
    address = served(Scripted(), folder, folder=folder)
    for method, path in (("PUT", "/documents/a.txt"), ("DELETE", "/documents/ferry.txt"), ("POST", "/index")):
        assert send(address, method, path, b"words", language="")[0] == 403
        assert send(address, method, path, b"words", Host="evil.example")[0] == 421
        for origin in ("https://evil.example", "http://localhost:3000", "http://127.0.0.1", "null"):
            assert send(address, method, path, b"words", Origin=origin)[0] == 403
            assert send(address, "OPTIONS", path, Origin=origin)[0] == 403
    assert held(settings) == ["ferry.txt"]
    assert send(address, "PUT", "/documents/a.txt", b"words", Origin=address)[0] == 201


@pytest.mark.parametrize("hosts", [("127.0.0.1",), ()], ids=["this computer", "every computer"])
def test_only_this_computer_changes_documents_and_keeps_conversations(
    served: Served, folder: Folder, tmp_path: Path, hosts: tuple[str, ...]
) -> None:
    archive = Archive(tmp_path / "conversations.sqlite")
    address = served(Scripted(), folder, folder=folder, archive=archive, hosts=hosts)
    assert (send(address, "PUT", "/documents/a.txt", b"words")[0] == 201) == bool(hosts)
    page = send(address, "GET", "/")[1]
    assert ('data-do=\\"talks' in page) == bool(hosts)
    assert ('class=\\"adding' in page) == bool(hosts)


def test_what_was_removed_comes_back_as_itself(settings: Settings, folder: Folder) -> None:
    for name in ("report.txt", "report-2.txt"):
        folder.put(name, name.encode())
    for name in ("report-2.txt", "report.txt"):
        folder.take(name)
    folder.put("report.txt", b"newer")
    folder.take("report.txt")
    folder.put_back("report.txt")
    assert (settings.documents / "report.txt").read_bytes() == b"newer"
    with pytest.raises(LibraryError, match="in the documents folder already"):
        folder.put_back("report.txt")
    folder.put_back("report-2.txt")
    assert (settings.documents / "report-2.txt").read_bytes() == b"report-2.txt"
    with pytest.raises(LibraryError, match="no removed document"):
        folder.put_back("report-2.txt")


def test_a_filter_keeps_what_is_still_there(folder: Folder) -> None:
    talk = Talk(Scripted(), folder, changing=True)
    languages, publishers, since, _ = talk.shelved(Session(), ["en", "xx"], ["Nobody"], "2021", "")[3:]
    assert (languages["value"], publishers["value"]) == (["en"], [])
    assert "value" not in since


def test_another_writer_is_waited_for(settings: Settings, library: Library) -> None:
    folder = Folder(settings, library.latest, patience=0.3)
    with writer_lock(settings.home), pytest.raises(IndexBusy):
        list(folder.index())
    assert list(folder.index())


@pytest.mark.browser
@pytest.mark.parametrize("device", [{}, PHONE], ids=["desktop", "phone"])
def test_a_reader_adds_an_article_asks_about_it_and_takes_it_back(
    served: Served,
    browser_page: Opened,
    folder: Folder,
    library: Library,
    settings: Settings,
    device: dict[str, object],
) -> None:
    page = browser_page(served(Assistant(library.latest, None), folder, folder=folder), **device)
    if device:
        page.locator("[data-do=shelf]").click()
    page.locator("#shelf .remove").wait_for()
    page.locator("#shelf input[type=file]").set_input_files(
        {"name": "lamp.txt", "mimeType": "text/plain", "buffer": LAMP.encode()}
    )
    page.locator("#shelf .told", has_text="Added: lamp.txt.").wait_for()
    page.locator("#shelf [data-document='lamp.txt']").wait_for()
    assert page.locator("[data-do=shelf] b").inner_text() == "2"
    page.locator("[data-do=paste]").click()
    page.locator(".pasting textarea").fill("The gas works\n\nGas came to the harbour in 1902.")
    page.locator(".pasting [type=submit]").click()
    page.locator("#shelf [data-document='The gas works.txt']").wait_for()
    page.locator("#shelf .told [data-undo]").click()
    page.locator("#shelf .told", has_text="Removed: The gas works.txt.").wait_for()
    assert held(settings) == ["ferry.txt", "lamp.txt"]
    page.keyboard.press("Escape")
    page.fill("#question textarea", "What did the lamp burn, whale oil?")
    page.press("#question textarea", "Enter")
    page.locator("article[data-state=done]").wait_for()
    assert "whale oil" in page.locator(".said").inner_text()
    if device:
        page.locator("[data-do=shelf]").click()
    page.locator("[data-remove='lamp.txt']").click()
    page.locator("#shelf .told", has_text="Removed: lamp.txt.").wait_for()
    page.locator("#shelf [data-document='lamp.txt']").wait_for(state="detached")
    page.keyboard.press("Escape")
    page.locator(".statement .cite").first.click()  # what was cited can still be read
    page.locator("#cited").wait_for()
    assert "whale oil" in page.locator("#cited").inner_text()


@pytest.mark.browser
def test_a_file_can_be_dropped_anywhere(served: Served, browser_page: Opened, folder: Folder) -> None:
    page = browser_page(served(Scripted(), folder, folder=folder))
    page.locator("#shelf .remove").wait_for()
    page.evaluate(
        """words => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([words], "lamp.txt"));
            for (const kind of ["dragover", "drop"])
                document.querySelector("#transcript").dispatchEvent(
                    new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }));
        }""",
        LAMP,
    )
    page.locator("#shelf [data-document='lamp.txt']").wait_for()
    assert page.locator("[data-drag]").count() == 0


@pytest.mark.browser
def test_a_page_for_others_changes_nothing(served: Served, browser_page: Opened) -> None:
    page = browser_page(served(Scripted(), Fixed()))
    page.locator("#shelf .volume").first.wait_for()
    assert page.locator(".adding, .remove, .pasting").count() == 0
