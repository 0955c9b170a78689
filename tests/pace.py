"""Measures how fast the page is in Chromium, with a scripted model: `make pace`."""

import asyncio
import statistics
import threading
import time

import uvicorn
from playwright.sync_api import Browser, sync_playwright

from rag.timeline import timeline
from tests.browsing import ask, finished
from tests.conftest import CHROMIUM, QUIET
from tests.scripted import OPENED, Fixed, Scripted, ScriptedBench
from ui.site import build_app, listen

ROUNDS = 20
AIMS = {"first view": 1500, "interaction to next paint": 200, "cited place visible": 300}
"""Milliseconds that each may take."""
# The longest that a key or button waited for its paint, and how long the marked words took to be seen.
WATCH = """
window.slowest = 0;
new PerformanceObserver(list => {
    for (const each of list.getEntries()) if (each.interactionId) slowest = Math.max(slowest, each.duration);
}).observe({ type: "event", durationThreshold: 16, buffered: true });
document.addEventListener("click", event => {
    if (!event.target.closest(".cite")) return;
    const pressed = event.timeStamp;
    const look = now => {
        const mark = document.querySelector("#cited")?.getBoundingClientRect();
        if (mark?.height && mark.top >= 0 && mark.bottom <= innerHeight) window.cited = now - pressed;
        else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
}, true);
"""


def main() -> None:
    listener = listen("127.0.0.1", 0)

    async def serve() -> None:
        app = build_app(Scripted(), Fixed(events=timeline([OPENED])), bench=ScriptedBench())
        await uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none")).serve(sockets=[listener])

    threading.Thread(target=lambda: asyncio.run(serve()), daemon=True).start()
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        _visit(browser, address)  # the server reads its own files once
        rounds = [_visit(browser, address) for _ in range(ROUNDS)]
    print(f"milliseconds, {ROUNDS} visits, each with an empty cache")
    for name, aim in AIMS.items():
        values = sorted(each[name] for each in rounds)
        median, p95 = statistics.median(values), values[int(0.95 * (len(values) - 1))]
        print(f"{name:28} median {median:5.0f}  p95 {p95:5.0f}  aim {aim}")


def _visit(browser: Browser, address: str) -> dict[str, float]:
    """Open the page, ask, open a source, the timeline and the runs; return what each of `AIMS` took."""
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.add_init_script(WATCH)
    started = time.monotonic()
    page.goto(address)
    page.locator("#send").wait_for()
    page.locator(".intro").wait_for()
    seen = 1000 * (time.monotonic() - started)
    ask(page)
    finished(page)
    page.locator(".statement .cite").first.click()
    page.wait_for_function("window.cited")
    page.keyboard.press("Escape")
    for view in ("times", "quality", "shelf"):
        page.locator(f"[data-do={view}]").click()
        page.locator(f"#{view} .close").wait_for()
    page.wait_for_timeout(200)
    cited, slowest = page.evaluate("[cited, slowest]")
    page.context.close()
    return {"first view": seen, "interaction to next paint": slowest, "cited place visible": cited}


if __name__ == "__main__":
    main()
