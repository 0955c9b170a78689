"""An engine that hangs is ended and comes back; a good one is left alone, whatever stands still around it."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rag.engine import Engine
from rag.errors import LLMError
from rag.llm import Message, OpenAILLM
from tests.stub_engine import PROGRAM
from tests.test_rag_engine import children, ended

ROOT = Path(__file__).parents[1]
SHOWN = " ".join(["word"] * 40)
PROMPT = [Message("user", f"[x] {SHOWN}")]
HEARD = 5.0  # seconds within which whoever waits has to hear of it
BROKE = "The embedded engine with stub ended before its answer did. Ask again: it starts anew."


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    (tmp_path / "model").write_text("good")
    return Engine(lambda: tmp_path / "model", start_seconds=60, program=PROGRAM)


def reply(engine: Engine) -> str:
    return "".join(piece.text for piece in OpenAILLM("stub", engine.endpoint).stream(PROMPT, 50)).strip()


def is_stub(pid: int) -> bool:
    """Whether a child is the stub already, and not yet the copy of this process that becomes it."""
    return PROGRAM[1].encode() in Path("/proc", str(pid), "cmdline").read_bytes()


def waited(ask: Callable[[], object]) -> tuple[str, float]:
    """The error that comes, and how many seconds it took."""
    began = time.monotonic()
    with pytest.raises(LLMError) as caught:
        ask()
    return str(caught.value), time.monotonic() - began


@pytest.mark.parametrize("how", ["good", "deaf"])
def test_one_that_hangs_is_ended_and_the_next_question_starts_it_anew(
    engine: Engine, tmp_path: Path, how: str
) -> None:
    (tmp_path / "model").write_text(how)
    before = children()
    llm = OpenAILLM("stub", engine.endpoint, window=8192)
    pieces = llm.stream([Message("user", "[x] " + "word " * 900)], 900)
    next(pieces)
    [child] = children() - before
    if how == "good":
        os.kill(child, signal.SIGSTOP)
    told, seconds = waited(lambda: list(pieces))
    assert (told, seconds < HEARD) == (BROKE, True), seconds
    (tmp_path / "model").write_text("good")
    assert reply(engine) == SHOWN
    assert ended(child)


def test_one_that_is_stopped_while_it_loads_is_ended(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "model").write_text("loads")
    before = children()
    loading = threading.Thread(target=lambda: waited(engine.endpoint))
    loading.start()
    while not (started := children() - before) or not is_stub(*started):
        time.sleep(0.02)
    [child] = started
    os.kill(child, signal.SIGSTOP)
    loading.join(HEARD)
    assert not loading.is_alive()
    assert ended(child)


PROGRAM_OF_ITS_OWN = """
import sys
from pathlib import Path
from rag.engine import Engine
from tests.stub_engine import PROGRAM
from tests.test_rag_watch import reply
engine = Engine(lambda: Path(sys.argv[1]), program=PROGRAM)
for _ in sys.stdin:
    print(reply(engine), *(task.read_text() for task in Path("/proc/self/task").glob("*/children")), flush=True)
"""


def test_a_program_that_was_stopped_and_goes_on_keeps_its_engine(tmp_path: Path) -> None:
    (tmp_path / "model").write_text("good")
    command = [sys.executable, "-c", PROGRAM_OF_ITS_OWN, str(tmp_path / "model")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT, bufsize=1) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        program.stdin.write("\n")
        said = program.stdout.readline()
        for sent, seconds in ((signal.SIGSTOP, 4), (signal.SIGCONT, 1.5)):
            for pid in (program.pid, int(said.split()[-1])):
                os.kill(pid, sent)
            time.sleep(seconds)
        program.stdin.write("\n")
        assert program.stdout.readline().split() == said.split()
        program.stdin.close()
    assert said.startswith(SHOWN)
