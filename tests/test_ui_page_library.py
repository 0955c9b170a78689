"""The documents on the page, in a real browser: which are searched, and what other windows see."""

from pathlib import Path

import pytest

from index import filtered
from rag.settings import Settings
from rag.timeline import timeline
from tests.browsing import Opened, Served, ask, finished, no_index
from tests.scripted import DOCUMENTS, MAYOR_HAD_PROMISED, OPENED, Fixed, Scripted
from ui.folder import Folder


@pytest.mark.browser
def test_the_search_is_narrowed_and_says_so(served: Served, browser_page: Opened) -> None:
    scripted = Scripted()
    page = browser_page(served(scripted, Fixed()))
    page.click("#filter > button")
    page.get_by_label("From").fill("soon")
    ask(page)
    page.get_by_text("'soon' is no date. Write 2025, 2025-02 or 2025-02-12.").wait_for()
    assert scripted.asked == []
    page.get_by_label("From").fill("2025")
    page.get_by_label("Language", exact=True).click()
    page.get_by_role("option", name="French").click()
    page.keyboard.press("Escape")
    ask(page)
    finished(page)
    assert scripted.where == filtered(["fr"], since="2025")
    assert page.locator(".narrowed").inner_text() == "Searched only: French, 2025-01-01–"


@pytest.mark.browser
def test_another_window_shows_new_documents_and_their_timeline_without_a_reload(
    served: Served, browser_page: Opened, tmp_path: Path
) -> None:
    shelf = Fixed(DOCUMENTS[:1], events=timeline([OPENED]))
    folder = Folder(Settings(tmp_path, tmp_path, tmp_path, ""), no_index)
    page = browser_page(served(Scripted(), shelf, folder=folder), expected=["400 (Bad Request)"])
    other = page.context.new_page()
    other.goto(page.url)
    other.locator("[data-do=times]").click()
    other.locator("#times time").wait_for()
    shelf._documents, shelf._events = DOCUMENTS, timeline([OPENED, MAYOR_HAD_PROMISED])
    page.locator("#shelf .remove").click()  # it is not there, and the list is told anew
    page.locator("#shelf .volume").nth(2).wait_for()
    other.locator("#top b", has_text="3").wait_for()
    other.locator("#times time").nth(1).wait_for()
