"""How good the answers are, beside the conversation: the kept eval runs, in tables and plots that say it too.

What is shown comes from the entry point `feud.bench`, as plain JSON values; see `Bench`.
"""

from collections.abc import Generator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from ui.describe import escape, language_name, moment, number
from ui.panel import closing
from ui.reasons import reason_words
from ui.texts import say

Run = Mapping[str, Any]
"""A run as `run.json` keeps it. One that is shown whole has also `found`, `risk`, `seconds` and `cases`."""
Point = tuple[float, float]
SHARES = {
    "recall": "place_found",
    "facts": "facts",
    "citation recall": "place_cited",
    "hallucination": "invented",
}
"""The measures that have a column, and the words for each."""
_WIDTH, _HEIGHT, _LEFT, _FOOT = 420, 180, 44, 26  # of a plot, in its own units


class Bench(Protocol):
    """The runs, and a short one on demand."""

    questions: int
    """How many a short run asks."""

    def runs(self) -> Sequence[Run]:
        """The latest runs, newest first."""

    def run(self, name: str) -> Run | None:
        """One run, whole; None where there is none of that name."""

    def measure(self) -> Generator[int]:
        """Make a short run and keep it; yield how many questions are answered, after each."""


def measuring_html(questions: int, done: int | None = None, problem: str = "") -> str:
    """The head of the panel: a button for a short run, or how far that is, `done` of `questions`."""
    running = done is not None
    told = say("measuring", done=done, total=questions) if running else problem
    do, label = ("halt", say("stop")) if running else ("measure", say("measure", total=questions))
    return (
        f"<header><div><h2>{escape(say('quality'))}</h2>"
        f'<div class="adding"><button type="button" class="plain" data-do="{do}">{escape(label)}</button></div>'
        f'<p class="told" role="status">{escape(told)}</p></div>{closing()}</header>'
    )


def measured_html(runs: Sequence[Run], run: Run | None) -> str:
    """The runs, and one of them whole."""
    listed = _runs(runs, run) if runs else f"<p>{escape(say('unmeasured'))}</p>"
    return f'<div class="measured">{listed}{_run(run) if run else ""}</div>'


def _runs(runs: Sequence[Run], shown: Run | None) -> str:
    rows = []
    for run in runs:
        current = ' aria-current="true"' if shown and run["name"] == shown["name"] else ""
        what = run["name"].partition("-")[2] or run["name"]
        head = (
            f'<button type="button" class="plain" data-run="{escape(run["name"])}"{current}>'
            f"{escape(_when(run))}<small>{escape(what)}</small></button>"
        )
        rows.append((head, run["groups"][0]))
    return _section("runs", f"{_measured(rows)}<p>{escape(say('legend'))}</p>")


def _run(run: Run) -> str:
    kinds = [(escape(reason_words(g["name"].replace("_", " "))), g) for g in run["groups"] if g["by"] == "kind"]
    cases = "".join(map(_case, run["cases"]))
    models = " · ".join(name for name in (*run["llms"], *run["embedders"]) if name)
    return (
        f"<h2>{escape(_when(run))}</h2><p>{escape(models)}</p>"
        + _section("kinds", _measured(kinds))
        + _section("found_by", _grid(run["found"]))
        + _section("risk", _plot([(x, y) for x, y in run["risk"]], 1, "%"))
        + _section("waited", _waited(run["seconds"]))
        + _section("failing", f'<div class="cases">{cases}</div>', count=len(run["cases"]))
    )


def _section(key: str, body: str, **values: object) -> str:
    return f"<section><h3>{escape(say(key, **values))}</h3>{body}</section>" if body else ""


