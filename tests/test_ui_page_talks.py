"""Conversations that are kept, on the page, in a real browser."""

from pathlib import Path

import pytest

from tests.browsing import PHONE, Opened, Served, ask, eventually, finished
from tests.scripted import OPENED, Fixed, Scripted
from ui.archive import Archive


@pytest.mark.browser
@pytest.mark.parametrize("device", [{}, PHONE], ids=["desktop", "phone"])
def test_conversations_are_kept_found_renamed_shared_and_deleted(
    served: Served, browser_page: Opened, tmp_path: Path, device: dict[str, object]
) -> None:
    archive = Archive(tmp_path / "conversations.sqlite")
    address = served(Scripted(), Fixed(), archive=archive)
    page = browser_page(address, **device)
    ask(page, "When did the quay open?")
    finished(page)
    ask(page, "And why?")
    page.locator("#past article").wait_for()
    finished(page, 2)
    link = page.locator("#past a.link").get_attribute("href")
    assert link
    page.locator("[data-do=fresh]").click()
    page.locator(".intro").wait_for()
    ask(page, "谁建了码头？")
    finished(page)

    page.locator("[data-do=talks]").click()
    page.locator("#talks li").nth(1).wait_for()
    assert page.locator("#talks bdi").all_inner_texts() == ["谁建了码头？", "When did the quay open?"]
    page.locator("#talks [data-do=find]").fill("why QUAY")
    assert page.locator("#talks bdi:visible").all_inner_texts() == ["When did the quay open?"]
    page.locator("#talks .rename:visible").click()
    page.keyboard.type("The <b>quay</b>")
    page.keyboard.press("Enter")
    page.locator("#talks bdi", has_text="The <b>quay</b>").wait_for()
    page.locator("#talks .remove").first.click()
    page.locator("#talks .told", has_text="Removed: 谁建了码头？.").wait_for()
    assert len(archive.listed()) == 1
    page.locator(".intro").wait_for()  # it was the one that is open
    page.locator("#talks [data-restore]").click()
    page.locator("#talks li").nth(1).wait_for()
    page.locator("#talks .volume", has_text="The <b>quay</b>").click()
    page.locator("#past article").wait_for()
    assert page.locator(".question").all_inner_texts() == ["When did the quay open?", "And why?"]
    ask(page, "Go on?")  # what was taken up goes on
    page.locator("#past article").nth(1).wait_for()
    finished(page, 3)
    eventually(lambda: [len(kept.said) for kept in archive.listed()] == [9, 3])

    later = browser_page(f"{address}/{link}", **device)
    later.locator("#past article").nth(1).wait_for()
    later.locator("#past .statement .cite").first.click()
    later.locator("#cited").wait_for()
    assert later.locator("#cited").inner_text() == OPENED.text
    lost = browser_page(f"{address}/#talk=none&turn=1", **device)
    lost.locator("#line", has_text="not kept on this computer").wait_for()
