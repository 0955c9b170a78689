"""The page as a web server: Gradio inside an application that answers only what the page needs."""

import asyncio
import errno
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from corpus import FeudError
from ui.access import PERIOD, Access, TooManyTriesError
from ui.archive import Archive
from ui.examples import SHIPPED
from ui.folder import Folder, Shelf
from ui.health import OPEN, Readiness
from ui.intake import add_routes
from ui.observed import Observed, Observer
from ui.page import build_page
from ui.quality import Bench
from ui.talk import Answerer

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Gradio compiles its templates in the browser, hence 'unsafe-eval'. What a foreign text could do with
# markup that slipped through is still bounded: nothing leaves for another origin.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'self'; "
    "form-action 'none'; frame-ancestors 'none'"
)
HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-frame-options", b"DENY"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
# What the page itself calls. Left out on purpose: file= and proxy=, which fetch for a stranger, uploads,
# the documented API and everything else.
NEEDED = (
    "app_id",
    "cancel",
    "heartbeat/",
    "queue/data",
    "queue/join",
    "reset",
    "run/",
    "startup-events",
    "theme.css",
)
PROGRAMS = ("/api/", "/v1/")
"""What is for programs: it is answered, and refused, in JSON."""
UNBOUNDED = ("/documents/", "/index")
"""Routes that bound what they are sent themselves."""
LARGEST = 65_536  # bytes of a request; the longest question has 4,000
LARGEST_OF_PROGRAMS = 262_144  # they send a whole conversation each time
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class SiteError(FeudError):
    """The page can't be served at this address."""


def build_app(
    answerer: Answerer,
    shelf: Shelf,
    *,
    folder: Folder | None = None,
    archive: Archive | None = None,
    bench: Bench | None = None,
    hosts: Sequence[str] = LOOPBACK,
    access: Access | None = None,
    readiness: Readiness | None = None,
    observers: Sequence[Observer] = (),
    at_once: int = 1,
    waiting: int = 16,
    **options: Any,
) -> "FastAPI":
    """Return an application with the page at `/`, the routes for programs, and the guard around both.

    `shelf`, `archive`, `bench` and the `options` are those of `build_page`; with a `folder` readers can add
    documents to it and remove some. Only requests that name one of `hosts` are answered; without any all are
    that `access` admits, from whatever computer: then documents can't be changed, nothing is measured, and no
    conversation is kept, since all could read it. `readiness` says whether questions can be answered;
    `observers` get an account of each. `at_once` answers are made at the same time; `waiting` more questions of
    readers may queue, and as many of programs.
    """
    import gradio as gr
    from fastapi import FastAPI

    from ui import api, openai_api, operations
    from ui.programs import Desk
    from ui.seats import Seated, Seats

    app: FastAPI = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    metrics = operations.counted()
    seats = metrics.seats(at_once, waiting) if metrics else Seats(at_once, waiting)
    answerer = Observed(answerer, [*observers, *([metrics.observe] if metrics else [])])
    operations.add_routes(app, readiness or Readiness({}), metrics)
    desk, programs = Desk(answerer, seats), api.program_app()
    api.add_routes(programs, desk, shelf)
    openai_api.add_routes(programs, desk)
    options |= {"at_once": at_once, "waiting": waiting}
    if metrics:
        options["waited"] = partial(metrics.waited, "page")
    if not hosts:
        folder = archive = bench = None
    if folder is not None:
        add_routes(app, folder)
    style = files("ui").joinpath("page.css").read_text(encoding="utf-8")
    # Families by name only: Gradio's own themes fetch web fonts.
    fonts = ["system-ui", "sans-serif"]
    page = build_page(
        Seated(answerer, seats),
        shelf,
        changing=folder is not None,
        archive=archive,
        bench=bench,
        **options,
    )
    if metrics:
        metrics.show(lambda: seats.in_line + len(page._queue), lambda: seats.answering)
    gr.mount_gradio_app(
        app,
        page,
        path="/",
        theme=gr.themes.Base(font=fonts, font_mono=["ui-monospace", "monospace"]),
        head=f"<style>{style}</style>",
        footer_links=[],
        run_history=False,
        show_error=False,
        enable_monitoring=False,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        app_kwargs={"docs_url": None, "redoc_url": None, "openapi_url": None},
    )
    app.add_middleware(Guard, hosts=hosts, access=access, programs=programs)
    return app


def announce(address: str) -> None:
    """Print the address at once, also into a pipe."""
    print(address, flush=True)


