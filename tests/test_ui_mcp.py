"""The server of the Model Context Protocol, asked by the SDK's client: in memory, over stdio, over HTTP."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, MCPError, StdioServerParameters, stdio_client
from mcp.types import TextContent, TextResourceContents

from corpus import Document
from index import filtered
from rag import Turn
from rag.contract import described, happened, to_json
from rag.timeline import timeline
from tests.scripted import ANSWER, COST, COST_ZH, HARBOUR, OPENED, QUESTION, Fixed, Scripted
from tests.scripted_llm import ScriptedServer
from tests.test_ui_site import feud, request
from ui.mcp import server
from ui.seats import Seats

ROOT = Path(__file__).parents[1]
LAMP = "The lamp burned whale oil."
Asking = Callable[[Client], Coroutine[Any, Any, None]]


def asked(target: Any, asking: Asking) -> None:
    """Let a client ask, in a loop of its own: in this thread may run that of the browser."""

    async def run() -> None:
        async with Client(target) as client:
            await asking(client)

    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, run()).result(timeout=120)


async def told(client: Client, tool: str, **arguments: Any) -> Any:
    """What a tool gives, as data."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    return result.structured_content


async def mistake(client: Client, tool: str, **arguments: Any) -> str:
    result = await client.call_tool(tool, arguments)
    [content] = result.content
    assert result.is_error
    assert isinstance(content, TextContent)
    return content.text


async def read(client: Client, uri: str) -> str:
    [content] = (await client.read_resource(uri)).contents
    assert isinstance(content, TextResourceContents)
    return content.text


def test_the_tools_give_what_the_contract_says() -> None:
    scripted, events = Scripted(), timeline([OPENED])

    async def asking(client: Client) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == {"ask", "search", "open_source", "list_disagreements", "timeline"}
        assert all(tool.annotations and tool.annotations.read_only_hint for tool in tools.values())
        history = [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "The mayor."}]
        filters = {"languages": ["fr"]}
        result = await client.call_tool("ask", {"question": QUESTION, "history": history, "filters": filters})
        assert result.structured_content == json.loads(json.dumps(to_json(ANSWER)))
        [content] = result.content
        assert isinstance(content, TextContent)
        assert content.text.startswith(ANSWER.text + "\n\nThe sources differ: what the quay cost\n")
        assert f"[1] “{OPENED.text}”" in content.text
        assert scripted.asked == [(QUESTION, (Turn("Who?", "The mayor."),))]
        assert scripted.where == filtered(["fr"])
        found = await told(client, "search", question="How much?", k=1)
        assert [p["text"] for p in found["passages"]] == [f"{OPENED.text} {COST.text}"]
        [point] = (await told(client, "list_disagreements"))["disagreements"]
        assert [version["quote"] for version in point] == [COST.text, COST_ZH.text]
        assert (await told(client, "timeline"))["events"] == json.loads(json.dumps(happened(events)))
        assert (await told(client, "timeline", offset=1))["events"] == []

    asked(server(scripted, Fixed(events=events), Seats()), asking)


def test_a_source_opens_at_its_words_and_documents_are_resources() -> None:
    torn = Document("a/half \ud83d.txt", "Half: \ud83d.", "", segments=HARBOUR.segments[:1])

    async def asking(client: Client) -> None:
        place = {"document": "harbour.txt", "start": COST.start, "end": COST.end}
        opened = await told(client, "open_source", **place)
        assert (opened["quote"], opened["document"]) == (COST.text, described(HARBOUR))
        assert opened["before"].rstrip() == OPENED.text
        assert opened["after"].strip() == "La mairie avait promis une ouverture en 2019."
        assert await read(client, opened["resource"]) == HARBOUR.text
        listed = (await client.list_resources()).resources
        assert [resource.name for resource in listed][:1] == ["harbour.txt"]
        assert await read(client, str(listed[-1].uri)) == HARBOUR.text
        place["end"] = 10_000
        line = "harbour.txt has 174 characters; 63 to 10000 is no part of them."
        assert (await mistake(client, "open_source", **place)).endswith(line)
        place["document"] = "none.txt"
        assert (await mistake(client, "open_source", **place)).endswith("There is no document 'none.txt'.")
        with pytest.raises(MCPError, match=r"There is no document 'none.txt'\."):
            await read(client, "feud://documents/none.txt")
        assert (await mistake(client, "search", question=" ")).endswith("The question is empty. Ask something.")
        half = await told(client, "open_source", document=torn.id, start=0, end=7)
        assert half["quote"] == "Half: ?"

    nested = Document("a/ü b.txt", HARBOUR.text, "")
    asked(server(Scripted(), Fixed([HARBOUR, torn, nested]), Seats()), asking)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "lamp.txt").write_text(f"The lamp\n\n{LAMP} It was lit in 1904.")
    return tmp_path


async def use(client: Client) -> None:
    """Ask, and follow the citation to its document."""
    answer = await told(client, "ask", question="What did the lamp burn?")
    assert answer["status"] == "answered"
    citation = answer["citations"][0]
    place = {name: citation[name] for name in ("document", "start", "end")}
    opened = await told(client, "open_source", **place)
    assert citation["quote"] == opened["quote"] == LAMP
    text = await read(client, opened["resource"])
    assert text[citation["start"] : citation["end"]] == LAMP
    assert [event["time"] for event in (await told(client, "timeline"))["events"]] == ["1904"]


def test_over_stdio(home: Path) -> None:
    with ScriptedServer() as endpoint:
        feud(home, endpoint.base_url, "index").communicate(timeout=120)
        environ = {
            "FEUD_HOME": str(home),
            "FEUD_EMBEDDER": f"{endpoint.base_url}#close",
            "PYTHONPATH": str(ROOT),
        }
        command = ["-c", "from ui.cli import main; main()", "mcp", "--extractive"]
        parameters = StdioServerParameters(command=sys.executable, args=command, env=environ)
        asked(stdio_client(parameters), use)


def test_over_http_to_this_computer_alone(home: Path) -> None:
    with ScriptedServer() as endpoint:
        feud(home, endpoint.base_url, "index").communicate(timeout=120)
        serving = feud(home, endpoint.base_url, "mcp", "--extractive", "--http", "0")
        assert serving.stdout
        address = serving.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:")
        asked(address, use)
        assert request(address, "POST", "/mcp", b"{}", host="evil.example")[0] == 421
        assert request(address, "POST", "/mcp", b"{}", origin="https://evil.example")[0] == 403
        assert request(address, "POST", "/mcp", b"x" * 70_000)[0] == 413
        serving.send_signal(signal.SIGINT)
        serving.communicate(timeout=30)
        assert serving.returncode == 0


def test_the_sdk_is_needed_by_this_command_alone() -> None:
    def run(code: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-c", code, "mcp"]
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=os.environ, timeout=120)

    done = run("import sys; sys.modules['mcp'] = None; from ui.cli import main; main()")
    missing = "error: The package mcp is missing. Install it with: pip install 'feud[mcp]'\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", missing)
    done = run(
        "import sys, ui.cli, ui.site, rag, ui.api; print([n for n in sys.modules if n.startswith('mcp')])"
    )
    assert done.stdout == "[]\n", done.stderr
