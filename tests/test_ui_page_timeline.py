"""The timeline on the page, in a real browser."""

from dataclasses import replace

import pytest

from rag.timeline import timeline
from tests.browsing import PHONE, Opened, Served
from tests.scripted import COST_ZH, MAYOR_HAD_PROMISED, OPENED, Fixed, Scripted


@pytest.mark.browser
@pytest.mark.parametrize("device", [{}, PHONE], ids=["desktop", "phone"])
def test_the_timeline_shows_what_documents_date_and_opens_it_there(
    served: Served, browser_page: Opened, device: dict[str, object]
) -> None:
    dated = [OPENED, MAYOR_HAD_PROMISED, COST_ZH]
    promised, opened, day = timeline(dated)
    opened = replace(opened, otherwise=(MAYOR_HAD_PROMISED,))
    page = browser_page(served(Scripted(), Fixed(events=(promised, opened, day))), **device)
    page.locator("[data-do=times]").click()
    page.locator("#times li").nth(2).wait_for()
    assert page.locator("#times time").all_inner_texts() == ["2019", "May 2021", "3 May 2021"]
    bars = page.locator("#times rect").evaluate_all("bars => bars.map(bar => bar.getBBox().width)")
    assert bars[0] > 10 * bars[1] > 50 * bars[2]  # a year, a month, a day
    page.locator("#times [data-by=lang]").select_option("fr")
    assert page.locator("#times li:visible time").all_inner_texts() == ["2019", "3 May 2021"]
    page.locator("#times [data-by=lang]").select_option("")
    page.locator("#times [data-by=of]").select_option("quay.txt")
    assert page.locator("#times li:visible bdi").all_inner_texts() == [COST_ZH.text, MAYOR_HAD_PROMISED.text]
    told, otherwise = page.locator("#times li:visible button").all()
    told.click()
    page.locator("#cited").wait_for()
    assert page.locator("#cited").evaluate("mark => mark.textContent") == COST_ZH.text
    page.keyboard.press("Escape")
    page.locator("#times [data-by=of]").wait_for()
    assert told.evaluate("button => document.activeElement === button")
    otherwise.click()
    page.locator("#cited").wait_for()
    assert page.locator("#cited").evaluate("mark => mark.textContent") == MAYOR_HAD_PROMISED.text
    page.keyboard.press("Escape")
    told.click()  # what was open before opens again
    page.locator("#cited").wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.locator("#times").wait_for(state="hidden")
