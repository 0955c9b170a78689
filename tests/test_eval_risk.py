"""The risk–coverage curve."""

from typing import Any

from eval.case import Case
from eval.risk import curve
from eval.runner import Row

CASE = Case("q", "dev", "lake", "one_fact", "en", "When?")


def row(likely: float | None, cited: float = 0.0, status: str = "answered") -> Row:
    answer: dict[str, Any] = {"status": status, "statements": [] if likely is None else [{"likely": likely}]}
    return Row(CASE, answer, 1.0, {"citation recall": cited})


def test_the_surest_are_answered_first_and_equally_sure_ones_together() -> None:
    rows = [row(0.3), row(0.9, cited=1.0), row(0.5), row(0.5, cited=0.5), row(None, status="not_in_documents")]
    assert curve(rows) == [(0.2, 0.0), (0.6, 1 / 3), (0.8, 0.5)]


def test_where_nothing_is_answered_or_no_model_judged_there_is_no_curve() -> None:
    assert curve([row(None, status="not_in_documents"), row(None)]) == []
