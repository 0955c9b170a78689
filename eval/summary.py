"""What the rows of a run say together, and how one run differs from another.

Intervals are bootstrapped over cases. Cases of one topic share documents and so their luck: with few topics
the true intervals are somewhat wider.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Literal, TypeVar

import numpy as np

from eval.measures import MEASURES, Measure
from eval.runner import Row, read_rows

SEED = 20250212
RESAMPLES = 2000
CONFIDENCE = 0.95

By = Literal["all", "kind", "language"]
Value = TypeVar("Value", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Estimate:
    """The mean of a measure over `n` cases, its 95 % interval, the median and the 95th percentile."""

    n: int
    mean: float
    low: float
    high: float
    median: float
    p95: float


@dataclass(frozen=True, slots=True)
class Group:
    """The cases of one kind or one language, or all of them, with an estimate of each measure that applies."""

    by: By
    name: str
    cases: int
    measures: Mapping[str, Estimate]


@dataclass(frozen=True, slots=True)
class Summary:
    """A run: its rows in groups, and what answered. Several models or generations mean that it was resumed."""

    name: str
    splits: tuple[str, ...]
    llms: tuple[str, ...]
    embedders: tuple[str, ...]
    generations: tuple[int, ...]
    rows: tuple[Row, ...]
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """How a measure differs from the earlier run over the cases that both measured.

    `difference` is later minus earlier, `low` to `high` its 95 % interval; `better` and `worse` are case ids.
    """

    measure: Measure
    n: int
    earlier: float
    later: float
    difference: float
    low: float
    high: float
    better: tuple[str, ...]
    worse: tuple[str, ...]

    @property
    def equal(self) -> int:
        return self.n - len(self.better) - len(self.worse)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs, case by case. `apart` are the ids of cases that only one has, or that were edited between."""

    earlier: Summary
    later: Summary
    changes: tuple[Change, ...]
    apart: tuple[str, ...]


def summarise(rows: Iterable[Row], name: str = "") -> Summary:
    """Put the rows of a run into groups: all, by kind, by language."""
    rows = tuple(rows)
    came = [row.answer for row in rows if row.answer["status"] != "failed"]
    kinds = _distinct(row.case.kind for row in rows)
    languages = sorted({row.case.language for row in rows})
    return Summary(
        name=name,
        splits=_distinct(row.case.split for row in rows),
        llms=_distinct(answer["model"]["llm"] for answer in came),
        embedders=_distinct(answer["model"]["embedder"] for answer in came),
        generations=_distinct(answer["generation"] for answer in came),
        rows=rows,
        groups=(
            _group("all", "all", rows),
            *(_group("kind", kind, [row for row in rows if row.case.kind == kind]) for kind in kinds),
            *(
                _group("language", code, [row for row in rows if row.case.language == code])
                for code in languages
            ),
        ),
    )


def compare(earlier: Summary, later: Summary) -> Comparison:
    """Pair the rows of two runs by case and tell, per measure, what became better and what worse."""
    before = {row.case.id: row for row in earlier.rows}
    after = {row.case.id: row for row in later.rows}
    pairs = [(before[i], row) for i, row in after.items() if i in before and before[i].case == row.case]
    paired = {row.case.id for _, row in pairs}
    changes = (_change(measure, pairs) for measure in MEASURES)
    return Comparison(
        earlier,
        later,
        changes=tuple(change for change in changes if change is not None),
        apart=tuple(i for i in {**before, **after} if i not in paired),
    )


def read_run(folder: Path) -> Summary:
    """The summary of a run from its folder. Raises `RunError` where there is none."""
    return summarise(read_rows(folder), folder.name)


def interval(values: Sequence[float], bounds: tuple[float, float] | None) -> tuple[float, float]:
    """The bootstrap 95 % interval of the mean of `values`, with the same draws every time.

    Where all values are equal a bootstrap would claim certainty. Instead, with `bounds`, cases as yet unseen
    are taken to lie at a bound as often as n cases can't rule out: 1 - 0.05 ** (1 / n), about 3 / n.

    >>> low, high = interval([1.0] * 30, (0, 1))
    >>> round(low, 3), high
    (0.905, 1.0)
    """
    mean = fmean(values)
    if min(values) == max(values):
        unseen = 1 - (1 - CONFIDENCE) ** (1 / len(values))
        low, high = bounds or (mean, mean)
        return mean - unseen * (mean - low), mean + unseen * (high - mean)
    drawn = np.random.default_rng(SEED).integers(0, len(values), size=(RESAMPLES, len(values)))
    means = np.array(values)[drawn].mean(axis=1)
    low, high = np.quantile(means, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def _group(by: By, name: str, rows: Sequence[Row]) -> Group:
    estimates = {}
    for measure in MEASURES:
        own = [row for row in rows if measure.name in row.measures]
        if own:
            estimates[measure.name] = _estimate(measure, own)
    return Group(by, name, len(rows), estimates)


def _estimate(measure: Measure, rows: Sequence[Row]) -> Estimate:
    values = [row.measures[measure.name] for row in rows]
    low, high = interval(values, (0, 1) if measure.unit == "share" else None)
    median, p95 = np.quantile(values, [0.5, 0.95])
    return Estimate(len(values), fmean(values), low, high, float(median), float(p95))


def _change(measure: Measure, pairs: Sequence[tuple[Row, Row]]) -> Change | None:
    name = measure.name
    own = [(a, b) for a, b in pairs if name in a.measures and name in b.measures]
    if not own:
        return None
    gains = [b.measures[name] - a.measures[name] for a, b in own]
    bounds = (-1.0, 1.0) if measure.unit == "share" else None
    low, high = interval(gains, bounds)
    sign = 1 if measure.better == "higher" else -1
    return Change(
        measure,
        n=len(own),
        earlier=fmean(a.measures[name] for a, _ in own),
        later=fmean(b.measures[name] for _, b in own),
        difference=fmean(gains),
        low=low,
        high=high,
        better=tuple(b.case.id for gain, (_, b) in zip(gains, own, strict=True) if sign * gain > 0),
        worse=tuple(b.case.id for gain, (_, b) in zip(gains, own, strict=True) if sign * gain < 0),
    )


def _distinct(values: Iterable[Value]) -> tuple[Value, ...]:
    return tuple(dict.fromkeys(values))
