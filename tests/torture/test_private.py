"""What nobody may read: questions and documents in logs and errors, keys anywhere."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Thread

import pytest

from tests.reader import Reader, texts
from tests.scripted_llm import CUT, DONE, Reply, ScriptedServer, event, finish, text, usage
from tests.torture.conftest import Rounds

ROOT = Path(__file__).parents[2]
FERRY, ASKED, KEY = "Quetzalcoatlus", "Xylophanten", "sk-canary-77aa"
SOLD = f"The ferry {FERRY} was sold in 1911 to Marta Quist."
QUESTION = f"Who bought the ferry, asks {ASKED}?"
GOOD = Reply((text(SOLD), finish(), usage(50, 12), DONE))
BROKEN = (
    Reply((text(SOLD[:20]), CUT)),
    Reply((event(error={"message": f"lost {KEY}"}),)),
    Reply((b"data: {oops",)),
    Reply((b'{"error": {"message": "no such key sk-canary-77aa"}}',), 401, "application/json"),
    Reply((b"<html>",), 503, "text/html"),
)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(GOOD) as running:
        yield running


@pytest.fixture
def environ(server: ScriptedServer, tmp_path: Path) -> dict[str, str]:
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "ferry.txt").write_text(f"The ferry\n\n{SOLD} It carried coal at first.\n")
    lines = [{"id": "1", "question": QUESTION}, {"id": "2", "question": QUESTION * 100}]
    (tmp_path / "asked.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FEUD_")}
    return kept | {
        "FEUD_HOME": str(tmp_path),
        "FEUD_EMBEDDER": f"{server.base_url}#close",
        "FEUD_EMBEDDER_API_KEY": KEY,
        "FEUD_LLM_BASE_URL": server.base_url,
        "FEUD_LLM_MODEL": "scripted",
        "FEUD_LLM_API_KEY": KEY,
    }


def feud(environ: dict[str, str], *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", "from ui.cli import main; main()", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environ, cwd=ROOT)


def private(words: str) -> str:
    """Which of the three stands in what was logged, "" if none."""
    return next((each for each in (FERRY, ASKED, KEY) if each in words), "")


def test_no_command_logs_what_it_reads_or_is_asked(
    server: ScriptedServer, environ: dict[str, str], tmp_path: Path, rounds: Rounds
) -> None:
    out = tmp_path / "answers.jsonl"
    commands: Sequence[tuple[str, ...]] = (
        ("index",),
        ("index", "--english"),
        ("list",),
        ("search", QUESTION),
        ("search", "And who?", "--after", QUESTION),
        ("ask", QUESTION),
        ("ask", QUESTION * 100),
        ("ask", "--extractive", QUESTION),
        ("batch", "--in", str(tmp_path / "asked.jsonl"), "--out", str(out)),
        ("chat",),
        ("timeline",),
        ("disagreements",),
        ("models", "list"),
        ("kept",),
        ("backup", str(tmp_path / "kept.tar.gz")),
        ("restore", str(tmp_path / "kept.tar.gz")),
        ("doctor",),
        ("remove", "ferry.txt"),
    )
    faults = [GOOD, *BROKEN] if rounds.all else [GOOD, BROKEN[1]]
    cases = [(reply, command) for reply in faults for command in commands]
    if not rounds.all:
        asking = [(GOOD, command) for command in commands if command[0] in ("index", "ask", "batch")]
        cases = [*asking, (BROKEN[1], ("ask", QUESTION))]
    told = dict[tuple[str, ...], str]()
    for _, (reply, command) in zip(rounds(len(cases), len(cases)), cases, strict=True):
        if command == ("index",):
            (tmp_path / "documents").mkdir(exist_ok=True)
            (tmp_path / "documents" / "ferry.txt").write_text(
                f"The ferry\n\n{SOLD} It carried coal at first.\n"
            )
            (tmp_path / "kept.tar.gz").unlink(missing_ok=True)
            out.unlink(missing_ok=True)
        server.reply = reply
        running = feud(environ, *command)
        said, logged = running.communicate(f"{QUESTION}\n\n" if command == ("chat",) else "", timeout=120)
        told[command] = logged
        assert private(logged) == "", (command, logged)
        assert KEY not in said, (command, said)
    assert not [name for name in tmp_path.rglob("*.log*") if name.is_file()]
    assert KEY not in out.read_text() if out.exists() else True


def test_the_page_logs_nothing_of_it(server: ScriptedServer, environ: dict[str, str], rounds: Rounds) -> None:
    feud(environ, "index").communicate(timeout=120)
    logged = list[str]()
    with feud(environ, "serve", "--port", "0") as served:
        assert served.stdout
        assert served.stderr
        address = next(line for line in served.stdout if line.startswith("http://")).strip()
        reading = Thread(target=logged.extend, args=(served.stderr,))
        reading.start()
        replies = [GOOD, *BROKEN]
        for _ in rounds(60, 6):
            server.reply = replies[rounds.done % len(replies)]
            shown = texts(Reader(address).ask(QUESTION))
            assert SOLD.removesuffix(".") in shown
            assert KEY not in shown
            server.reply = GOOD
        Reader(address).post("run/predict", {"data": [QUESTION * 1_000, None, [], [], "", ""], "fn_index": 0})
        Reader(address).post("run/predict", {"data": [{"no": QUESTION}], "fn_index": 0})
        Reader(address).post("queue/join", {"data": [QUESTION], "fn_index": 9_999})
        Reader(address).post("queue/join", {"data": QUESTION, "fn_index": "x"})
        served.send_signal(signal.SIGINT)
        served.wait(timeout=60)
        reading.join(timeout=10)
    rounds.told = f"{len(logged)} lines were logged"
    assert private("".join(logged)) == "", logged
