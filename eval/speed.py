"""`feud eval speed`: how long readers wait, warm and cold, alone and together, and what memory it takes.

Quality stands beside time: the same run measures both, since a faster answer that says less is no gain. How
the index grows is measured by `feud eval size`.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from eval.case import Case
from eval.runner import Row, run
from rag.assistant import Assistant
from rag.opening import open_assistant
from rag.settings import Settings

QUALITY = ("facts", "citation precision", "answered", "hallucination")
"""What is shown beside the times."""
COLD = 5
"""How often each program is started anew."""
_PATIENCE = 120  # seconds for a program to start


def measure(settings: Settings, cases: Sequence[Case], users: int) -> None:
    """Ask the cases warm, extractively and by several users at once, start the programs cold; print all."""
    errors, out = Console(file=sys.stderr), Console(highlight=False)
    assistant = open_assistant(settings)
    plain = Assistant(assistant.latest, None)
    assistant.warm_up()
    documents = assistant.latest().documents

    def asked(who: Assistant, what: str) -> list[Row]:
        return list(track(run(who, cases, documents), what, total=len(cases), console=errors))

    rows, quoted = asked(assistant, "warm"), asked(plain, "extractive")
    table = _table("milliseconds", "median", "p95", "n")
    for name, values in waits(rows):
        _add(table, name, values)
    _add(table, "extractive answer", [1000 * row.seconds for row in quoted])
    out.print(table)
    out.print(_quality(rows))
    alone, together = _together(assistant, [case.question for case in cases], users, errors)
    out.print(
        f"{users} users at once: p95 {together:.1f} s, one alone {alone:.1f} s, ratio {together / alone:.1f}"
    )
    table = _table("peak memory, MB", "")
    for name, peak in _peaks():
        table.add_row(name, f"{peak / 1e6:.0f}")
    out.print(table)
    table = _table("cold start, ms", "median", "p95", "n")
    for name, start in _starts(cases[0].question).items():
        _add(table, name, [start() for _ in track(range(COLD), name, console=errors)])
    out.print(table)


def waits(rows: Sequence[Row]) -> Iterator[tuple[str, list[float]]]:
    """Milliseconds by what was waited for; an answer that failed or wrote nothing is left out there.

    A follow-up's first token is told by itself, too.
    """
    yield "evidence", _told(rows, "evidence_ms")
    yield "first token, where it writes", _told(rows, "first_token_ms")
    following = [row for row in rows if row.case.kind == "follow_up"]
    yield "first token of a follow-up", _told(following, "first_token_ms")
    yield "whole answer", [1000 * row.seconds for row in rows]


def _told(rows: Sequence[Row], timing: str) -> list[float]:
    return [ms for row in rows if (ms := row.answer["timing"][timing]) is not None]


def _quality(rows: Sequence[Row]) -> str:
    shares = []
    for name in QUALITY:
        if values := [row.measures[name] for row in rows if name in row.measures]:
            shares.append(f"{name} {np.mean(values):.2f} (n {len(values)})")
    return "the same answers: " + ", ".join(shares)


def _together(assistant: Assistant, questions: list[str], users: int, errors: Console) -> tuple[float, float]:
    """The 95th percentile of seconds for one user, and for several who each ask all questions in another order.

    Without their conversations, so that all do the same.
    """

    def ask(question: str) -> float:
        started = time.perf_counter()
        assistant.ask(question)
        return time.perf_counter() - started

    def user(number: int) -> list[float]:
        return [ask(question) for question in questions[number:] + questions[:number]]

    alone = [ask(question) for question in track(questions, "one user", console=errors)]
    with ThreadPoolExecutor(users) as pool:
        seconds = [each for own in pool.map(user, range(users)) for each in own]
    return float(np.percentile(alone, 95)), float(np.percentile(seconds, 95))


def _peaks() -> Iterator[tuple[str, int]]:
    """The most bytes that this process and its children have had in memory, where the system tells (Linux)."""
    own = Path("/proc/self")
    if not own.exists():
        return
    children = (own / f"task/{os.getpid()}/children").read_text().split()
    for name, pid in (("feud", "self"), *(("engine", child) for child in children)):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        yield name, next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def _starts(question: str) -> dict[str, Callable[[], float]]:
    """What is started cold, and a function that does so and returns the milliseconds."""
    feud = shutil.which("feud", path=str(Path(sys.executable).parent)) or "feud"
    return {
        "feud --help": lambda: _ran([feud, "--help"]),
        "feud ask --extractive": lambda: _ran([feud, "ask", "--extractive", "--", question]),
        "feud ask": lambda: _ran([feud, "ask", "--", question]),
        "feud serve, first view": lambda: _served(feud),
    }


def _ran(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return 1000 * (time.perf_counter() - started)


def _served(feud: str) -> float:
    """Start the page at a free port, and stop it when it has been shown."""
    started = time.perf_counter()
    command = [feud, "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as served:
        assert served.stdout is not None
        address = next(word for line in served.stdout for word in line.split() if word.startswith("http"))
        httpx2.get(address, timeout=_PATIENCE, trust_env=False).raise_for_status()
        took = 1000 * (time.perf_counter() - started)
        served.terminate()
    return took


def _table(*columns: str) -> Table:
    table = Table()
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    return table


def _add(table: Table, name: str, values: Sequence[float]) -> None:
    if values:
        median, p95 = np.percentile(values, (50, 95))
        table.add_row(name, f"{median:.0f}", f"{p95:.0f}", str(len(values)))
