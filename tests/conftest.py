"""Fixtures for every room: here, a served page and a browser in front of it."""

import asyncio
import dataclasses
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from rag.settings import Settings

CHROMIUM = "/usr/bin/chromium"
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--torture", action="store_true", help="all rounds of tests/torture, not a share of them")
    parser.addoption("--seed", type=int, default=1, help="of the rounds of tests/torture")


def pytest_configure(config: pytest.Config) -> None:
    # After a run Gradio's queue asks pandas for its statistics in ways that pandas has deprecated,
    # and as errors they kill the queue: https://github.com/gradio-app/gradio/blob/main/gradio/queueing.py
    config.addinivalue_line("filterwarnings", r"ignore:::gradio\.queueing")


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> "Settings":
    """A home with an index of the shipped documents, made once; who changes something there takes a copy."""
    from corpus.shipped import seed
    from index import build
    from rag.opening import open_embedder
    from rag.settings import Settings

    home = tmp_path_factory.mktemp("shipped")
    fresh = dataclasses.replace(Settings.from_env(), home=home, documents=home / "documents")
    seed(fresh.documents)
    for _ in build(fresh.documents, fresh.home, open_embedder(fresh)):
        pass
    return fresh


@pytest.fixture
def served() -> Iterator[Callable[..., str]]:
    """`served(answerer, shelf, **limits)` serves the page on a free port and returns its address."""
    import uvicorn

    from ui.site import build_app, listen

    running: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start(answerer: Any, shelf: Any, **limits: Any) -> str:
        listener = listen("127.0.0.1", 0)

        async def run() -> None:
            site = build_app(answerer, shelf, **limits)
            config = uvicorn.Config(site, log_level="warning", ws="none", timeout_graceful_shutdown=1)
            server = uvicorn.Server(config)
            running.append((server, thread))
            await server.serve(sockets=[listener])

        thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
        thread.start()
        deadline = time.monotonic() + 90
        while not any(server.started for server, runner in running if runner is thread):
            assert time.monotonic() < deadline, "the server did not start within 90 s"
            time.sleep(0.02)
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join(timeout=10)


@pytest.fixture(scope="session")
def milvus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Milvus server: the one that is named, or the emulator."""
    from tests.milvus_servers import EMULATOR, NO_SERVERS, emulator

    if named := os.environ.get("FEUD_TEST_STORE"):
        yield named
    elif not EMULATOR.exists():
        pytest.skip(NO_SERVERS)
    else:
        with emulator(tmp_path_factory.mktemp("emulator")) as (address, _):
            yield address


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """One headless Chromium for all browser tests."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield chromium
        chromium.close()


@pytest.fixture
def browser_page(browser: "Browser") -> Iterator[Callable[..., "Page"]]:
    """`browser_page(address, **context)` opens an address in a fresh context and waits until it is ready.

    At the end the test fails if the page asked any other origin for anything or wrote an error to its console
    that does not contain one of the `expected` words.
    """
    opened: list[tuple[Any, str, list[str], list[str], Sequence[str]]] = []

    def open_page(address: str, expected: Sequence[str] = (), **options: Any) -> "Page":
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        page = context.new_page()
        asked: list[str] = []
        errors: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        opened.append((context, address.partition("/#")[0], asked, errors, expected))
        page.goto(address)
        page.locator("#question textarea").wait_for(timeout=30_000)
        return page

    yield open_page
    for context, address, asked, errors, expected in opened:
        context.close()
        assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
        assert [error for error in errors if not any(words in error for words in expected)] == []
