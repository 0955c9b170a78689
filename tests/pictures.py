"""Takes the README's pictures of the page anew, with the real model: `make pictures`."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from rag.settings import Settings
from tests.browsing import PHONE
from tests.conftest import CHROMIUM, QUIET

FEUD = Path(sys.executable).with_name("feud")
FOLDER = Path(__file__).parents[1] / "ui" / "pictures"
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
DARK = {**PHONE, "color_scheme": "dark"}
ASKED: dict[str, tuple[dict[str, Any], str, str]] = {
    "page": (DESKTOP, "en-GB", "How much did Musk offer for OpenAI?"),
    "german": (DESKTOP, "de-DE", "Wer ist Shivon Zilis?"),
    "chinese": (DARK, "zh-CN", "OpenAI是哪一年成立的？"),
}
"""Of each picture the device, the language of the browser, and the question."""


def main() -> None:
    """Serve the shipped documents from a home of its own, so that nothing which is kept is in the pictures."""
    with tempfile.TemporaryDirectory() as home:
        own = {"FEUD_HOME": home, "FEUD_DOCUMENTS": "", "FEUD_MODELS": str(Settings.from_env().models)}
        subprocess.run([FEUD, "index"], env={**os.environ, **own}, check=True)
        _served({**os.environ, **own})


def _served(env: dict[str, str]) -> None:
    with subprocess.Popen([FEUD, "serve", "--port", "0"], env=env, stdout=subprocess.PIPE, text=True) as feud:
        try:
            assert feud.stdout is not None
            address = next(line.strip() for line in feud.stdout if line.startswith("http"))
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
                for name, (device, language, question) in ASKED.items():
                    _take(browser, address, name, device, language, question)
        finally:
            feud.terminate()


def _take(
    browser: Browser, address: str, name: str, device: dict[str, Any], language: str, question: str
) -> None:
    """Take the picture of an answer; of the first one those of the timeline and of a short run, too."""
    page = _asked(browser, address, device, language, question)
    page.screenshot(path=FOLDER / f"{name}.png")
    if name == next(iter(ASKED)):
        page.locator("[data-do=times]").click()
        page.locator("#times .otherwise").first.scroll_into_view_if_needed()
        page.screenshot(path=FOLDER / "timeline.png")
        page.locator("[data-do=quality]").click()
        page.locator("[data-do=measure]").click()
        page.locator("[data-do=halt]").wait_for()
        page.locator("[data-do=measure]").wait_for(timeout=300_000)
        page.screenshot(path=FOLDER / "quality.png")
    page.context.close()


def _asked(browser: Browser, address: str, device: dict[str, Any], language: str, question: str) -> Page:
    """A page with the whole answer to a question and, beside it, its first source."""
    page = browser.new_context(locale=language, **device).new_page()
    page.goto(address)
    page.locator(f"html[lang={language[:2]}]").wait_for()
    page.fill("#question textarea", question)
    page.press("#question textarea", "Enter")
    page.locator("article[data-state=done]").wait_for(timeout=120_000)
    if device is DESKTOP:
        page.locator(".statement .cite").first.click()
        page.locator("#cited").wait_for()
    page.mouse.move(0, 0)
    page.wait_for_timeout(500)
    return page


if __name__ == "__main__":
    main()
