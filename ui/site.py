"""The page as a web server: Gradio inside an application that answers only what the page needs."""

import asyncio
import errno
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from corpus import FeudError
from ui.access import PERIOD, Access, TooManyTriesError
from ui.archive import Archive
from ui.folder import Folder, Shelf
from ui.intake import add_routes
from ui.page import build_page
from ui.quality import Bench
from ui.talk import Answerer

if TYPE_CHECKING:
    from fastapi import FastAPI
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
LARGEST = 65_536  # bytes of a request; the longest question has 4,000
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
    app: "FastAPI | None" = None,
    hosts: Sequence[str] = LOOPBACK,
    access: Access | None = None,
    **options: Any,
) -> "FastAPI":
    """Return an application with the page at `/` and the guard around it, inside `app` if one is given.

    Routes that `app` already has stay reachable. `shelf`, `archive`, `bench` and the `options` are those
    of `build_page`; with a `folder` readers can add documents to it and remove some. Only requests that name
    one of `hosts` are answered; without any all are that `access` admits, from whatever computer: then
    documents can't be changed, nothing is measured, and no conversation is kept, since all could read it.
    """
    import gradio as gr
    from fastapi import FastAPI

    app = app or FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    if not hosts:
        folder = archive = bench = None
    if folder is not None:
        add_routes(app, folder)
    style = files("ui").joinpath("page.css").read_text(encoding="utf-8")
    # Families by name only: Gradio's own themes fetch web fonts.
    fonts = ["system-ui", "sans-serif"]
    app = gr.mount_gradio_app(
        app,
        build_page(answerer, shelf, changing=folder is not None, archive=archive, bench=bench, **options),
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
    app.add_middleware(Guard, hosts=hosts, access=access)
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
    host: str = "127.0.0.1",
    port: int = 7860,
    at_once: int = 1,
    waiting: int = 16,
    app: "FastAPI | None" = None,
    access: Access | None = None,
    certificate: Path | None = None,
    key: Path | None = None,
    ready: Callable[[str], None] = announce,
) -> None:
    """Serve the page until interrupted; `ready` is called with its address once the port is taken.

    With `access` others are served, too, whoever has the password; `certificate` and `key` are PEM files.
    Raises `SiteError` where the port is in use or the address can't be had.
    """
    import uvicorn

    async def run(listener: socket.socket) -> None:
        hosts = () if access else LOOPBACK
        options: dict[str, Any] = {"bench": bench, "at_once": at_once, "waiting": waiting, "access": access}
        site = build_app(answerer, folder, folder=folder, archive=archive, app=app, hosts=hosts, **options)
        config = uvicorn.Config(
            site,
            log_level="warning",
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
    """Adds the security headers to every response and lets through only what the page needs of Gradio."""

    def __init__(self, app: "ASGIApp", hosts: Sequence[str], access: Access | None = None) -> None:
        self.app, self.hosts, self.access = app, hosts, access

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        from starlette.responses import PlainTextResponse

        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            raise ValueError(f"{scope['type']} is not served")

        async def send_guarded(message: "Message") -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *HEADERS]
            await send(message)

        # A stranger's page whose name is made to resolve to 127.0.0.1 must not read this one (DNS rebinding).
        if self.hosts and _host(scope) not in self.hosts:
            await PlainTextResponse("this name is not served here", 421)(scope, receive, send_guarded)
            return
        # Nor may another origin's page, on this computer too, ask for anything: Gradio lets those of localhost.
        if not _own(scope):
            await PlainTextResponse("not from this page", 403)(scope, receive, send_guarded)
            return
        if self.access is not None:
            client = (scope.get("client") or ("", 0))[0]
            try:
                admitted = await self.access.admits(dict(scope["headers"]).get(b"authorization", b""), client)
            except TooManyTriesError as error:
                wait = {"retry-after": f"{PERIOD:.0f}"}
                await PlainTextResponse(str(error), 429, wait)(scope, receive, send_guarded)
                return
            if not admitted:
                asked = {"www-authenticate": 'Basic realm="feud", charset="UTF-8"'}
                await PlainTextResponse("a password is needed", 401, asked)(scope, receive, send_guarded)
                return
        api = scope["path"].partition("/gradio_api/")
        if api[1] and (api[0] or not api[2].startswith(NEEDED)):
            await PlainTextResponse("not found", 404)(scope, receive, send_guarded)
            return
        body = await _body(scope, receive) if api[1] and scope["method"] == "POST" else b""
        if body is None:
            await PlainTextResponse("the request is too large", 413)(scope, receive, send_guarded)
            return
        await self.app(scope, _replay(body, receive) if body else receive, send_guarded)


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


async def _body(scope: "Scope", receive: "Receive") -> bytes | None:
    """Read the whole body, or return None as soon as it is known to be larger than `LARGEST`."""
    declared = dict(scope["headers"]).get(b"content-length", b"0")
    if not declared.isdigit() or int(declared) > LARGEST:
        return None
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > LARGEST:
            return None
    return body


def _replay(body: bytes, receive: "Receive") -> "Receive":
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> "Message":
        return messages.pop() if messages else await receive()

    return replay
