"""How waiting grows: with more documents, with a longer conversation, with more users at once."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from eval.case import Case
from eval.runner import Asked, Row
from eval.size import QUESTIONS, WARM, Texts, searched
from rag import Turn
from rag.answer import Timing

PASSAGES = (10, 1_000, 100_000)
TURNS = range(6)
ASKED = 3  # follow-ups that are asked after so many turns each
USERS = (1, 2, 4)


def enough(vectors: Path) -> bool:
    """Whether there are vectors to make documents and questions of: `feud eval retrieval` makes them."""
    return vectors.exists() and len(Texts(vectors).queries) >= QUESTIONS + WARM


def by_documents(vectors: Path, sizes: Sequence[int] = PASSAGES) -> dict[int, tuple[float, float]]:
    """Milliseconds of a search, median and 99th percentile of 300, by the passages of a made-up index.

    That is all that more documents change: the model reads as many sentences from few as from many.
    """
    found = {}
    for size in sizes:
        with TemporaryDirectory() as home:
            measured = searched(vectors, Path(home), size)
        found[measured["passages"]] = measured["fused_p50"], measured["fused_p99"]
    return found


def by_turns(assistant: Asked, rows: Sequence[Row]) -> dict[int, list[Timing]]:
    """Ask follow-ups after more and more turns: their own, before these others of the same run."""
    following = [row.case for row in rows if row.case.kind == "follow_up"][:ASKED]
    others = [Turn(row.case.question, row.answer["text"]) for row in rows if not row.case.history]
    return {
        count: [assistant.ask(case.question, told(case, others, count)).timing for case in following]
        for count in TURNS
    }


def told(case: Case, others: Sequence[Turn], count: int) -> tuple[Turn, ...]:
    """The last `count` turns of a conversation that ends with those of the case."""
    return (*others, *case.history)[-count:] if count else ()


def by_users(
    assistant: Asked, questions: Sequence[str], users: Sequence[int] = USERS
) -> dict[int, list[float]]:
    """Seconds of whole answers while so many ask all questions, each in another order.

    Without their conversations, so that all do the same.
    """

    def ask(question: str) -> float:
        started = time.perf_counter()
        assistant.ask(question)
        return time.perf_counter() - started

    return {count: together(ask, questions, count) for count in users}


def together(ask: Callable[[str], float], questions: Sequence[str], users: int) -> list[float]:
    """What `ask` returned for all questions of all users, who ask at once."""

    def user(number: int) -> list[float]:
        return [ask(question) for question in [*questions[number:], *questions[:number]]]

    with ThreadPoolExecutor(users) as pool:
        return [each for own in pool.map(user, range(users)) for each in own]
