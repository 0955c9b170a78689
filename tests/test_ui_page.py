"""The page in a real browser, in front of a scripted assistant."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe

from corpus import FeudError
from index import Index, filtered
from rag import Answer, Citation, Question, Statement
from rag.settings import Settings
from rag.timeline import timeline
from tests.scripted import (
    ANSWER,
    COST,
    COST_ZH,
    DOCUMENTS,
    HARBOUR,
    MAYOR,
    OPENED,
    QUESTION,
    Fixed,
    Scripted,
    ScriptedBench,
    document,
    sentence,
)
from ui.archive import Archive
from ui.folder import Folder

if TYPE_CHECKING:
    from playwright.sync_api import Page

Served = Callable[..., str]
Opened = Callable[..., "Page"]
MAYOR_HAD_PROMISED = sentence(HARBOUR, "La mairie avait promis une ouverture en 2019.")
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


def ask(page: "Page", question: str = QUESTION) -> None:
    page.fill("#question textarea", question)
    page.press("#question textarea", "Enter")


def no_index() -> Index:
    raise AssertionError("nothing is indexed here")


def finished(page: "Page", turns: int = 1) -> None:
    page.locator("article[data-state=done]").nth(turns - 1).wait_for()


def eventually(holds: Callable[[], bool]) -> None:
    """Wait for what a server does after the page has shown the answer."""
    until = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.browser
def test_passages_are_on_screen_before_the_first_word_and_statements_come_one_by_one(
    served: Served, browser_page: Opened
) -> None:
    gates = {step: threading.Event() for step in ("evidence", "words", "end")}
    page = browser_page(served(Scripted(gates=gates), Fixed()))
    ask(page)
    page.get_by_text("searching 3 documents…").wait_for()
    gates["evidence"].set()
    page.get_by_text("reading 3 passages…").wait_for()
    assert page.locator("details[open] .passage").count() == 3
    assert page.locator(".passage q").nth(1).inner_text() == ANSWER.hits[1].passage.text
    assert page.locator(".statement, .draft").count() == 0
    gates["words"].set()
    page.locator(".statement").nth(1).wait_for()
    assert page.locator("article").get_attribute("data-state") == "running"
    gates["end"].set()
    finished(page)
    assert page.locator(".words").all_inner_texts() == [s.text for s in ANSWER.statements]
    assert page.locator(".version").count() == 2
    assert page.locator("details[open]").count() == 0
    assert page.locator(".draft").count() == 0


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


IN_VIEW = """mark => {
    const [inner, outer] = [mark.getBoundingClientRect(), mark.closest(".document").getBoundingClientRect()];
    return inner.top >= outer.top && inner.bottom <= Math.min(outer.bottom, window.innerHeight);
}"""


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
def test_stop_ends_the_run_and_says_so(served: Served, browser_page: Opened) -> None:
    scripted = Scripted(pause=0.3)
    page = browser_page(served(scripted, Fixed()))
    assert not page.locator("#stop").is_visible()
    ask(page)
    page.locator(".draft").wait_for()
    assert not page.locator("#send").is_visible()
    page.click("#stop")
    page.get_by_text("Stopped, not finished.").wait_for(timeout=5_000)
    assert page.locator(".draft").count() == 0
    deadline = time.monotonic() + 5
    while not scripted.closed and time.monotonic() < deadline:
        time.sleep(0.05)
    assert scripted.closed == 1
    scripted.pause = 0
    ask(page, "Once more?")
    finished(page)
    assert page.locator("article").count() == 2
    assert scripted.asked[1] == ("Once more?", ())


@pytest.mark.browser
def test_stop_is_told_at_once_even_while_the_assistant_is_silent(served: Served, browser_page: Opened) -> None:
    gate = threading.Event()
    scripted = Scripted(gates={"words": gate})
    page = browser_page(served(scripted, Fixed()))
    ask(page)
    page.locator(".passage").first.wait_for()
    began = time.monotonic()
    page.click("#stop")
    page.get_by_text("Stopped, not finished.").wait_for(timeout=5_000)
    assert time.monotonic() - began < 2
    assert page.locator("#send").is_visible()
    gate.set()
    ask(page, "Once more?")
    finished(page)


@pytest.mark.browser
def test_beyond_the_queue_a_reader_is_told_so_and_a_closed_tab_frees_its_place(
    served: Served, browser_page: Opened
) -> None:
    gate = threading.Event()
    scripted = Scripted(gates={"words": gate}, pause=0.2)
    address = served(scripted, Fixed(), at_once=1, waiting=1)
    # A browser logs each refusal of the server by itself.
    first, second, third = (browser_page(address, expected=["503 (Service Unavailable)"]) for _ in range(3))
    ask(first)
    first.locator(".passage").first.wait_for()
    ask(second)
    second.get_by_text("waiting for a free place…").wait_for()
    for turn in range(2):
        ask(third)
        third.get_by_text("No answer came: too many questions are waiting.").nth(turn).wait_for()
    first.close()
    gate.set()
    finished(second)
    assert scripted.closed == 1
    ask(third)
    finished(third)


@pytest.mark.browser
def test_a_question_stopped_while_it_waits_is_never_asked(served: Served, browser_page: Opened) -> None:
    gate = threading.Event()
    scripted = Scripted(gates={"words": gate})
    address = served(scripted, Fixed())
    first, second = browser_page(address), browser_page(address)
    ask(first)
    first.locator(".passage").first.wait_for()
    ask(second, "Never mind?")
    second.get_by_text("waiting for a free place…").wait_for()
    second.click("#stop")
    second.get_by_text("Stopped, not finished.").wait_for()
    ask(second, "But this?")
    gate.set()
    finished(second)
    assert [question for question, _ in scripted.asked] == [QUESTION, "But this?"]


@pytest.mark.browser
def test_a_conversation_goes_on_and_starts_anew(served: Served, browser_page: Opened) -> None:
    scripted = Scripted()
    page = browser_page(served(scripted, Fixed()))
    ask(page)
    finished(page)
    ask(page, "And then?")
    finished(page, 2)
    assert scripted.asked == [(QUESTION, ()), ("And then?", (ANSWER.turn,))]
    assert page.locator("h2.question").all_inner_texts() == [QUESTION, "And then?"]
    page.locator(".statement .cite").first.click()
    page.locator("#cited").wait_for()
    page.get_by_role("button", name="New conversation").click()
    page.locator(".chip").first.wait_for()
    assert page.locator("article").count() == 0
    assert not page.locator("#cited").is_visible()
    page.locator(".chip").nth(1).click()
    finished(page)
    assert scripted.asked[2] == ("马斯克为什么撤销了对OpenAI的诉讼？", ())


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
@pytest.mark.parametrize("device", [{}, {"color_scheme": "dark"}, PHONE], ids=["light", "dark", "phone"])
def test_every_view_is_accessible(
    served: Served, browser_page: Opened, tmp_path: Path, device: dict[str, object]
) -> None:
    archive = Archive(tmp_path / "conversations.sqlite")
    folder = Folder(Settings(tmp_path, tmp_path, tmp_path, ""), no_index)
    shelf = Fixed(events=timeline([OPENED, MAYOR_HAD_PROMISED]))
    site = served(Scripted(), shelf, folder=folder, archive=archive, bench=ScriptedBench())
    page = browser_page(site, **device)

    def wrong() -> list[str]:
        page.evaluate("() => Promise.all(document.getAnimations().map(each => each.finished.catch(() => 0)))")
        found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
        return [f"{v['id']}: {node['target']}" for v in found.response["violations"] for node in v["nodes"]]

    page.locator(".intro").wait_for()
    assert wrong() == []
    ask(page)
    finished(page)
    assert wrong() == []
    page.locator(".statement .cite").first.click()
    page.locator("#cited").wait_for()
    assert wrong() == []
    page.keyboard.press("Escape")
    for view, part in (("shelf", ".remove"), ("times", "time"), ("talks", ".rename"), ("quality", "details")):
        page.locator(f"[data-do={view}]").click()
        page.locator(f"#{view} {part}").first.wait_for()
        assert wrong() == []
        page.keyboard.press("Escape")


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
def test_enter_sends_shift_enter_does_not_and_a_long_question_is_refused_in_words(
    served: Served, browser_page: Opened
) -> None:
    scripted = Scripted()
    page = browser_page(served(scripted, Fixed()))
    box = page.locator("#question textarea")
    ask(page, "x" * 1_001)
    page.get_by_text("The question has 1001 characters; at most 1000 are read.").wait_for()
    assert box.input_value() == "x" * 1_001
    box.fill("one")
    box.press("Shift+Enter")
    page.keyboard.type("two")
    assert box.input_value() == "one\ntwo"
    box.press("Enter")
    finished(page)
    assert [question for question, _ in scripted.asked] == ["one\ntwo"]
    assert page.locator("#line .line").count() == 0


@pytest.mark.browser
def test_an_answer_comes_although_its_stream_was_closed_in_the_instant_it_was_asked_for(
    served: Served, browser_page: Opened
) -> None:
    page = browser_page(served(Scripted(), Fixed()))
    closed = 'data: {"msg": "close_stream"}\n\n'
    page.route(
        "**/queue/data*",
        lambda route: route.fulfill(body=closed, content_type="text/event-stream"),
        times=1,
    )
    ask(page)
    finished(page)


@pytest.mark.browser
def test_a_question_sent_while_the_page_is_still_being_made_is_asked(
    served: Served, browser_page: Opened
) -> None:
    page = browser_page(served(Scripted(), Fixed()))
    page.locator("#send").evaluate("""button => {
        const place = button.nextSibling, parent = button.parentNode;
        button.remove();
        setTimeout(() => parent.insertBefore(button, place), 300);
    }""")
    ask(page)
    finished(page)


@pytest.mark.browser
def test_a_question_sent_twice_by_a_double_click_is_asked_once_and_nobody_is_told_off(
    served: Served, browser_page: Opened
) -> None:
    scripted = Scripted()
    page = browser_page(served(scripted, Fixed()))
    page.fill("#question textarea", QUESTION)
    page.locator("#send").dblclick()
    finished(page)
    assert [question for question, _ in scripted.asked] == [QUESTION]
    assert page.locator("#line .line").count() == 0


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


@pytest.mark.browser
def test_a_failure_is_told_in_one_line_with_the_passages(served: Served, browser_page: Opened) -> None:
    scripted = Scripted(error=FeudError("The model can't be reached. Start it with: feud models pull"))
    page = browser_page(served(scripted, Fixed()))
    ask(page)
    page.get_by_text("The model can't be reached. Start it with: feud models pull").wait_for()
    assert page.locator("details[open] .passage").count() == 3
    assert page.locator("#send").is_visible()


@pytest.mark.browser
def test_a_fault_of_the_program_ends_the_answer_without_telling_its_secrets(
    served: Served, browser_page: Opened
) -> None:
    scripted = Scripted(error=ZeroDivisionError("secret"))
    page = browser_page(served(scripted, Fixed()))
    ask(page)
    page.get_by_text("The program failed before it had an answer.").wait_for()
    assert "secret" not in page.content()
    scripted.error = None
    ask(page, "Again?")
    finished(page)


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground_in_both_themes(
    served: Served, browser_page: Opened, scheme: str
) -> None:
    page = browser_page(served(Scripted(), Fixed()), color_scheme=scheme)
    ask(page)
    finished(page)
    page.locator(".statement .cite").first.click()
    page.locator("#cited").wait_for()
    for selector in (
        ".words",
        ".cite",
        "h2.question",
        ".sources small",
        ".foot",
        "#cited",
        "mark.other",
        "#send",
    ):
        assert page.locator(selector).last.evaluate(CONTRAST) >= 4.5, selector


# WCAG 2.2 contrast ratio: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
CONTRAST = """element => {
    const rgb = (color) => color.match(/[\\d.]+/g).map(Number);
    const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    const light = (color) => {
        const [r, g, b] = rgb(color).map((v) => linear(v / 255));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    let ground = element;
    while (rgb(getComputedStyle(ground).backgroundColor)[3] === 0) ground = ground.parentElement;
    const [a, b] = [getComputedStyle(element).color, getComputedStyle(ground).backgroundColor].map(light);
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}"""


@pytest.mark.browser
@pytest.mark.parametrize("device", [{}, PHONE], ids=["desktop", "phone"])
def test_nothing_that_is_being_read_moves_while_an_answer_is_written(
    served: Served, browser_page: Opened, device: dict[str, object]
) -> None:
    gates = {"words": threading.Event(), "end": threading.Event()}
    page = browser_page(served(Scripted(pause=0.02, gates=gates), Fixed()), **device)
    ask(page)
    page.locator(".passage").first.wait_for()
    page.wait_for_timeout(700)  # what follows a key within half a second is expected to move
    page.evaluate(SHIFTS)
    gates["words"].set()
    page.locator(".statement").nth(1).wait_for()
    page.wait_for_timeout(200)  # until what was drawn last is told
    assert page.evaluate("window.watching")
    assert page.evaluate("window.shifted") < 0.1
    gates["end"].set()  # then the passages give way to the sources, once
    finished(page)


# Cumulative layout shift; what is good ends at .1: https://web.dev/articles/cls
SHIFTS = """() => {
    window.shifted = 0;
    window.watching = PerformanceObserver.supportedEntryTypes.includes("layout-shift");
    new PerformanceObserver(list => {
        for (const each of list.getEntries()) if (!each.hadRecentInput) window.shifted += each.value;
    }).observe({ type: "layout-shift" });
}"""
