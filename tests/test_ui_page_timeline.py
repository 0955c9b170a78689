"""The timeline beside the conversation, most of it in a real browser."""

from dataclasses import replace

import pytest

from corpus import Published
from rag.timeline import timeline
from tests.browsing import PHONE, Opened, Served
from tests.scripted import COST_ZH, MAYOR_HAD_PROMISED, OPENED, Fixed, Scripted, document, sentence
from ui.texts import speaking
from ui.times import times_html


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
    page.locator("#times [data-by=language]").select_option("fr")
    page.locator("#times [role=status]", has_text="2 entries").wait_for()
    assert page.locator("#times li time").all_inner_texts() == ["2019", "3 May 2021"]
    assert page.locator("#times [data-by=language]").evaluate("one => document.activeElement === one")
    page.locator("#times [data-by=language]").select_option("")
    page.locator("#times [role=status]", has_text="3 entries").wait_for()
    page.locator("#times [data-by=document]").select_option("quay.txt")
    page.locator("#times [role=status]", has_text="1 entry").wait_for()
    assert page.locator("#times li bdi").all_inner_texts() == [COST_ZH.text, MAYOR_HAD_PROMISED.text]
    told, otherwise = page.locator("#times li button").all()
    told.click()
    page.locator("#cited").wait_for()
    assert page.locator("#cited").evaluate("mark => mark.textContent") == COST_ZH.text
    page.keyboard.press("Escape")
    page.locator("#times [data-by=document]").wait_for()
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


@pytest.mark.browser
@pytest.mark.parametrize("device", [{}, PHONE], ids=["desktop", "phone"])
def test_a_long_timeline_is_read_page_by_page(
    served: Served, browser_page: Opened, device: dict[str, object]
) -> None:
    many = document(
        "many.txt", *((f"It rang in {1900 + i // 3}, time {i}. ", "article", "en") for i in range(450))
    )
    spans = [sentence(many, f"It rang in {1900 + i // 3}, time {i}.") for i in range(450)]
    page = browser_page(served(Scripted(), Fixed((many,), timeline(spans))), **device)
    page.locator("[data-do=times]").click()
    how_many = page.locator("#times [role=status]")
    how_many.get_by_text("450 entries; shown: 1–200.").wait_for()
    assert page.locator("#times time").count() == 200
    assert page.locator("#times [data-first]").all_inner_texts() == ["Later"]
    page.locator("#times [data-first]").click()
    how_many.get_by_text("450 entries; shown: 201–400.").wait_for()
    assert page.locator("#times time").first.inner_text() == "1966"
    assert page.locator("#times .volumes").evaluate("list => list.scrollTop") == 0
    page.locator("#times [data-by=first]").select_option("2040")
    how_many.get_by_text("450 entries; shown: 401–450.").wait_for()
    last = page.locator("#times bdi", has_text="time 449.")
    (last.tap if device else last.click)()
    page.locator("#cited").wait_for()
    assert page.locator("#cited").inner_text() == "It rang in 2049, time 449."
    page.keyboard.press("Escape")
    page.locator("#times [data-first='200']").click()
    how_many.get_by_text("450 entries; shown: 201–400.").wait_for()


def test_an_inferred_year_is_said_and_drawn_as_uncertain() -> None:
    told = document(
        "told.txt", ("It closed on 3 March.", "article", "en"), published=Published("2024-03-10", "day")
    )
    html = times_html(Fixed((told,), timeline([sentence(told, told.text)])))
    assert "3 March 2024 (year not printed, inferred)" in html
    assert '<rect class="open"' in html
    with speaking("zh"):
        assert "系推断" in times_html(Fixed((told,), timeline([sentence(told, told.text)])))
