"""The cells of the tables, as plain text: the same on the terminal and in the report."""

import unicodedata
from collections.abc import Iterator, Sequence

from eval.measures import MEASURES, Measure
from eval.runner import Row
from eval.summary import By, Comparison, Estimate, Group, Summary

BY_NAME = {measure.name: measure for measure in MEASURES}
# What a table by kind or language has room for: measures and the heads of their columns.
COLUMNS = {
    "recall": "found",
    "facts": "facts",
    "citation validity": "valid",
    "citation precision": "prec.",
    "citation recall": "cited",
    "answered": "answ.",
    "hallucination": "hall.",
    "language": "lang.",
    "seconds": "sec.",
}
LEGEND = (
    "By kind and language: mean in per cent, its 95 % interval (bootstrap over cases), n; "
    "for seconds: median, 95th percentile, n."
)
COMPARED = ("measure", "n", "earlier", "later", "difference", "95 % interval", "better", "equal", "worse")
WHOLE = ("measure", "mean", "95 % interval", "n", "what it is")

# A case fails where one of these is not at its best; precision is not among them, as gold is not complete.
MUST = (
    "failed",
    "answered",
    "abstained",
    "facts",
    "forbidden",
    "citation validity",
    "citation recall",
    "language",
)


def faults(row: Row) -> dict[str, float]:
    """The measures by which a case failed, with their values; empty where it did not."""
    best = {name: 1.0 if BY_NAME[name].better == "higher" else 0.0 for name in MUST}
    return {name: row.measures[name] for name in MUST if row.measures.get(name, best[name]) != best[name]}


def headline(summary: Summary) -> str:
    """How many cases, and what answered them."""
    made_with = {
        "splits": summary.splits,
        "llm": [name or "none" for name in summary.llms],
        "embedder": summary.embedders,
        "generation": summary.generations,
    }
    parts = (f"{key} {', '.join(map(str, values)) or 'none'}" for key, values in made_with.items())
    return f"{len(summary.rows)} cases; {'; '.join(parts)}"


def whole(summary: Summary) -> Iterator[tuple[str, ...]]:
    """A row for each measure over all cases, under `WHOLE`."""
    for name, estimate in summary.groups[0].measures.items():
        measure = BY_NAME[name]
        yield name, *_numbers(measure, estimate), str(estimate.n), measure.says


def grouped(summary: Summary, by: By) -> Iterator[tuple[Group, list[tuple[str, ...]]]]:
    """Each kind or language with a cell of several parts for each of `COLUMNS`."""
    for group in summary.groups:
        if group.by == by:
            yield group, list(cells(group))


def compared(comparison: Comparison) -> Iterator[tuple[str, ...]]:
    """A row for each measure that both runs have, under `COMPARED`."""
    for c in comparison.changes:
        digits = {"share": 3, "s": 1, "ms": 0}[c.measure.unit]
        yield (
            c.measure.name,
            str(c.n),
            f"{c.earlier:.{digits}f}",
            f"{c.later:.{digits}f}",
            f"{c.difference:+.{digits}f}",
            f"{c.low:+.{digits}f} to {c.high:+.{digits}f}",
            *(str(len(c.better)), str(c.equal), str(len(c.worse))),
        )


def changed(comparison: Comparison) -> Iterator[str]:
    """A line for each share with the cases that became better and worse."""
    for change in comparison.changes:
        if change.measure.unit == "share" and (change.better or change.worse):
            yield f"{change.measure.name}: better {names(change.better)}; worse {names(change.worse)}"


def apart(comparison: Comparison) -> str:
    """Which cases could not be compared."""
    return f"Only in one run, or edited between: {names(comparison.apart)}"


def names(ids: Sequence[str]) -> str:
    """Case ids in one line."""
    return ", ".join(ids) or "none"


def percent(share: float) -> str:
    """Whole per cent; only what is exactly none or all reads 0 or 100.

    >>> percent(0.5), percent(0.999), percent(1.0)
    ('50', '99', '100')
    """
    return str(min(max(round(100 * share), 1), 99) if 0 < share < 1 else round(100 * share))


def visible(text: str) -> str:
    """A text with its control and invisible characters written out."""
    odd = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    return "".join(
        f"\\u{ord(c):04x}" if unicodedata.category(c) in odd and c not in "\u200c\u200d" else c for c in text
    )


def cells(group: Group) -> Iterator[tuple[str, ...]]:
    """A cell of several parts for each of `COLUMNS`."""
    for name in COLUMNS:
        e = group.measures.get(name)
        if e is None:
            yield ("-",)
        elif BY_NAME[name].unit == "share":
            yield percent(e.mean), f"{percent(e.low)}–{percent(e.high)}", f"n {e.n}"
        else:
            yield f"{e.median:.1f}", f"p95 {e.p95:.1f}", f"n {e.n}"


def _numbers(measure: Measure, e: Estimate) -> tuple[str, str]:
    if measure.unit == "share":
        return f"{e.mean:.3f}", f"{e.low:.3f} to {e.high:.3f}"
    places = 1 if measure.unit == "s" else 0
    median = f"(median {e.median:.{places}f}, p95 {e.p95:.{places}f})"
    return f"{e.mean:.{places}f}", f"{e.low:.{places}f} to {e.high:.{places}f} {median}"
