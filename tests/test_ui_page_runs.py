"""The measured runs on the page, in a real browser."""

import pytest

from tests.browsing import Opened, Served, ask, eventually, finished
from tests.scripted import OPENED, Fixed, Scripted, ScriptedBench


@pytest.mark.browser
def test_runs_are_shown_their_failures_lead_into_the_documents_and_a_short_one_is_made(
    served: Served, browser_page: Opened
) -> None:
    bench = ScriptedBench()
    page = browser_page(served(Scripted(), Fixed(), bench=bench))
    page.locator("[data-do=quality]").click()
    quality = page.locator("#quality")
    quality.locator("[data-run]").wait_for()
    assert quality.locator(".heat").inner_text().split() == ["67", "3"]
    assert quality.locator(".plot").count() == 2
    quality.get_by_text("En <b>wanneer</b>?").click()
    quality.locator("details [data-document]").click()
    page.locator("#cited").wait_for()
    assert page.locator("#cited").inner_text() == OPENED.text
    page.keyboard.press("Escape")
    quality.locator("[data-do=measure]").click()
    quality.get_by_text("1 of 2 known questions answered…").wait_for()
    ask(page)  # meanwhile questions are answered
    finished(page)
    bench.gate.set()
    quality.locator("[data-run]").nth(1).wait_for()
    assert quality.locator("[data-run][aria-current]").inner_text().startswith("05/05/2021")
    quality.locator("[data-run]").nth(1).click()
    quality.locator("h2", has_text="04/05/2021").wait_for()


@pytest.mark.browser
def test_a_short_run_can_be_stopped(served: Served, browser_page: Opened) -> None:
    bench = ScriptedBench()
    page = browser_page(served(Scripted(), Fixed(), bench=bench))
    page.locator("[data-do=quality]").click()
    page.locator("[data-do=measure]").dblclick()  # its second click is not meant for the button to stop
    page.get_by_text("1 of 2 known questions answered…").wait_for()
    page.locator("[data-do=halt]").click()
    page.locator("[data-do=measure]").wait_for()
    bench.gate.set()
    eventually(lambda: bench.over)
    assert page.locator("[data-do=halt]").count() == 0
    assert page.locator("[data-run]").count() == 1
