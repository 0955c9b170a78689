"""What the server lets through: the page to its readers, nothing to strangers."""

import asyncio
import base64
import http.client
import os
import signal
import ssl
import subprocess
import sys
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
import trustme

from tests.reader import Reader, texts
from tests.scripted import Fixed, Scripted
from tests.scripted_llm import ScriptedServer
from ui.access import SHORTEST, TRIES, Access, AccessError, TooManyTriesError, keep_password
from ui.site import HEADERS, LARGEST, SiteError, listen

Served = Callable[..., str]
T = TypeVar("T")


def request(address: str, method: str, path: str, *pieces: bytes, **headers: str) -> tuple[int, dict[str, str]]:
    """Send a request exactly as written, in chunks if there are several pieces; return status and headers."""
    with closing(http.client.HTTPConnection(urlsplit(address).netloc, timeout=10)) as connection:
        connection.putrequest(method, path, skip_host="host" in headers)
        if len(pieces) > 1:
            headers["transfer-encoding"] = "chunked"
        else:
            headers["content-length"] = str(sum(len(piece) for piece in pieces))
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders(pieces if len(pieces) > 1 else b"".join(pieces), encode_chunked=len(pieces) > 1)
        answer = connection.getresponse()
        answer.read()
        return answer.status, {name.lower(): value for name, value in answer.headers.items()}


def test_only_what_the_page_needs_is_answered_and_always_with_the_headers(served: Served) -> None:
    address = served(Scripted(), Fixed())
    refused = (
        "/gradio_api/file=https://example.org/",
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/proxy=https://example.org/",
        "/gradio_api/info",
        "/gradio_api/upload",
        "/gradio_api/call/begin",
        "/gradio_api/component_server",
        "/gradio_api/deep_link",
        "//gradio_api/info",
        "/gradio_api/gradio_api/info",
        "/gradio_api/%66ile=/etc/passwd",
        "/docs",
        "/openapi.json",
    )
    for path in refused:
        status, headers = request(address, "GET", path)
        assert status == 404, path
        assert headers["content-security-policy"].startswith("default-src 'self'")
    status, headers = request(address, "GET", "/")
    assert status == 200
    assert {name: headers[name.decode()] for name, _ in HEADERS} == {n: v.decode() for n, v in HEADERS}


def test_a_foreign_name_for_this_machine_is_refused(served: Served) -> None:
    address = served(Scripted(), Fixed())
    for name in ("evil.example", "127.0.0.1.evil.example:7860", "[::1", ""):
        assert request(address, "GET", "/", host=name)[0] == 421, name
    for name in ("localhost", "localhost:7860", "127.0.0.1:1", "[::1]:7860"):
        assert request(address, "GET", "/", host=name)[0] == 200, name


def test_a_request_that_is_too_large_is_refused_whether_it_says_so_or_not(served: Served) -> None:
    address = served(Scripted(), Fixed())
    join = "/gradio_api/queue/join"
    assert request(address, "POST", join, b"x" * (LARGEST + 1))[0] == 413
    assert request(address, "POST", join, b"x" * LARGEST, b"x")[0] == 413
    assert request(address, "POST", join, b"x" * LARGEST)[0] == 422


def test_what_an_older_page_sends_is_not_logged(served: Served, capfd: pytest.CaptureFixture[str]) -> None:
    reader = Reader(served(Scripted(), Fixed()))
    status, told = reader.post("run/predict", {"data": ["Who asks Xylophanten?"], "fn_index": 0})
    assert (status, told["error"]) == (500, "This page is of another version; load it again.")
    assert "Xylophanten" not in capfd.readouterr().err
    assert "3 May 2021" in texts(reader.ask("When did the quay open?"))


def test_a_taken_port_is_one_clear_line() -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(SiteError, match=rf"^Port {port} on 127.0.0.1 is in use\. .*: --port {port + 1}$"):
            listen("127.0.0.1", port)
    with pytest.raises(SiteError, match=r"^Can't serve on 127.0.0.1 port 70000: a port is a number"):
        listen("127.0.0.1", 70_000)


PASSWORD = "correct horse: Batterie"


def bearer(password: str) -> bytes:
    return b"Bearer " + password.encode()


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"me:{password}".encode()).decode()


