"""A run for readers: on the terminal, as a Markdown report that shows each failing case, and as JSON."""

import json
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.console import Group as Stack
from rich.table import Table
from rich.text import Text

from eval.normalise import states
from eval.plot import lines
from eval.risk import Point, curve
from eval.runner import Row
from eval.summary import RESAMPLES, SEED, By, Comparison, Summary
from eval.tables import (
    COLUMNS,
    COMPARED,
    LEGEND,
    WHOLE,
    apart,
    changed,
    compared,
    faults,
    grouped,
    headline,
    percent,
    visible,
    whole,
)
from eval.web_report import web_page

SCHEMA = 1
_BYS: tuple[By, ...] = ("kind", "language")
_LONGEST = len("unanswerable")  # the longest single word among the kinds


def unframed(*heads: str) -> Table:
    """A table without a frame, which has room for many columns on a narrow terminal."""
    return Table(*heads, box=SIMPLE, padding=(0, 1, 0, 0), show_edge=False)


def render(summary: Summary) -> Stack:
    """A summary for the terminal: every measure, then the main ones by kind and by language."""
    tables = [unframed(*WHOLE)]
    for cells in whole(summary):
        tables[0].add_row(*cells)
    for by in _BYS:
        table = unframed(by, *COLUMNS.values())
        table.columns[0].min_width = _LONGEST
        for group, parts in grouped(summary, by):
            # Two words can be set in two lines where the terminal is narrow.
            table.add_row(group.name.replace("_", " "), *map("\n".join, parts))
        tables.append(table)
    return Stack(Text(headline(summary)), *tables, Text(LEGEND))


def render_comparison(comparison: Comparison) -> Stack:
    """A comparison for the terminal."""
    table = unframed(*COMPARED)
    for cells in compared(comparison):
        table.add_row(*cells)
    head = Text(f"{comparison.earlier.name} -> {comparison.later.name}")
    return Stack(head, table, *(Text(f"· {line}") for line in changed(comparison)), Text(apart(comparison)))


def write_report(summary: Summary, folder: Path, comparison: Comparison | None = None) -> Path:
    """Write `run.json`, `report.md`, the plot `risk.svg` and `report.html` into `folder`; return the last."""
    data = json.dumps(as_json(summary, comparison), ensure_ascii=False, indent=1)
    (folder / "run.json").write_text(data + "\n", encoding="utf-8")
    (folder / "report.md").write_text(markdown(summary, comparison), encoding="utf-8")
    if points := curve(summary.rows):
        picture = lines("share of questions answered, the surest first", {"wrong answers": points}, shares=True)
        (folder / "risk.svg").write_text(picture, encoding="utf-8")
    page = folder / "report.html"
    page.write_text(web_page(summary, comparison), encoding="utf-8")
    return page


def as_json(summary: Summary, comparison: Comparison | None = None) -> dict[str, Any]:
    """A summary as plain JSON values: what was run, each group's estimates, and the changes if any."""
    data = {
        "schema": SCHEMA,
        "name": summary.name,
        "version": version("feud"),
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "splits": summary.splits,
        "llms": summary.llms,
        "embedders": summary.embedders,
        "generations": summary.generations,
        "bootstrap": {"seed": SEED, "resamples": RESAMPLES},
        "failing": [row.case.id for row in summary.rows if faults(row)],
        "groups": [asdict(group) for group in summary.groups],
    }
    if comparison:
        changes = [{**asdict(change), "measure": change.measure.name} for change in comparison.changes]
        data["compared"] = {"with": comparison.earlier.name, "changes": changes, "apart": comparison.apart}
    return data


def markdown(summary: Summary, comparison: Comparison | None = None) -> str:
    """The report: tables, the comparison, then each failing case with its question, answer and gold."""
    return "\n".join(_lines(summary, comparison)) + "\n"


def _lines(summary: Summary, comparison: Comparison | None) -> Iterator[str]:
    yield from (f"# Eval {summary.name}".rstrip(), "", headline(summary), "")
    yield from _grid(WHOLE, whole(summary))
    for by in _BYS:
        rows = [
            (group.name, str(group.cases), *map(" · ".join, parts)) for group, parts in grouped(summary, by)
        ]
        yield from (f"## By {by}", "", *_grid((by, "cases", *COLUMNS), rows))
    yield from (LEGEND, "")
    if comparison:
        yield from (f"## Against {comparison.earlier.name}", "", *_grid(COMPARED, compared(comparison)))
        yield from (*(f"- {line}" for line in changed(comparison)), "", apart(comparison), "")
    if points := curve(summary.rows):
        yield from (
            "## Risk and coverage",
            "",
            *_grid(("answered, the surest first", "wrong"), _tenths(points)),
        )
    failing = [row for row in summary.rows if faults(row)]
    yield from (f"## Failing cases: {len(failing)} of {len(summary.rows)}", "")
    for row in failing:
        yield from _failing(row)


def _tenths(points: Sequence[Point]) -> Iterator[tuple[str, str]]:
    """The last point of the curve in every tenth of the questions."""
    for _, own in groupby(points, key=lambda point: int(10 * point[0])):
        *_, (share, wrong) = own
        yield f"{percent(share)} %", f"{percent(wrong)} %"


def _failing(row: Row) -> Iterator[str]:
    case, answer = row.case, row.answer
    wrong = ", ".join(f"{name} {percent(value)} %" for name, value in faults(row).items())
    if "recall" in row.measures:
        wrong += f" (gold among the passages: {percent(row.measures['recall'])} %)"
    yield from (f"### {case.id} · {case.kind} · {case.language}", "", wrong, "", "Question")
    turns = [line for turn in case.history for line in (f"(before) {turn.question}", f"(before) {turn.answer}")]
    yield from _block([*turns, case.question])
    yield f"Answer: {answer['status']}, {row.seconds:.1f} s"
    versions = [version for point in answer["disagreements"] for version in point["versions"]]
    yield from _block(
        [
            answer["text"],
            *(f"version {version['citations']}: {version['text']}" for version in versions),
            *(
                f"[{c['number']}] {c['document']} {c['start']}-{c['end']}: {c['quote']}"
                for c in answer["citations"]
            ),
        ]
    )
    yield "Gold" if case.answerable else "Gold: the documents do not say"
    said = "\n".join(part["text"] for part in (*answer["statements"], *versions))
    yield from _block(
        [
            *(
                f"fact {'stated' if states(said, forms) else 'MISSING'}: {' | '.join(forms)}"
                for forms in case.facts
            ),
            *(f"must not say: {form}" for form in case.forbidden),
            *(
                f"need {number}: {gold.document}: {gold.quote}"
                for number, need in enumerate(case.needs, start=1)
                for gold in need
            ),
        ]
    )


def _grid(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    for cells in (heads, ["---"] * len(heads), *rows):
        yield f"| {' | '.join(cells)} |"
    yield ""


def _block(lines: Iterable[str]) -> Iterator[str]:
    """Lines as a fenced block: nothing that a model or a document wrote is markup or a control character."""
    shown = [visible(line) for text in lines for line in (textwrap.wrap(text, 100) or [""])]
    fence = "~" * (3 + max((len(line) for line in shown if set(line.strip()) == {"~"}), default=0))
    yield from (f"{fence}text", *shown, fence, "")