def _measured(rows: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    """A row for each group, with its heading as HTML: how many cases, a bar for each share, the seconds."""
    heads = ("", say("cases"), *map(say, SHARES.values()), say("seconds"))
    body = "".join(
        f'<tr><th scope="row">{head}</th><td>{number(group["cases"])}</td>'
        f"{''.join(_bar(group['measures'].get(name)) for name in SHARES)}"
        f"<td>{_seconds(group['measures'].get('seconds'))}</td></tr>"
        for head, group in rows
    )
    return _table(heads, body)


def _table(heads: Sequence[str], body: str) -> str:
    row = "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
    table = f"<table><thead><tr>{row}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="wide" tabindex="0">{table}</div>'


def _bar(estimate: Mapping[str, float] | None) -> str:
    if estimate is None:
        return "<td>–</td>"
    low, high = percent(estimate["low"]), percent(estimate["high"])
    return (
        f'<td class="bar" style="--share:{estimate["mean"]:.3f}" title="n = {estimate["n"]}">'
        f"{percent(estimate['mean'])}<small>{low}–{high}</small></td>"
    )


def _seconds(estimate: Mapping[str, float] | None) -> str:
    return number(estimate["median"], 1) if estimate else "–"


def _grid(cells: Sequence[Mapping[str, Any]]) -> str:
    """A heat map: a row for each language of questions, a column for each of documents."""
    told = sorted({cell["told"] for cell in cells}, key=language_name)
    asked = sorted({cell["asked"] for cell in cells}, key=language_name)
    by = {(cell["asked"], cell["told"]): cell for cell in cells}
    rows = {language_name(a): "".join(_heat(by.get((a, t))) for t in told) for a in asked}
    body = "".join(f'<tr><th scope="row">{escape(name)}</th>{row}</tr>' for name, row in rows.items())
    return _table(["", *map(language_name, told)], body) if cells else ""


def _heat(cell: Mapping[str, Any] | None) -> str:
    if cell is None:
        return "<td></td>"
    share = f'<td class="heat" style="--share:{cell["mean"]:.3f}">{percent(cell["mean"])}'
    return f"{share} <small>{number(cell['n'])}</small></td>"


def _waited(seconds: Sequence[float]) -> str:
    points = [(each, place / len(seconds)) for place, each in enumerate(seconds, start=1)]
    return _plot(points, max(1.0, *(x for x, _ in points)), "s") if points else ""


def _plot(points: Sequence[Point], most: float, unit: str) -> str:
    """A line through points of (0 to `most`, share) as SVG; `unit` is that of the horizontal axis."""
    if not points:
        return ""
    right, bottom = _WIDTH - 24, _HEIGHT - _FOOT
    path = " ".join(
        f"{_LEFT + x / most * (right - _LEFT):.1f},{bottom - y * (bottom - 10):.1f}" for x, y in points
    )
    lines = []
    for part in (0, 0.5, 1):
        x, y = _LEFT + part * (right - _LEFT), bottom - part * (bottom - 10)
        lines += [
            f'<line x1="{_LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>',
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{percent(part)} %</text>',
            f'<text x="{x:.1f}" y="{_HEIGHT - 8}" text-anchor="middle">{_amount(part * most, unit)}</text>',
        ]
    some = points[:: -(len(points) // 8 + 1)][::-1]  # what a picture says, for those who hear it
    words = "; ".join(f"{_amount(x, unit)}: {percent(y)} %" for x, y in some)
    return (
        f'<svg class="plot" role="img" aria-label="{escape(words)}" viewBox="0 0 {_WIDTH} {_HEIGHT}">'
        f'{"".join(lines)}<polyline points="{path}"/></svg>'
    )


def _amount(value: float, unit: str) -> str:
    return f"{percent(value) if unit == '%' else number(value, 1)} {unit}"


def _case(case: Mapping[str, Any]) -> str:
    """A failed case, folded: the question, what came, what it cites, what should have come."""
    *before, question = case["asked"]
    asked = "".join(f"<p><bdi>{escape(turn)}</bdi></p>" for turn in before)
    faults = ", ".join(f"{reason_words(name)} {percent(value)} %" for name, value in case["faults"].items())
    about = (
        f"{escape(reason_words(case['kind'].replace('_', ' ')))} · {escape(language_name(case['language']))}"
    )
    missing = [_item(" | ".join(forms)) for forms in case["missing"]]
    wrong = [_item(say("forbidden", words=form)) for form in case["forbidden"]]
    unsaid = [] if case["answerable"] else [_item(say("unsaid"))]
    cited, gold = (list(map(_place, case[key])) for key in ("cited", "gold"))
    return (
        f"<details><summary><bdi>{escape(question)}</bdi>"
        f"<small>{about} · {escape(faults)}</small></summary>{asked}"
        f'<h4>{escape(say("answer"))}</h4><p dir="auto">{escape(case["answer"])}</p>{_list(cited)}'
        f"<h4>{escape(say('expected'))}</h4>{_list([*missing, *wrong, *unsaid, *gold])}</details>"
    )


def _list(items: Sequence[str]) -> str:
    return f"<ul>{''.join(items)}</ul>" if items else ""


def _item(text: str) -> str:
    return f"<li><bdi>{escape(text)}</bdi></li>"


def _place(place: Mapping[str, Any]) -> str:
    """Words, as a button that opens them in their document where they stand in one."""
    quote = f'<q dir="auto">{escape(place["quote"])}</q>'
    if not place["document"]:
        return f"<li>{quote}</li>"
    return (
        f'<li><button type="button" class="plain" data-document="{escape(place["document"])}" '
        f'data-start="{int(place["start"])}" data-end="{int(place["end"])}">{quote}</button></li>'
    )


def _when(run: Run) -> str:
    return moment(datetime.fromisoformat(run["written"]).astimezone())


def percent(share: float) -> str:
    """Whole per cent; only what is exactly none or all reads 0 or 100.

    >>> percent(0.5), percent(0.999), percent(1.0)
    ('50', '99', '100')
    """
    return number(min(max(round(100 * share), 1), 99) if 0 < share < 1 else round(100 * share))