def apart(run: Coroutine[Any, Any, T]) -> T:
    """What a coroutine returns, from a loop of its own: in this thread runs that of the browser."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, run).result()


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    keep_password(tmp_path / "home" / "password", PASSWORD)
    return tmp_path / "home" / "password"


def test_without_the_password_nothing_is_answered(served: Served, kept: Path) -> None:
    address = served(Scripted(), Fixed(), hosts=(), access=Access(kept))
    for path in ("/", "/gradio_api/startup-events", "/nothing"):
        status, headers = request(address, "GET", path)
        assert (status, headers["www-authenticate"][:5]) == (401, "Basic"), path
        assert headers["content-security-policy"].startswith("default-src 'self'")
    for header in ("Basic ?", "Basic " + base64.b64encode(b"me").decode(), "Bearer ", "Digest x"):
        assert request(address, "GET", "/", authorization=header)[0] == 401, header
    for header in (basic(PASSWORD), bearer(PASSWORD).decode()):
        assert request(address, "GET", "/", host="lamp.example", authorization=header)[0] == 200
    foreign = {"authorization": basic(PASSWORD), "origin": "https://evil.example"}
    assert request(address, "GET", "/", **foreign)[0] == 403


def test_guesses_are_few_even_if_the_next_one_were_right(served: Served, kept: Path) -> None:
    address = served(Scripted(), Fixed(), hosts=(), access=Access(kept))
    for _ in range(TRIES):
        assert request(address, "GET", "/", authorization=basic("wrong"))[0] == 401
    status, headers = request(address, "GET", "/", authorization=basic(PASSWORD))
    assert (status, headers["retry-after"]) == (429, "60")


def test_a_network_waits_a_minute_and_others_do_not(kept: Path) -> None:
    now = 0.0
    access = Access(kept, clock=lambda: now)

    def admits(password: str, client: str) -> bool:
        return apart(access.admits(bearer(password), client))

    for guess in range(TRIES):
        now = guess
        assert not admits("wrong", f"2001:db8::{guess}")
    with pytest.raises(TooManyTriesError):
        admits(PASSWORD, "2001:db8::ffff")
    assert admits(PASSWORD, "2001:db8:0:1::1")
    now = 60.0
    assert admits(PASSWORD, "2001:db8::ffff")


def test_guesses_made_at_once_are_counted_as_well(kept: Path) -> None:
    async def tried() -> list[object]:
        access = Access(kept)
        guesses = (access.admits(bearer(f"guess {n}"), "203.0.113.9") for n in range(20))
        return await asyncio.gather(*guesses, return_exceptions=True)

    outcomes = apart(tried())
    assert outcomes.count(False) == TRIES
    assert sum(isinstance(outcome, TooManyTriesError) for outcome in outcomes) == 20 - TRIES


def test_a_password_is_kept_as_a_hash_that_only_its_owner_reads(kept: Path) -> None:
    assert kept.stat().st_mode & 0o777 == 0o600
    before = kept.read_text()
    assert not any(word in before for word in PASSWORD.split())
    keep_password(kept, PASSWORD)
    assert kept.read_text() != before  # another salt
    with pytest.raises(AccessError, match=f"needs {SHORTEST} characters"):
        keep_password(kept, "x" * (SHORTEST - 1))
    kept.write_text("torn")
    with pytest.raises(AccessError, match=r"Set the password anew with: feud password$"):
        Access(kept)
    with pytest.raises(AccessError, match=r"Set one with: feud password$"):
        Access(kept.with_name("none"))


def feud(home: Path, endpoint: str, *arguments: str, **more: str) -> "subprocess.Popen[str]":
    """`feud` in a process of its own, whose embedder stands behind an endpoint."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("FEUD_")}
    environ |= {
        "FEUD_HOME": str(home),
        "FEUD_EMBEDDER": f"{endpoint}#close",
        "FEUD_LLM_BASE_URL": endpoint,
        **more,
    }
    command = [sys.executable, "-c", "from ui.cli import main; main()", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environ)


def test_others_are_served_over_tls_once_there_is_a_password(tmp_path: Path) -> None:
    authority = trustme.CA()
    pair = authority.issue_cert("127.0.0.1")
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    pair.cert_chain_pems[0].write_to_path(certificate)
    pair.private_key_pem.write_to_path(key)
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "lamp.txt").write_text("The lamp\n\nThe lamp burned whale oil.")
    serving = ("serve", "--host", "0.0.0.0", "--port", "0", "--certificate", str(certificate))

    with ScriptedServer() as endpoint:

        def run(*arguments: str, stdin: str = "") -> tuple[str, str]:
            return feud(tmp_path, endpoint.base_url, *arguments).communicate(stdin, timeout=60)

        run("index")
        missing = "error: Others are served only with a password. Set one with: feud password\n"
        assert run(*serving) == ("", missing)
        assert "The password is set." in run("password", stdin=PASSWORD + "\n")[0]
        assert (
            f"error: Can't use the certificate {certificate}: " in run(*serving, "--key", str(certificate))[1]
        )

        server = feud(tmp_path, endpoint.base_url, *serving, "--key", str(key))
        assert server.stdout
        address = next(line for line in server.stdout if line.startswith("https://"))
        trust = ssl.create_default_context()
        authority.configure_trust(trust)
        port = address.strip().rpartition(":")[2]
        asked = Request(f"https://127.0.0.1:{port}/", headers={"Authorization": basic(PASSWORD)})
        with urlopen(asked, context=trust, timeout=10) as page:
            assert page.status == 200
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=30)
        assert server.returncode == 0
