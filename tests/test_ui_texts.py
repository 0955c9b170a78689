"""The interface in its languages: nothing is missing, and everything is said in the one that is chosen."""

import tomllib
from importlib.resources import files
from string import Formatter
from typing import TYPE_CHECKING

import pytest

from tests.browsing import PHONE, Opened, Served, ask, finished
from tests.scripted import ANSWER, DOCUMENTS, OPENED, Fixed, Scripted, ScriptedBench
from ui.conversation import Session
from ui.describe import byline
from ui.talk import Talk
from ui.texts import LANGUAGES, say, speaking

if TYPE_CHECKING:
    from playwright.sync_api import Page

TABLES = tomllib.loads(files("ui").joinpath("texts.toml").read_text("utf-8"))


def fields(text: str | dict[str, str]) -> set[str]:
    """The names of the values that a text has, in any of its forms."""
    forms = text.values() if isinstance(text, dict) else [text]
    return {name for form in forms for _, name, _, _ in Formatter().parse(form) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_everything_with_the_same_values(language: str) -> None:
    assert set(TABLES) == set(LANGUAGES)
    table, english = TABLES[language], TABLES["en"]
    assert list(table) == list(english)
    for key, text in table.items():
        assert fields(text) == fields(english[key]), key
        assert isinstance(text, dict) == isinstance(english[key], dict), key
    same = [key for key, text in table.items() if text == english[key]]
    assert language == "en" or len(same) < 6, same  # the name, and words that two languages share


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("en", "Le Télégramme du port · 4 May 2021 · French"),
        ("de", "Le Télégramme du port · 4. Mai 2021 · Französisch"),
        ("fr", "Le Télégramme du port · 4 mai 2021 · français"),
        ("zh", "Le Télégramme du port · 2021年5月4日 · 法语"),
    ],
)
def test_dates_and_languages_are_named_in_the_language_of_the_interface(language: str, line: str) -> None:
    with speaking(language):
        assert byline(DOCUMENTS[0]) == line
    assert byline(DOCUMENTS[0]).endswith("French")


def test_each_reader_has_a_language_of_their_own() -> None:
    talk, german, other = Talk(Scripted(), Fixed()), Session(), Session()
    talk.speak(german, "de-CH")
    talk.begin("Wann?", german)
    talk.begin("When?", other)
    assert [last for last in talk.run(german) if "sucht in 3 Dokumenten…" in last]
    assert [last for last in talk.run(other) if "searching 3 documents…" in last]
    assert "4. Mai 2021" in (talk.open(german, {"turn": 1, "citation": 1}) or "")
    assert say("send") == "Ask"


def test_a_short_run_goes_on_in_the_language_that_is_chosen_meanwhile() -> None:
    talk, reader = Talk(Scripted(), Fixed(), bench=ScriptedBench()), Session()
    steps = talk.measure(reader)
    next(steps), next(steps)
    head = next(part for part in talk.speak(reader, "de") if str(part).startswith("<header><div><h2>Qual"))
    assert 'data-do="halt"' in head
    assert "1 von 2 bekannten Fragen beantwortet…" in head


def german(page: "Page") -> None:
    page.locator("#send").get_by_text("Fragen").wait_for()
    assert page.evaluate("document.documentElement.lang") == "de"
    assert page.locator("#question textarea").get_attribute("placeholder") == "Fragen Sie in jeder Sprache"


@pytest.mark.browser
@pytest.mark.parametrize("device", [{}, PHONE], ids=["desktop", "phone"])
def test_the_page_speaks_the_language_of_the_browser_and_any_other_that_is_chosen(
    served: Served, browser_page: Opened, device: dict[str, object]
) -> None:
    page = browser_page(served(Scripted(), Fixed()), locale="de-DE", **device)
    german(page)
    ask(page)
    finished(page)
    assert page.locator(".foot").inner_text().startswith("beantwortet in")
    page.locator(".statement .cite").first.click()
    page.locator("#source").get_by_text("4. Mai 2021").wait_for()
    page.keyboard.press("Escape")
    page.locator("#top select").select_option("zh")
    page.locator("#send").get_by_text("提问").wait_for()
    assert page.locator(".words").all_inner_texts() == [s.text for s in ANSWER.statements]  # as they were
    assert page.locator(".sources h3").inner_text() == "出处"
    assert page.locator(".reference q").first.inner_text() == OPENED.text
    page.reload()
    page.locator("#send").get_by_text("提问").wait_for()
    assert page.locator("#top select").input_value() == "zh"


@pytest.mark.browser
def test_a_language_that_the_page_does_not_have_is_english(served: Served, browser_page: Opened) -> None:
    page = browser_page(served(Scripted(), Fixed()), locale="pt-BR")
    page.locator("#send").get_by_text("Ask").wait_for()
    assert page.evaluate("document.documentElement.lang") == "en"
