"""What was waited for: every answer counts where it has a time, and nowhere else."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from eval.case import Case
from eval.growth import by_turns, by_users, together, told
from eval.pace import embedding_pace
from eval.runner import Row, run
from eval.speed import waits
from index import EVERYTHING, Filter
from index.embedder import SentenceTransformerEmbedder
from rag import Answer, Turn
from rag.answer import Timing
from tests import e5_file
from tests.test_eval_runner import CASE, LATER, Scripted


class Timed(Scripted):
    """Answers in the times that it is told, one after the other, and fails where there is none."""

    def __init__(self, *timings: Timing) -> None:
        super().__init__(fails=[n for n, timing in enumerate(timings, 1) if timing.total_ms is None])
        self.timings = list(timings)

    def ask(self, question: str, history: Sequence[Turn] = (), where: Filter = EVERYTHING) -> Answer:
        timing = self.timings.pop(0)
        return replace(super().ask(question, history, where), timing=timing)


def rows(*asked: tuple[Case, Timing]) -> list[Row]:
    return list(run(Timed(*(timing for _, timing in asked)), [case for case, _ in asked], []))


def test_each_wait_is_told_where_there_was_one() -> None:
    found = rows(
        (CASE, Timing(evidence_ms=30, first_token_ms=900, total_ms=2000)),
        (LATER, Timing(evidence_ms=40, first_token_ms=500, total_ms=1000)),
        (CASE, Timing(evidence_ms=50, total_ms=700)),  # refused: nothing was written
        (CASE, Timing()),  # failed
    )
    told = dict(waits(found))
    assert told["evidence"] == [30, 40, 50]
    assert told["first token, where it writes"] == [900, 500]
    assert told["first token of a follow-up"] == [500]
    assert len(told["whole answer"]) == 4


def test_a_conversation_ends_with_the_turns_of_its_case() -> None:
    [own] = LATER.history
    others = [Turn("One?", "1."), Turn("Two?", "2.")]
    assert told(LATER, others, 0) == ()
    assert told(LATER, others, 1) == (own,)
    assert told(LATER, others, 2) == (others[1], own)
    assert told(LATER, others, 5) == (*others, own)


def test_follow_ups_are_asked_after_more_and_more_turns() -> None:
    found = rows((CASE, Timing(total_ms=2000)), (LATER, Timing(total_ms=1000)))
    asked = Scripted()
    timings = by_turns(asked, found)
    assert {count: len(each) for count, each in timings.items()} == dict.fromkeys(range(6), 1)
    assert [question for question, _ in asked.asked] == ["And then?"] * 6
    assert [len(history) for _, history in asked.asked] == [0, 1, 2, 2, 2, 2]


def test_users_ask_at_once_and_each_asks_everything() -> None:
    waiting = threading.Barrier(3, timeout=10)

    def ask(question: str) -> float:
        waiting.wait()  # passes only where three ask at once
        return float(question)

    assert sorted(together(ask, ["1", "2", "3"], 3)) == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    asked = Scripted()
    assert {users: len(each) for users, each in by_users(asked, ["a", "b"]).items()} == {1: 2, 2: 4, 4: 8}
    assert len(asked.asked) == 14


def test_embedding_is_measured_beside_plain_sentence_transformers(tmp_path: Path) -> None:
    embedder = SentenceTransformerEmbedder(e5_file.unpacked(tmp_path))
    texts = ["musk sued openai", "open", "ai"]
    paces, ratios, cosine = embedding_pace(embedder, texts)
    plain, ours = paces
    assert ratios == pytest.approx([b / a for a, b in zip(plain.values, ours.values, strict=True)])
    assert len(ratios) == 3
    assert 0.999 < cosine < 1.001
