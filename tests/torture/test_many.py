"""Many ask `feud serve` at once: each waits their turn and no longer, reads their own, and leaves nothing."""

import json
import random
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.program import done, seconds_written, serving, stub_models
from tests.reader import Reader, texts
from tests.test_index_build import WORDS
from tests.test_rag_engine import resident
from tests.test_ui_programs import events
from tests.torture.conftest import Rounds

OWNERS = ["Marta Quist", "Anna Brandt", "Jean Goff", "Oskar Lund", "Ivo Krall"]


def facts() -> dict[str, str]:
    """Questions of the same length, each with the one sentence that answers it."""
    return {
        f"Who was the {thing} sold to?": f"The {thing} was sold to {OWNERS[n % 5]} in {1800 + n}."
        for n, thing in enumerate(f"{one} of the {two}" for one in WORDS[:10] for two in WORDS[10:])
    }


def home(folder: Path) -> Path:
    (folder / "documents").mkdir(parents=True)
    for n, fact in enumerate(facts().values()):
        (folder / "documents" / f"{n}.txt").write_text(
            f"Sale {n}\n\n{fact} It rained on that day of the year.\n"
        )
    return folder


class Program:
    """Somebody with a program and an address of their own: each has a line of their own."""

    def __init__(self, address: str, number: int) -> None:
        self.place, self.here = urlsplit(address).netloc, f"127.0.{1 + number // 200}.{1 + number % 200}"

    def ask(self, question: str, history: Sequence[dict[str, str]] = (), stop: int = 0) -> list[Any]:
        """The snapshots of an answer, the result last; with `stop` no more than so many, then it leaves."""
        body = {"question": question, "history": list(history), "stream": True}
        connection = HTTPConnection(self.place, timeout=120, source_address=(self.here, 0))
        with closing(connection):
            connection.request("POST", "/api/ask", json.dumps(body), {"Content-Type": "application/json"})
            response = connection.getresponse()
            assert response.status == 200, response.read()
            told = list[Any]()
            for name, value in events(response):
                assert name in ("snapshot", "answer"), value
                told.append(value)
                if len(told) == stop:
                    break
            return told


@pytest.fixture
def environ(tmp_path: Path) -> Iterator[dict[str, str]]:
    with stub_models(home(tmp_path), 0.03) as environ:
        done(environ, "index")
        yield environ


def test_each_waits_their_turn_and_no_longer(environ: dict[str, str], rounds: Rounds) -> None:
    """Half of them read the page, half use programs. Times count on a machine that does nothing else."""
    if not rounds.all:
        pytest.skip("it measures times: make torture")
    asked = list(facts())
    with serving(environ) as (address, _):

        def one(n: int) -> float:
            began = time.monotonic()
            if n % 2:
                shown = texts(Reader(address).ask(asked[n]))
            else:
                *_, answer = Program(address, n).ask(asked[n])
                assert answer["question"] == asked[n]
                shown = answer["text"]
            assert facts()[asked[n]].removesuffix(".") in shown
            return time.monotonic() - began

        def together(users: int) -> list[float]:
            rounds.done += users
            with ThreadPoolExecutor(users) as threads:
                return list(threads.map(one, range(users)))

        single, own = list[float](), list[float]()
        for n in range(22):
            before = seconds_written(environ)
            single.append(one(n))
            own.append(1000 * (single[-1] - (seconds_written(environ) - before)))
        alone = median(single[2:])  # the first ones find nothing warm
        program, page = median(own[2::2]), median(own[3::2])
        told = [
            f"alone {alone:.2f} s, of them not the model's {program:.0f} ms by HTTP, {page:.0f} ms on the page"
        ]
        shares = []
        for users in (4, 16, 32):
            last = quantiles(together(users), n=20, method="inclusive")[-1]
            shares.append(last / (users * alone))
            told.append(f"{users} together p95 {last:.2f} s ({shares[-1]:.2f} of their turns)")
    rounds.told = ", ".join(told)
    assert max(shares) <= 1.15, told


def test_a_long_day_leaves_memory_flat_and_each_their_own(tmp_path: Path, rounds: Rounds) -> None:
    known = facts()
    with stub_models(home(tmp_path / "home"), 0.0005) as environ:
        done(environ, "index")
        with serving(environ) as (address, server):

            def talk(chosen: random.Random) -> None:
                question, n = chosen.choice(list(known)), chosen.randrange(10**6)
                mine, program = f"reader-{n:06}", Program(address, n % 8)
                turns = [
                    f"{question[:-1]}, asks {mine}?",
                    f"And {question[0].lower()}{question[1:-1]}, asks {mine}?",
                ]
                history = list[dict[str, str]]()
                for asked in turns[: chosen.randint(1, 2)]:
                    stop = chosen.choice([0, 0, 0, 1, 2])
                    told = program.ask(asked, history, stop)
                    for value in told:
                        words = json.dumps(value)
                        assert words.count("reader-") == words.count(mine) > 0, words
                    if stop:
                        return
                    history += [
                        {"role": "user", "content": asked},
                        {"role": "assistant", "content": told[-1]["text"]},
                    ]
                    assert told[-1]["status"] in ("answered", "not_in_documents"), told[-1]

            chats = list(rounds(2_000, 25))
            warm = len(chats) // 5
            with ThreadPoolExecutor(8) as threads:
                list(threads.map(talk, chats[:warm]))
                before = resident(server.pid)
                list(threads.map(talk, chats[warm:]))
                grown = (resident(server.pid) - before) // 1000
    rounds.told = f"{before // 1000} MB after {warm} chats, {grown} MB more after all"
    assert grown <= 50
