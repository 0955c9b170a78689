"""An answer in a real browser, from the question to its last sentence, in front of a scripted assistant."""

import threading
import time

import pytest

from corpus import FeudError
from tests.browsing import PHONE, Opened, Served, ask, finished
from tests.scripted import ANSWER, QUESTION, Fixed, Scripted


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
    page.get_by_role("button", name="Edit and ask again").click()
    assert page.locator("#question textarea").input_value() == QUESTION
    page.keyboard.press("Enter")
    finished(page)
    assert [question for question, _ in scripted.asked] == [QUESTION, QUESTION]


# Cumulative layout shift; what is good ends at .1: https://web.dev/articles/cls
SHIFTS = """() => {
    window.shifted = 0;
    window.watching = PerformanceObserver.supportedEntryTypes.includes("layout-shift");
    new PerformanceObserver(list => {
        for (const each of list.getEntries()) if (!each.hadRecentInput) window.shifted += each.value;
    }).observe({ type: "layout-shift" });
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
