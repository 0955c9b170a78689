"""What was waited for: every answer counts where it has a time, and nowhere else."""

from collections.abc import Sequence
from dataclasses import replace

from eval.case import Case
from eval.runner import Row, run
from eval.speed import waits
from index import EVERYTHING, Filter
from rag import Answer, Turn
from rag.answer import Timing
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