def serve(
    answerer: Answerer,
    folder: Folder,
    *,
    archive: Archive | None = None,
    bench: Bench | None = None,
    examples: Sequence[tuple[str, str]] = SHIPPED,
    host: str = "127.0.0.1",
    port: int = 7860,
    at_once: int = 1,
    waiting: int = 16,
    access: Access | None = None,
    readiness: Readiness | None = None,
    observers: Sequence[Observer] = (),
    own_log: bool = False,
    certificate: Path | None = None,
    key: Path | None = None,
    ready: Callable[[str], None] = announce,
) -> None:
    """Serve the page until interrupted; `ready` is called with its address once the port is taken.

    With `access` others are served, too, whoever has the password; `certificate` and `key` are PEM files. What
    the server itself logs goes to the log that is set up, if that is the program's `own_log`.
    Raises `SiteError` where the port is in use or the address can't be had.
    """
    import uvicorn

    async def run(listener: socket.socket) -> None:
        hosts = () if access else LOOPBACK
        options: dict[str, Any] = {"bench": bench, "at_once": at_once, "waiting": waiting, "access": access}
        options |= {"readiness": readiness, "observers": observers, "examples": examples}
        site = build_app(answerer, folder, folder=folder, archive=archive, hosts=hosts, **options)
        config = uvicorn.Config(
            site,
            log_level="warning",
            log_config=None if own_log else uvicorn.config.LOGGING_CONFIG,
            ws="none",
            timeout_graceful_shutdown=2,
            ssl_certfile=certificate,
            ssl_keyfile=key,
        )
        try:
            config.load()
        except OSError as error:  # what OpenSSL says of a file that is none is an OSError, too
            raise SiteError(
                f"Can't use the certificate {certificate}: {error}. Name PEM files that belong together."
            ) from error
        name = f"[{host}]" if ":" in host else host
        ready(f"{'https' if certificate else 'http'}://{name}:{listener.getsockname()[1]}")
        await uvicorn.Server(config).serve(sockets=[listener])

    # The application is built inside the loop that serves it: elsewhere Gradio opens loops and leaves them.
    with listen(host, port) as listener, suppress(KeyboardInterrupt):
        asyncio.run(run(listener))


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on `host` and `port`; port 0 takes any free one. Raises `SiteError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        if not 0 <= port <= 65_535:
            raise OSError("a port is a number up to 65535")
        return socket.create_server((host, port), family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise SiteError(
                f"Port {port} on {host} is in use. Stop what runs there, or take another: --port {port + 1}"
            ) from error
        raise SiteError(
            f"Can't serve on {host} port {port}: {error.strerror or error}. "
            "Take another: --host 127.0.0.1 --port 7860"
        ) from error


class Guard:
    """Adds the security headers to every response and lets through only what page and programs need.

    What is for programs goes to the application `programs`, anything else to `app`.
    """

    def __init__(
        self,
        app: "ASGIApp",
        hosts: Sequence[str],
        access: Access | None = None,
        programs: "ASGIApp | None" = None,
    ) -> None:
        self.app, self.hosts, self.access, self.programs = app, hosts, access, programs

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            raise ValueError(f"{scope['type']} is not served")

        async def send_guarded(message: "Message") -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *HEADERS]
            await send(message)

        programs = self.programs if scope["path"].startswith(PROGRAMS) else None
        try:
            await self._admit(scope)
            if scope["method"] == "POST" and not scope["path"].startswith(UNBOUNDED):
                receive = await _read(receive, scope, LARGEST_OF_PROGRAMS if programs else LARGEST)
        except _Refusal as refusal:
            answered = refusal.response(in_json=programs is not None)
            await answered(scope, receive, send_guarded)
            return
        await (programs or self.app)(scope, receive, send_guarded)

    async def _admit(self, scope: "Scope") -> None:
        """Raise what keeps a request from being answered."""
        # A stranger's page whose name is made to resolve to 127.0.0.1 must not read this one (DNS rebinding).
        if self.hosts and _host(scope) not in self.hosts:
            raise _Refusal("this name is not served here", 421)
        # Nor may another origin's page, on this computer too, ask for anything: Gradio lets those of localhost.
        if not _own(scope):
            raise _Refusal("not from this page", 403)
        if self.access is not None and scope["path"] not in OPEN:
            client = (scope.get("client") or ("", 0))[0]
            try:
                admitted = await self.access.admits(dict(scope["headers"]).get(b"authorization", b""), client)
            except TooManyTriesError as error:
                raise _Refusal(str(error), 429, {"retry-after": f"{PERIOD:.0f}"}) from error
            if not admitted:
                asked = {"www-authenticate": 'Basic realm="feud", charset="UTF-8"'}
                raise _Refusal("a password is needed", 401, asked)
        api = scope["path"].partition("/gradio_api/")
        if api[1] and (api[0] or not api[2].startswith(NEEDED)):
            raise _Refusal("not found", 404)


class _Refusal(Exception):  # noqa: N818
    """What a request is answered with instead."""

    def __init__(self, line: str, status: int, headers: dict[str, str] | None = None) -> None:
        self.line, self.status, self.headers = line, status, headers

    def response(self, in_json: bool) -> "Response":
        from starlette.responses import PlainTextResponse

        from ui.programs import refused

        if in_json:
            return refused(
                f"{self.line[:1].upper()}{self.line[1:].rstrip('.')}.", self.status, None, self.headers
            )
        return PlainTextResponse(self.line, self.status, self.headers)


def _own(scope: "Scope") -> bool:
    """Whether a request comes from the page itself, or from no page at all."""
    headers = dict(scope["headers"])
    origin: bytes = headers.get(b"origin", b"")
    return not origin or urlsplit(origin.decode("latin-1")).netloc.encode("latin-1") == headers.get(b"host")


def _host(scope: "Scope") -> str | None:
    try:
        name: bytes = dict(scope["headers"]).get(b"host", b"")
        return urlsplit("//" + name.decode("latin-1")).hostname
    except ValueError:  # a name that can't be parsed is none of ours
        return None


async def _read(receive: "Receive", scope: "Scope", largest: int) -> "Receive":
    """Read the whole body and return what gives it again; refuse it once it is known to be too large."""
    too_large = _Refusal("the request is too large", 413)
    declared = dict(scope["headers"]).get(b"content-length", b"0")
    if not declared.isdigit() or int(declared) > largest:
        raise too_large
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > largest:
            raise too_large
    return _replay(body, receive)


def _replay(body: bytes, receive: "Receive") -> "Receive":
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> "Message":
        return messages.pop() if messages else await receive()

    return replay
