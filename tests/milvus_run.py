"""A cluster under load: two servers of feud answer at a steady rate while a query node is killed.

    make cluster PASSAGES=100000

Documents and questions are made as `feud eval size` makes them, so a server is `feud serve --extractive` with
vectors looked up, not computed. Prints how long publishing took, then answers, errors and waits by phase.
"""

import asyncio
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import httpx
import numpy as np

from eval.size import Texts, apart, built, vectors_of
from index import Progress, milvus, open_index
from index.milvus.server import Entity, Server, size_of
from rag.assistant import Assistant
from rag.opening import Library
from rag.question import understand
from rag.settings import Settings
from ui.folder import Folder
from ui.site import serve

PORTS = (7871, 7872)
RATE = 0.8  # questions a second, by turns to both
BEFORE, DURING, AFTER = 60.0, 40.0, 60.0  # seconds; the node dies when the second begins
QUESTIONS = 200
PACE = 8e6  # bytes a second


def asked(texts: Texts) -> list[str]:
    """The questions, the same in each process: such as are searched word for word."""
    plain = [query for query in texts.queries if understand(query.text, (), None).standalone == query.text]
    return [texts.ask(query) for query in random.Random(2).sample(plain, QUESTIONS)]


def answer(vectors: Path, home: Path, address: str, port: int) -> None:
    """Serve, as `feud serve --extractive` does."""
    texts = Texts(vectors)
    asked(texts)
    settings = Settings(home, home / "documents", home / "models", store=address)
    assistant = Assistant(Library(settings, texts).latest, None)
    serve(assistant, Folder(settings, assistant.latest), port=port, at_once=4)


class Paced(Server):
    """Sends no faster than the mock of a queue is read: it keeps the last 5 MB of a channel, and no more."""

    def insert(self, name: str, entities: Iterable[Entity], partition: str = "") -> int:
        return super().insert(name, self._slowly(entities), partition)

    def finish(self, name: str, count: int, exact: bool) -> None:
        self._ask("flush", name, timeout=300)  # else the nodes that search would read from the queue
        super().finish(name, count, exact)

    def _slowly(self, entities: Iterable[Entity]) -> Iterator[Entity]:
        sent, began = 0, time.monotonic()
        for entity in entities:
            yield entity
            sent += size_of(entity)
            time.sleep(max(0.0, began + sent / PACE - time.monotonic()))


def publish(vectors: Path, home: Path, address: str, count: int) -> None:
    """Build an index of `count` passages and put it into the store."""
    made = apart(built, vectors, home, count)
    started = time.monotonic()
    for step in milvus.publish(Paced(address), home):
        if isinstance(step, Progress) and sys.stderr.isatty():
            print(f"\r{step.stage} {step.done:,} of {step.total:,}", end="", file=sys.stderr)
    print(
        f"built in {made['build_seconds']:.0f} s, published in {time.monotonic() - started:.0f} s", flush=True
    )


class Ask(NamedTuple):
    """A question that was asked, seconds after the first: the answer, or what went wrong."""

    number: int
    at: float
    seconds: float
    text: str | None
    fault: str


async def load(questions: Sequence[str]) -> list[Ask]:
    """Ask at the rate, however long each takes; kill the node on the way."""
    done: list[Ask] = []
    began = time.monotonic()

    async def ask(number: int, client: httpx.AsyncClient) -> None:
        sent = time.monotonic()
        text, fault = None, ""
        try:
            url = f"http://127.0.0.1:{PORTS[number % len(PORTS)]}/api/ask"
            reply = await client.post(url, json={"question": questions[number % len(questions)]})
            text = reply.json()["text"] if reply.status_code == 200 else None
            fault = "" if text is not None else f"{reply.status_code} {reply.text[:300]}"
        except httpx.HTTPError as error:
            fault = repr(error)
        done.append(Ask(number, sent - began, time.monotonic() - sent, text, fault))

    async with httpx.AsyncClient(timeout=60) as client, asyncio.TaskGroup() as group:
        for number in range(int((BEFORE + DURING + AFTER) * RATE)):
            await asyncio.sleep(max(0.0, began + number / RATE - time.monotonic()))
            if number == int(BEFORE * RATE):
                os.kill(int(os.environ["PID_QUERY2"]), signal.SIGKILL)
            group.create_task(ask(number, client))
    return done


@contextmanager
def serving(arguments: list[str], port: int) -> Iterator[None]:
    """Run a server until left."""
    process = subprocess.Popen([sys.executable, "-m", "tests.milvus_run", "serve", *arguments, str(port)])
    try:
        until = time.monotonic() + 180
        while time.monotonic() < until:
            assert process.poll() is None, "the server ended"
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready?without=model", timeout=30):
                    break
            except OSError:
                time.sleep(0.5)
        yield
    finally:
        process.terminate()
        process.wait(20)


def expected(vectors: Path, home: Path) -> list[str]:
    """What the index on the disk answers."""
    texts = Texts(vectors)
    questions = asked(texts)
    index = open_index(home, texts)
    assistant = Assistant(lambda: index, None)
    return [assistant.ask(question).text for question in questions]


def told(name: str, asks: Sequence[Ask], right: Sequence[str]) -> str:
    """A line of the table."""
    waits = [each.seconds for each in asks]
    failed = sum(each.text is None for each in asks)
    same = sum(each.text == right[each.number % len(right)] for each in asks)
    median, most = np.percentile(waits, (50, 95))
    counts = f"{len(asks):4} asked {failed:3} errors {same:4} as on the disk"
    return f"{name:6} {counts}   p50 {median:5.2f} s   p95 {most:5.2f} s   longest {max(waits):5.2f} s"


def resident() -> str:
    """The memory of each process of the cluster."""
    sizes = []
    for name, pid in sorted(os.environ.items()):
        if name.startswith("PID_"):
            status = Path(f"/proc/{pid}/status").read_text()
            kilobytes = int(re.findall(r"VmRSS:\s+(\d+)", status)[0])
            sizes.append(f"{name[4:].lower()} {kilobytes >> 10} MB")
    return ", ".join(sizes)


def main(count: int) -> None:
    """Publish, serve, ask, and print a line for each phase."""
    kept = vectors_of(Settings.from_env())
    address = f"{os.environ['FEUD_TEST_STORE']}?replicas=2&shards=2"
    with TemporaryDirectory() as name:
        home = Path(name)
        vectors = Path(shutil.copy(kept, home / "vectors.sqlite"))  # the questions hang on what is in it
        publish(vectors, home / "builder", address, count)
        right = expected(vectors, home / "builder")
        server = [str(vectors), str(home / "server"), address]
        with serving(server, PORTS[0]), serving(server, PORTS[1]):
            questions = asked(Texts(vectors))
            print(resident(), flush=True)
            asks = asyncio.run(load(questions))
        phases = {"before": (0.0, BEFORE), "during": (BEFORE, BEFORE + DURING), "after": (BEFORE + DURING, 1e9)}
        for phase, (first, last) in phases.items():
            print(told(phase, [each for each in asks if first <= each.at < last], right))
        for fault in {each.fault for each in asks if each.fault}:
            print(fault)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        answer(Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4], int(sys.argv[5]))
    else:
        main(int(sys.argv[1]))
