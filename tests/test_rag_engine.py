"""The embedded engine: what it says when it can't start, and that it neither outlives nor outdies anybody."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest

from index import ModelError, ModelStore
from rag.engine import Engine
from rag.errors import LLMError
from rag.llm import Message, OpenAILLM
from rag.settings import Settings

SMALL = "qwen2.5-coder-0.5b-instruct"
PROC = Path("/proc/self/task")


def children() -> set[int]:
    """The processes that this one has started and not yet buried."""
    found: set[int] = set()
    for task in PROC.iterdir():
        with suppress(FileNotFoundError):  # a thread that has ended meanwhile
            found.update(map(int, (task / "children").read_text().split()))
    return found


def ended(pid: int) -> bool:
    """Whether a process is gone, or dead and waiting for its new parent to bury it."""
    try:
        return (Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[0]) == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def wait_until_ended(pid: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not ended(pid):
        assert time.monotonic() < deadline, f"process {pid} still runs after {seconds} s"
        time.sleep(0.02)


@pytest.fixture
def small() -> Path:
    return ModelStore(Settings.from_env().models).find(SMALL)


@pytest.fixture
def engine(small: Path) -> Iterator[Engine]:
    running = Engine(lambda: small, context_tokens=512)
    yield running
    running.stop()


def reply(engine: Engine) -> str:
    model = OpenAILLM(SMALL, engine.endpoint)
    return "".join(piece.text for piece in model.stream([Message("user", "Say: ok")], 5))


def test_a_model_that_is_not_there_is_named_with_what_to_do(tmp_path: Path) -> None:
    engine = Engine(lambda: ModelStore(tmp_path).find(SMALL))
    with pytest.raises(LLMError, match=f"{SMALL} is not in .*feud models pull {SMALL}") as caught:
        engine.endpoint()
    assert isinstance(caught.value.__cause__, ModelError)


@pytest.mark.parametrize(
    "content", [b"", b"no model " * 1000, b"GGUF\x03\x00\x00\x00" + b"\xff" * 4000], ids=len
)
def test_a_broken_file_is_one_error_and_leaves_no_process(tmp_path: Path, content: bytes) -> None:
    model, before = tmp_path / "broken.gguf", children()
    model.write_bytes(content)
    engine = Engine(lambda: model, start_seconds=30)
    with pytest.raises(LLMError, match=r"did not start with broken\.gguf") as caught:
        engine.endpoint()
    assert "\n" not in str(caught.value)
    assert children() == before


def test_a_child_that_hangs_is_ended_at_the_deadline(tmp_path: Path) -> None:
    fifo = tmp_path / "endless.gguf"
    os.mkfifo(fifo)  # whoever opens it waits for a writer that never comes
    before, started = children(), time.monotonic()
    with pytest.raises(LLMError, match=r"did not start with endless\.gguf"):
        Engine(lambda: fifo, start_seconds=1.5).endpoint()
    assert time.monotonic() - started < 3
    assert children() == before


def test_stop_before_a_start_does_nothing(tmp_path: Path) -> None:
    Engine(lambda: tmp_path / "none.gguf").stop()


@pytest.mark.model
def test_it_answers_and_comes_back_after_a_kill(engine: Engine) -> None:
    before = children()
    assert reply(engine).strip()
    first = engine.endpoint()
    [child] = children() - before
    assert engine.endpoint() == first  # it is not started twice
    os.kill(child, signal.SIGKILL)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)  # its threads too, which a zombie may still have
    assert reply(engine).strip()
    assert engine.endpoint() != first
    [again] = children() - before
    engine.stop()
    assert ended(again)
    assert children() == before


@pytest.mark.model
def test_a_kill_in_mid_reply_is_one_error(engine: Engine) -> None:
    before = children()
    engine.endpoint()
    [child] = children() - before
    pieces = OpenAILLM(SMALL, engine.endpoint).stream([Message("user", "Count to one thousand.")], 400)
    next(pieces)
    os.kill(child, signal.SIGKILL)
    started = time.monotonic()
    with pytest.raises(LLMError, match=SMALL):
        for _ in pieces:
            pass
    assert time.monotonic() - started < 5


@pytest.mark.model
def test_nobody_without_the_key_is_served(engine: Engine) -> None:
    endpoint = engine.endpoint()
    assert endpoint.base_url.startswith("http://127.0.0.1:")
    body = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 1}
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        answer = httpx2.post(
            f"{endpoint.base_url}/chat/completions", json=body, headers=headers, trust_env=False
        )
        assert answer.status_code == 401


@pytest.mark.model
def test_it_ends_when_its_parent_is_killed(small: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from rag.engine import Engine\n"
        "engine = Engine(lambda: Path(sys.argv[1]), context_tokens=512); engine.endpoint()\n"
        "print(*(t.read_text() for t in Path('/proc/self/task').glob('*/children')), flush=True)\n"
        "time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(small)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        [child] = [int(pid) for pid in parent.stdout.readline().split()]
        assert not ended(child)
        parent.kill()
    wait_until_ended(child, 5)


@pytest.mark.model
@pytest.mark.skipif(not PROC.exists(), reason="memory of a process is told by Linux alone")
def test_an_idle_engine_gives_its_memory_back_and_answers_again(small: Path) -> None:
    before = children()
    engine = Engine(lambda: small, context_tokens=512, idle_seconds=1)
    try:
        model = OpenAILLM(SMALL, engine.endpoint)
        assert "".join(piece.text for piece in model.stream([Message("user", "Say hello.")], 8))
        (child,) = children() - before
        busy, deadline = resident(child), time.monotonic() + 20
        while resident(child) > busy / 2:
            assert time.monotonic() < deadline, f"{resident(child)} of {busy} kB are still held"
            time.sleep(0.1)
        assert "".join(piece.text for piece in model.stream([Message("user", "Say hello.")], 8))
        assert (children() - before) == {child}
    finally:
        engine.stop()


def resident(pid: int) -> int:
    """Kilobytes of a process in memory."""
    lines = Path("/proc", str(pid), "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
