"""What an answer cites, in a real browser: the words where they stand, their translation, nothing as markup."""

from dataclasses import replace

import pytest

from rag import Answer, Citation, Question, Statement
from tests.browsing import IN_VIEW, PHONE, Opened, Served, ask, finished
from tests.scripted import ANSWER, COST, COST_ZH, MAYOR, OPENED, QUESTION, Fixed, Scripted, document, sentence


@pytest.mark.browser
def test_a_mark_opens_the_source_at_the_cited_words_and_escape_returns(
    served: Served, browser_page: Opened
) -> None:
    padded = document(
        "long.txt", ("Ein Satz davor. " * 2_000, "article", "de"), ("Das Ende, endlich.", "article", "de")
    )
    last = sentence(padded, "Das Ende, endlich.")
    answer = replace(ANSWER, citations=(*ANSWER.citations[:2], Citation(3, (last,))))
    page = browser_page(served(Scripted(answer), Fixed()))
    ask(page)
    finished(page)
    first, _, third = page.locator(".statement .cite").all()
    first.click()
    page.locator("#cited").wait_for()
    assert page.locator("#cited").evaluate("mark => mark.textContent") == OPENED.text
    assert page.locator("mark.other").all_inner_texts() == [COST.text]
    assert page.locator("#source").get_by_text("Le Télégramme du port · 4 May 2021 · French").is_visible()
    assert page.locator("#cited").evaluate("mark => document.activeElement === mark")
    page.keyboard.press("Escape")
    assert first.evaluate("mark => document.activeElement === mark")
    assert not page.locator("#cited").is_visible()
    first.press("Enter")
    page.locator("#cited").wait_for()
    third.click()
    page.get_by_role("heading", name="long.txt").wait_for()
    assert page.locator("#cited").inner_text() == last.text
    assert page.locator("#cited").evaluate(IN_VIEW)


@pytest.mark.browser
def test_what_was_cited_is_shown_with_every_character(served: Served, browser_page: Opened) -> None:
    answer = replace(ANSWER, citations=(*ANSWER.citations[:2], Citation(3, (MAYOR,))))
    page = browser_page(served(Scripted(answer), Fixed()))
    ask(page)
    finished(page)
    page.locator(".statement .cite").last.click()
    page.locator("#cited").wait_for()
    assert page.locator("#cited").evaluate("mark => mark.textContent") == MAYOR.text
    assert page.locator(".document").evaluate("text => text.textContent") == MAYOR.document.text
    assert page.locator(".document b").count() == 0


@pytest.mark.browser
def test_what_is_cited_is_translated_where_its_reader_asks_for_it(served: Served, browser_page: Opened) -> None:
    page = browser_page(served(Scripted(), Fixed()))
    ask(page)
    finished(page)
    ask(page, "And where?")
    finished(page, 2)
    assert page.locator(".translate").count() == 6
    page.locator("#past .translate").nth(1).click()
    page.locator("#past .told q").wait_for()
    assert page.locator(".told").all_inner_texts() == ["machine translation:\n2 in en"]
    assert page.locator(".told q").get_attribute("lang") == "en"
    assert page.locator(".translate").count() == 5


@pytest.mark.browser
def test_who_lingers_on_a_mark_reads_its_words_in_their_own_language(
    served: Served, browser_page: Opened
) -> None:
    page = browser_page(served(Scripted(), Fixed()))
    ask(page)
    finished(page)
    page.locator(".statement .cite").nth(1).hover()
    page.locator("#peek p", has_text="2 in en").wait_for()
    assert page.locator(".sources .told q").inner_text() == "2 in en"  # and it stays there
    page.mouse.move(0, 0)
    page.locator("#peek").wait_for(state="hidden")
    page.locator(".statement .cite").nth(2).hover()  # passed over, nothing is translated
    page.locator("#peek q", has_text=COST_ZH.text).wait_for()
    assert page.locator("#peek p").inner_text() == ""
    page.mouse.move(0, 0)
    assert page.locator(".translate").count() == 2


