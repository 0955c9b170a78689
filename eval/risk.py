"""The risk–coverage curve: how often answers are wrong if only the surest questions are answered.

El-Yaniv and Wiener 2010, "On the foundations of noise-free selective classification".
"""

from collections.abc import Iterable, Iterator

from eval.runner import Row

Point = tuple[float, float]


def curve(rows: Iterable[Row]) -> list[Point]:
    """Points of (share of all questions that is answered, share of those that is wrong), the surest first.

    An answer is as sure as its likeliest statement, and wrong where it cites no gold. A refused question is
    answered at no point: the curve ends where the program stands.
    """
    rows = list(rows)
    told = sorted(
        ((_sure(row), not row.measures.get("citation recall")) for row in rows if _sure(row)), reverse=True
    )
    return list(_points(told, len(rows)))


def _points(told: list[tuple[float, bool]], count: int) -> Iterator[Point]:
    wrong = 0
    for place, (sure, bad) in enumerate(told, start=1):
        wrong += bad
        if place == len(told) or told[place][0] < sure:  # equally sure ones are answered together
            yield place / count, wrong / place


def _sure(row: Row) -> float:
    answered = row.answer["status"] == "answered"
    return (
        max((part.get("likely") or 0.0 for part in row.answer["statements"]), default=0.0) if answered else 0.0
    )
