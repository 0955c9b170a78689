"""The page for every reader, in a real browser: WCAG 2.2 AA, contrast."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from rag.settings import Settings
from rag.timeline import timeline
from tests.browsing import PHONE, Opened, Served, ask, finished, no_index
from tests.scripted import MAYOR_HAD_PROMISED, OPENED, QUESTION, Fixed, Scripted, ScriptedBench
from ui.archive import Archive
from ui.folder import Folder


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
    page.locator("#filter > button").click()
    page.locator("#filter input").last.wait_for()
    assert wrong() == []
    page.locator("#filter > button").click()
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
def test_a_keyboard_is_enough_and_shows_where_it_is(
    served: Served, browser_page: Opened, tmp_path: Path
) -> None:
    shelf = Fixed(events=timeline([OPENED, MAYOR_HAD_PROMISED]))
    folder = Folder(Settings(tmp_path, tmp_path, tmp_path, ""), no_index)
    page = browser_page(served(Scripted(), shelf, folder=folder))
    unseen: list[str] = []

    def reach(part: str, key: str = "Tab") -> None:
        for _ in range(60):
            page.keyboard.press(key)
            if dim := page.evaluate(UNSEEN):
                unseen.append(dim)
            if page.evaluate("part => document.activeElement.matches(part)", part):
                return
        raise AssertionError(f"{part} was not reached")

    def opens(part: str) -> None:
        page.keyboard.press("Enter")
        page.locator("#cited:focus").wait_for()
        page.keyboard.press("Escape")
        assert page.evaluate("part => document.activeElement.matches(part)", part)

    page.locator("#question textarea:focus").wait_for()
    assert page.locator("#question textarea").get_attribute("dir") == "auto"
    page.keyboard.type(QUESTION)
    page.keyboard.press("Enter")
    finished(page)
    for part in (".reference", ".version .cite", ".statement .cite"):
        reach(part, "Shift+Tab")  # from the box back through the answer
        opens(part)
    reach("[data-do=times]", "Shift+Tab")
    page.keyboard.press("Enter")
    page.locator("#times time").nth(1).wait_for()
    reach("#times .volume")
    opens("#times .volume")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.dataset.do") == "times"
    reach("[data-do=shelf]", "Shift+Tab")
    page.keyboard.press("Enter")
    reach("#shelf .volume")
    page.keyboard.press("Enter")
    page.locator("#source .document").wait_for()
    assert unseen == []


# What has the focus, where nothing around it shows that; the box shows it by its border.
UNSEEN = """() => {
    const here = document.activeElement;
    const seen = here.matches("body, #question textarea") || getComputedStyle(here).outlineStyle !== "none"
        || getComputedStyle(here.closest("label") ?? here).outlineStyle !== "none";
    return seen ? "" : here.outerHTML.slice(0, 120);
}"""


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
