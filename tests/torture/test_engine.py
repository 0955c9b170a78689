"""The engine is killed, stopped and broken while it is asked: the page lives, readers hear, it comes back."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

from index import Index, ModelStore, build, open_index
from rag.assistant import Assistant
from rag.engine import Engine
from rag.errors import LLMError
from rag.llm import Message, OpenAILLM, Piece
from rag.settings import Settings
from tests.scripted import Fixed
from tests.scripted_llm import CloseEmbedder
from tests.stub_engine import PROGRAM
from tests.test_rag_engine import SMALL, children, ended
from tests.test_rag_watch import HEARD
from tests.test_ui_programs import got
from tests.test_ui_site import request
from tests.torture.conftest import Rounds

Served = Callable[..., str]
SOLD = "The ferry of Hellis was sold in the spring of 1911 to Marta Quist, who painted it green and white."
ASKED = {"question": "Who was the ferry of Hellis sold to in 1911?"}
SIGNALS = (signal.SIGKILL, signal.SIGSTOP, signal.SIGSEGV, signal.SIGSTOP, signal.SIGTERM)


@pytest.fixture
def index(tmp_path: Path) -> Index:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "ferry.txt").write_text(f"The ferry\n\n{SOLD} It carried coal at first.\n")
    assert list(build(folder, tmp_path / "home", CloseEmbedder()))
    return open_index(tmp_path / "home", CloseEmbedder())


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    (tmp_path / "model").write_text("good")
    running = Engine(lambda: tmp_path / "model", start_seconds=60, program=PROGRAM)
    yield running
    running.stop()


def asked(address: str) -> tuple[str, float]:
    """What became of the question, which is told or quoted whatever happens, and how many seconds it took."""
    began = time.monotonic()
    status, answer = got(address, "/api/ask", ASKED)
    assert status == 200, answer
    assert SOLD in [statement["text"] for statement in answer["statements"]], answer
    return answer["status"], time.monotonic() - began


def test_an_engine_killed_or_stopped_while_it_is_asked(
    served: Served, index: Index, engine: Engine, rounds: Rounds
) -> None:
    before, waits, failed = children(), [0.0], 0
    address = served(Assistant(lambda: index, OpenAILLM("stub", engine.endpoint)), Fixed(index.documents))
    assert [asked(address)[0] for _ in range(2)] == ["answered", "answered"]
    whole = asked(address)[1]
    for chosen in rounds(50, 2):
        [child] = children() - before
        sent = SIGNALS[rounds.done % len(SIGNALS)]
        with ThreadPoolExecutor(1) as asking:
            answering = asking.submit(asked, address)
            time.sleep(chosen.uniform(0, 0.8 * whole))
            os.kill(child, sent)
            hit, told = time.monotonic(), answering.done()
            assert request(address, "GET", "/")[0] == 200
            status, _ = answering.result(timeout=60)
            waits.append(0.0 if told else time.monotonic() - hit)
        if sent == signal.SIGSTOP and status == "answered":  # the next one finds it so
            status, seconds = asked(address)
            waits.append(seconds)
        failed += status == "failed"
        assert asked(address)[0] == "answered", sent
        assert ended(child)
    rounds.told = f"{failed} answers broke, heard of after {max(waits):.1f} s at most"
    assert failed >= rounds.done // 2
    assert not rounds.all or max(waits) < HEARD


def test_an_engine_that_does_not_start_is_told_and_started_again(
    engine: Engine, tmp_path: Path, rounds: Rounds
) -> None:
    """A file that breaks it, too little memory, an end while it loads: from outside they look the same."""
    model, before = OpenAILLM("stub", engine.endpoint), children()
    prompt = [Message("user", f"[x] {SOLD}")]
    for _ in rounds(20, 2):
        (tmp_path / "model").write_text("breaks")
        with pytest.raises(LLMError, match=r"did not start with model"):
            list(model.stream(prompt, 50))
        assert children() == before
        (tmp_path / "model").write_text("good")
        assert "".join(piece.text for piece in model.stream(prompt, 50)).strip() == SOLD
        engine.stop()


@pytest.mark.model
def test_the_real_engine_at_work_is_left_alone_and_ended_when_it_hangs(rounds: Rounds) -> None:
    if not rounds.all:
        pytest.skip("it takes minutes: make torture")
    file, before = ModelStore(Settings.from_env().models).find(SMALL), children()
    engine, busy = Engine(lambda: file), threading.Event()
    model = OpenAILLM(SMALL, engine.endpoint, 300, 300)

    def read(chosen: Random) -> list[Piece]:
        text = f"{chosen.random()} " + "The quay of Hellis was paid for. " * 200
        return list(model.stream([Message("user", text)], 30))

    def work() -> None:
        while not busy.is_set():
            sum(range(10**5))

    try:
        engine.endpoint()
        [child] = children() - before
        began = time.monotonic()
        threading.Thread(target=work, daemon=True).start()
        with ThreadPoolExecutor(4) as readers:
            for pieces in readers.map(read, rounds(12, 0)):
                assert pieces[-1].generated_tokens
        worked = time.monotonic() - began
        assert children() - before == {child}
        counting = model.stream([Message("user", "Count to one thousand.")], 900)
        next(counting)
        os.kill(child, signal.SIGSTOP)
        began = time.monotonic()
        with pytest.raises(LLMError, match="ended before its answer did"):
            list(counting)
        rounds.told = f"at work for {worked:.0f} s, a hang told after {time.monotonic() - began:.1f} s"
        assert time.monotonic() - began < HEARD
        assert list(model.stream([Message("user", "Say: ok")], 5))
    finally:
        busy.set()
        engine.stop()
