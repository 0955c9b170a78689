"""`feud eval speed`: how long readers wait, warm and cold, alone and together, and what memory it takes.

Quality stands beside time: the same run measures both, since a faster answer that says less is no gain.
`eval/pace.py` counts tokens a second, `eval/growth.py` what more documents, turns and users cost.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import httpx2
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from eval.case import Case
from eval.growth import USERS, by_documents, by_turns, by_users, enough
from eval.pace import Pace, embedding_pace, engine_pace
from eval.runner import Row, run
from eval.size import QUESTIONS, apart, vectors_of
from index.embedder import SentenceTransformerEmbedder
from rag.assistant import Assistant
from rag.opening import Library, open_assistant
from rag.settings import Settings

T = TypeVar("T")

QUALITY = ("facts", "citation precision", "answered", "hallucination")
"""What is shown beside the times."""
COLD = 5
"""How often each program is started anew."""
PROMPTS, EMBEDDED = 12, 64
"""Prompts that are read, and passages that are embedded, to count tokens a second."""
_PATIENCE = 120  # seconds for a program to start


def measure(settings: Settings, cases: Sequence[Case], users: int) -> None:
    """Measure all, one after the other, and print each table as soon as it stands."""
    out = Console(highlight=False)
    # In a process of its own, since plain sentence-transformers are no part of the program's memory.
    _print_paces(*apart(_paces, settings, [case.question for case in cases[:PROMPTS]]), out)
    assistant = open_assistant(settings)
    assistant.warm_up()
    rows = _print_waits(assistant, cases, out)
    _print_growth(settings, assistant, rows, users, out)
    table = _table("peak memory, MB", "")
    for name, peak in _peaks():
        table.add_row(name, f"{peak / 1e6:.0f}")
    out.print(table)
    table = _table("cold start, ms", "median", "p95", "n")
    for name, start in _starts(cases[0].question).items():
        _add(table, name, [start() for _ in _tracked(range(COLD), name)])
    out.print(table)


def _print_waits(assistant: Assistant, cases: Sequence[Case], out: Console) -> list[Row]:
    documents = assistant.latest().documents

    def asked(who: Assistant, what: str) -> list[Row]:
        return list(_tracked(run(who, cases, documents), what, len(cases)))

    rows, quoted = asked(assistant, "warm"), asked(Assistant(assistant.latest, None), "extractive")
    table = _table("milliseconds", "median", "p95", "n")
    for name, values in waits(rows):
        _add(table, name, values)
    _add(table, "extractive answer", [1000 * row.seconds for row in quoted])
    out.print(table)
    table = _table("tokens an answer", "median", "p95", "n")
    for name in ("prompt_tokens", "generated_tokens"):
        _add(table, name.replace("_tokens", ""), _told(rows, name))
    out.print(table)
    out.print(_quality(rows))
    return rows


def _paces(settings: Settings, questions: Sequence[str]) -> tuple[list[Pace], str]:
    """Tokens a second of the engine and of the embedder, and how the latter compares, in words."""
    index = Library(settings).latest()
    paces = engine_pace(settings, index, questions)
    if not isinstance(index.embedder, SentenceTransformerEmbedder):
        return paces, ""
    texts = [passage.text for passage in index.passages[:EMBEDDED]]
    found, ratios, cosine = embedding_pace(index.embedder, texts)
    return paces + found, (
        f"{len(texts)} passages, {np.median(ratios):.1f} times as fast as plain sentence-transformers "
        f"({min(ratios):.1f} to {max(ratios):.1f}, n {len(ratios)}), least cosine {cosine:.5f}"
    )


def _print_paces(paces: Sequence[Pace], compared: str, out: Console) -> None:
    table = _table("tokens a second", "median", "slowest 5 %", "n", "machine's limit", "reached")
    for pace in paces:
        if pace.values:
            median, slow = np.percentile(pace.values, (50, 5))
            limits = (f"{pace.limit:.0f}", f"{median / pace.limit:.0%}") if pace.limit else ()
            table.add_row(pace.name, f"{median:.0f}", f"{slow:.0f}", str(len(pace.values)), *limits)
    out.print(table)
    out.print(compared)


def _print_growth(
    settings: Settings, assistant: Assistant, rows: Sequence[Row], users: int, out: Console
) -> None:
    vectors = vectors_of(settings)
    if enough(vectors):
        table = _table("passages", "search, median ms", "p99", "n")
        for passages, (median, p99) in by_documents(vectors).items():
            table.add_row(f"{passages:,}", f"{median:.0f}", f"{p99:.0f}", str(QUESTIONS))
        out.print(table)
    else:
        out.print(
            "Growth with documents is measured once there are vectors of public texts: feud eval retrieval"
        )
    table = _table("turns before", "evidence, median ms", "first token", "whole answer", "n")
    for count, timings in by_turns(assistant, rows).items():
        medians = [
            f"{np.median(values):.0f}" if (values := [v for t in timings if (v := getattr(t, name))]) else "–"
            for name in ("evidence_ms", "first_token_ms", "total_ms")
        ]
        table.add_row(str(count), *medians, str(len(timings)))
    out.print(table)
    table = _table("users at once", "whole answer, median ms", "p95", "n")
    counts = sorted({count for count in (*USERS, users) if count <= users})
    for count, seconds in by_users(assistant, [row.case.question for row in rows], counts).items():
        _add(table, str(count), [1000 * each for each in seconds])
    out.print(table)


def _tracked(steps: Iterable[T], what: str, total: int | None = None) -> Iterable[T]:
    return track(steps, what, total=total, console=Console(file=sys.stderr))


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


def _peaks() -> Iterator[tuple[str, int]]:
    """The most bytes that this process and its children have had in memory, where the system tells (Linux)."""
    own = Path("/proc/self")
    if not own.exists():
        return
    children = (own / f"task/{os.getpid()}/children").read_text().split()
    engines = [child for child in children if b"rag.engine" in Path(f"/proc/{child}/cmdline").read_bytes()]
    for name, pid in (("feud", "self"), *(("engine", child) for child in engines)):
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
