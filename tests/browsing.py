"""What a reader does at the page in a browser, for every test of it."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from index import Index
from tests.scripted import QUESTION

if TYPE_CHECKING:
    from playwright.sync_api import Page

Served = Callable[..., str]
Opened = Callable[..., "Page"]
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
IN_VIEW = """mark => {
    const [inner, outer] = [mark.getBoundingClientRect(), mark.closest(".document").getBoundingClientRect()];
    return inner.top >= outer.top && inner.bottom <= Math.min(outer.bottom, window.innerHeight);
}"""


def ask(page: "Page", question: str = QUESTION) -> None:
    page.fill("#question textarea", question)
    page.press("#question textarea", "Enter")


def finished(page: "Page", turns: int = 1) -> None:
    page.locator("article[data-state=done]").nth(turns - 1).wait_for()


def eventually(holds: Callable[[], bool]) -> None:
    """Wait for what a server does after the page has shown the answer."""
    until = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)


def no_index() -> Index:
    raise AssertionError("nothing is indexed here")