@pytest.mark.browser
def test_hostile_text_is_shown_and_never_becomes_an_element(served: Served, browser_page: Opened) -> None:
    hostile = "<img src=x onerror=alert(1)><script>alert(2)</script> {{x}} ${alert(3)} **b** \ud800"
    readable = hostile.replace("\ud800", "\ufffd")
    source = document(
        "evil.txt",
        (hostile, "article", "en"),
        title=hostile,
        publisher=hostile,
        url="javascript:alert(1)",
    )
    cited = sentence(source, hostile)
    answer = Answer(
        Question(hostile, "en", hostile),
        "answered",
        (Statement(hostile, (1,), "verified"),),
        citations=(Citation(1, (cited,)),),
        hits=(
            replace(
                ANSWER.hits[0], passage=replace(ANSWER.hits[0].passage, document=source, sentences=(cited,))
            ),
        ),
    )
    page = browser_page(served(Scripted(answer), Fixed((source,))))
    page.evaluate("window.ran = 0; window.alert = () => { window.ran += 1; }; 0")
    ask(page, readable)
    finished(page)
    page.locator(".statement .cite").click()
    page.locator("#cited").wait_for()
    assert page.locator(".words").inner_text() == readable
    assert page.locator("h2.question").inner_text() == readable
    assert page.locator("#cited").evaluate("mark => mark.textContent") == readable
    page.mouse.move(0, 0)
    page.locator(".statement .cite").hover()
    page.locator("#peek[data-on]").wait_for()
    assert page.locator("#peek q").inner_text() == readable
    assert page.locator("#feud img, #feud script, #feud a, #peek img").count() == 0
    assert page.evaluate("window.ran") == 0


@pytest.mark.browser
def test_on_a_phone_the_source_is_a_sheet_over_the_conversation(served: Served, browser_page: Opened) -> None:
    page = browser_page(served(Scripted(), Fixed()), **PHONE)
    assert not page.locator("#side").is_visible()
    page.fill("#question textarea", QUESTION)
    page.locator("#send").tap()
    finished(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.locator(".statement .cite").first.tap()
    page.locator("#cited").wait_for()
    sheet = page.locator("#side").bounding_box()
    assert sheet is not None
    assert (sheet["x"], sheet["width"]) == (0, 390)
    assert page.locator("#cited").evaluate(IN_VIEW)
    page.locator("#source .close").tap()
    assert not page.locator("#side").is_visible()
    page.get_by_role("button", name="Documents").tap()
    page.locator(".volume").nth(1).tap()
    page.get_by_text("码头于2021年5月开放").last.wait_for()


@pytest.mark.browser
def test_an_arabic_answer_is_set_from_the_right_in_an_english_interface(
    served: Served, browser_page: Opened
) -> None:
    asked = Question(QUESTION, "ar", QUESTION)
    said = Statement("افتتح الرصيف في 3 مايو 2021.", (1,), "verified")
    answer = replace(ANSWER, question=asked, statements=(said, ANSWER.statements[1]))
    page = browser_page(served(Scripted(answer), Fixed()))
    ask(page)
    finished(page)
    for part in (".disagreement h3", ".sources h3", ".reference b", ".statement .words"):
        right, left = page.locator(part).first.evaluate(TO_THE_EDGES)
        assert right < left, part
    assert page.locator("html").get_attribute("dir") != "rtl"
    assert page.locator(".passages").get_attribute("dir") == "rtl"


# How far the text of an element is from the right and from the left edge of its answer.
TO_THE_EDGES = """element => {
    const text = document.createRange();
    text.selectNodeContents(element);
    const [inner, outer] = [text, element.closest(".exchange")].map(each => each.getBoundingClientRect());
    return [outer.right - inner.right, inner.left - outer.left];
}"""
