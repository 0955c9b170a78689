"""Who knocks at the page: probes of its routes, endless connections. And whom the program itself calls."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from index import MODELS, ModelStore
from rag.settings import Settings
from tests.scripted import Fixed, Scripted
from tests.scripted_llm import DONE, Reply, ScriptedServer, finish, text, usage
from tests.test_ui_site import request
from tests.torture.conftest import Rounds

ROOT = Path(__file__).parents[2]
Served = Callable[..., str]
TARGETS = (
    "/etc/passwd",
    "../../../../etc/passwd",
    "..%2f..%2f..%2fetc/passwd",
    "....//....//etc/passwd",
    "%2e%2e/%2e%2e/etc/passwd",
    "https://evil.example/",
    "http://127.0.0.1:22/",
    "http://169.254.169.254/latest/meta-data",
    "file:///etc/passwd",
    "\\\\evil.example\\share",
)
ROUTES = (
    "/gradio_api/file=",
    "/gradio_api/file/",
    "/gradio_api/proxy=",
    "/gradio_api/stream/",
    "/gradio_api/upload_progress?upload_id=",
    "/gradio_api/call/",
    "/gradio_api/../",
    "/static/../../",
    "/assets/../../",
    "/svelte/../",
    "/file=",
    "/proxy=",
    "/documents/../../",
    "/api/documents/",
    "/v1/models/",
    "/gradio_api/monitoring/",
    "/gradio_api//file=",
    "/login_check?next=",
)


def test_probes_of_the_routes(served: Served, rounds: Rounds) -> None:
    address = served(Scripted(), Fixed())
    for chosen in rounds(len(TARGETS) * len(ROUTES) * 2, 60):
        n = rounds.done
        target = TARGETS[n % len(TARGETS)] if rounds.all else chosen.choice(TARGETS)
        route = ROUTES[n // len(TARGETS) % len(ROUTES)] if rounds.all else chosen.choice(ROUTES)
        path = route + (target if n % 2 else quote(target, safe="%"))
        status, headers = request(address, chosen.choice(["GET", "POST"]), path)
        assert status in (307, 400, 403, 404, 405, 413), (path, status)
        assert headers["content-security-policy"], path
        assert urlsplit(headers.get("location", address)).netloc in ("", urlsplit(address).netloc), path


def test_half_open_connections(served: Served, rounds: Rounds) -> None:
    address = served(Scripted(), Fixed())
    place = urlsplit(address)
    with ExitStack() as stack:
        for _ in rounds(100, 100):
            knocking = stack.enter_context(socket.create_connection((place.hostname or "", place.port or 0)))
            knocking.sendall(b"POST /gradio_api/queue/join HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Le")
        began = time.monotonic()
        assert request(address, "GET", "/")[0] == 200
        rounds.told = f"the page came after {time.monotonic() - began:.2f} s"


# Whom the process calls, whose name it looks up, and what it unpickles.
LISTENING = """
import os, signal, sys, threading, time, urllib.request
log = open(sys.argv.pop(1), "a", buffering=1)
here = ("127.0.0.1", "::1", "localhost", "0.0.0.0", None)

def hear(event, arguments):
    if event == "socket.connect" and isinstance(arguments[1], tuple) and arguments[1][0] not in here:
        log.write(f"connects to {arguments[1]}\\n")
    if event == "socket.getaddrinfo" and arguments[0] not in here:
        log.write(f"looks up {arguments[0]}\\n")
    if event == "pickle.find_class" and not arguments[0].startswith("babel."):  # the words that it ships
        log.write(f"unpickles {arguments}\\n")

def look():
    while True:
        time.sleep(0.2)
        try:
            urllib.request.urlopen("http://127.0.0.1:" + sys.argv[-1]).read()
            break
        except OSError:
            pass
    time.sleep(2)
    os.kill(os.getpid(), signal.SIGINT)

sys.addaudithook(hear)
if sys.argv[1] == "serve":
    threading.Thread(target=look, daemon=True).start()
from ui.cli import main
main()
"""


def heard(tmp_path: Path, environ: dict[str, str], *arguments: str) -> str:
    """What a command did that is none of its business, line by line."""
    log = tmp_path / "heard"
    log.touch()
    command = [sys.executable, "-c", LISTENING, str(log), *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, env=os.environ | environ, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    return log.read_text()


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return str(listener.getsockname()[1])


def test_nobody_is_called(tmp_path: Path, rounds: Rounds) -> None:
    (tmp_path / "documents").mkdir()
    sold = "The ferry of Hellis was sold in 1911 to Marta Quist."
    (tmp_path / "documents" / "ferry.txt").write_text(f"The ferry\n\n{sold} It carried coal at first.")
    commands = [
        ("index",),
        ("list",),
        ("search", "Who bought the ferry of Hellis?"),
        ("ask", "Who bought the ferry of Hellis?"),
        ("ask", "--extractive", "Who bought the ferry of Hellis?"),
        ("timeline",),
        ("disagreements",),
        ("models", "list"),
        ("serve", "--port", free_port()),
    ]
    with ScriptedServer(Reply((text(sold), finish(), usage(50, 12), DONE))) as server:
        environ = {
            "FEUD_HOME": str(tmp_path),
            "FEUD_DOCUMENTS": "",
            "FEUD_EMBEDDER": f"{server.base_url}#close",
            "FEUD_LLM_BASE_URL": server.base_url,
            "FEUD_LLM_MODEL": "scripted",
        }
        for _ in rounds(len(commands), len(commands)):
            assert heard(tmp_path, environ, *commands[rounds.done]) == "", commands[rounds.done]


@pytest.mark.model
def test_nobody_is_called_with_the_real_models(tmp_path: Path, rounds: Rounds) -> None:
    settings = Settings.from_env()
    assert ModelStore(settings.models).find(MODELS[0].name).exists()
    environ = {"FEUD_HOME": str(tmp_path), "FEUD_MODELS": str(settings.models), "FEUD_DOCUMENTS": ""}
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "ferry.txt").write_text("The ferry\n\nThe ferry was sold in 1911 to Marta Quist.")
    commands = [("index",), ("ask", "Who bought the ferry?")]
    for _ in rounds(2, 2):
        assert heard(tmp_path, environ, *commands[rounds.done]) == "", commands[rounds.done]
