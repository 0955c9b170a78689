"""A run as one HTML page that needs nothing else: tables, plots, what changed, each failing case."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from eval.normalise import states
from eval.plot import Bar, intervals, lines
from eval.risk import curve
from eval.runner import Row
from eval.summary import By, Comparison, Estimate, Group, Summary
from eval.tables import (
    BY_NAME,
    COLUMNS,
    COMPARED,
    LEGEND,
    WHOLE,
    apart,
    compared,
    faults,
    grouped,
    headline,
    names,
    percent,
    visible,
    whole,
)

_STYLE = """
:root { color-scheme: light; font: 16px/1.5 system-ui, sans-serif; color: #1c2024; background: #fff }
body { margin: 0 auto; max-width: 62rem; padding: 1rem }
table { border-collapse: collapse; font-size: .875rem }
th, td { padding: .25rem .6rem; text-align: start; vertical-align: top; border-bottom: 1px solid #ddd }
.wide { overflow-x: auto }
svg { max-width: 40rem; display: block }
details { border-bottom: 1px solid #ddd; padding: .4rem 0 }
blockquote { margin: .3rem 0; padding-inline-start: .8rem; border-inline-start: 3px solid #0b6e99 }
.bad { color: #a3230d } .good { color: #2f6b12 }
"""
_PLOTTED = ("facts", "citation recall", "hallucination")
_BYS: tuple[By, ...] = ("kind", "language")


def web_page(summary: Summary, comparison: Comparison | None = None) -> str:
    """The report as a page. What models and documents wrote is text there, and nothing else."""
    return "\n".join(_parts(summary, comparison)) + "\n"


def _parts(summary: Summary, comparison: Comparison | None) -> Iterator[str]:
    name = f"Eval {summary.name}".rstrip()
    yield (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{_text(name)}</title><style>{_STYLE}</style></head><body><main>"
    )
    yield f"<h1>{_text(name)}</h1><p>{_text(headline(summary))}</p>"
    if comparison:
        yield from _changes(comparison)
    yield "<h2>All cases</h2>"
    yield intervals("Each share over all cases, with its interval", list(_bars(summary.groups[0])))
    yield _table(WHOLE, whole(summary))
    for by in _BYS:
        yield f"<h2>By {by}</h2>"
        groups = [group for group in summary.groups if group.by == by]
        for measure in _PLOTTED:
            bars = [
                _bar(g.name.replace("_", " "), g.measures[measure]) for g in groups if measure in g.measures
            ]
            if len(bars) > 1:
                yield f"<h3>{measure}: {BY_NAME[measure].says}</h3>{intervals(f'{measure} by {by}', bars)}"
        rows = [(g.name, str(g.cases), *map(" · ".join, parts)) for g, parts in grouped(summary, by)]
        yield _table((by, "cases", *COLUMNS), rows)
    yield f"<p>{_text(LEGEND)}</p>"
    if points := curve(summary.rows):
        yield "<h2>Risk and coverage</h2>"
        yield lines("share of questions answered, the surest first", {"wrong answers": points}, shares=True)
    failing = [row for row in summary.rows if faults(row)]
    yield f"<h2>Failing cases: {len(failing)} of {len(summary.rows)}</h2>"
    yield from map(_failing, failing)
    yield "</main></body></html>"


def _changes(comparison: Comparison) -> Iterator[str]:
    """What differs, case by case paired, and each case that changed with both answers."""
    yield f"<h2>Against {_text(comparison.earlier.name)}</h2>"
    bars = [
        Bar(c.measure.name, c.difference, c.low, c.high, f"{c.difference:+.3f}, n {c.n}")
        for c in comparison.changes
        if c.measure.unit == "share"
    ]
    if bars:
        yield intervals("Later minus earlier, with its interval", bars, low=-1.0)
    yield _table(COMPARED, compared(comparison))
    before = {row.case.id: row for row in comparison.earlier.rows}
    for row in comparison.later.rows:
        told = [
            f'<span class="{css}">{_text(change.measure.name)} {word}</span>'
            for change in comparison.changes
            if change.measure.unit == "share"
            for css, word, ids in (("good", "better", change.better), ("bad", "worse", change.worse))
            if row.case.id in ids
        ]
        if told:
            yield f"<details><summary>{_text(row.case.id)}: {', '.join(told)}</summary>"
            yield f"<p>{_text(row.case.question)}</p>"
            for when, answer in (("Earlier", before[row.case.id].answer), ("Later", row.answer)):
                yield f"<p>{when}: {_text(answer['status'])}</p>{_quoted(answer['text'])}"
            yield "</details>"
    yield f"<p>{_text(apart(comparison))}</p>"


def _failing(row: Row) -> str:
    case, answer = row.case, row.answer
    wrong = ", ".join(f"{name} {percent(value)} %" for name, value in faults(row).items())
    versions = [version for point in answer["disagreements"] for version in point["versions"]]
    said = "\n".join(part["text"] for part in (*answer["statements"], *versions))
    gold = [gold for need in case.needs for gold in need]
    return "".join(
        (
            f"<details><summary>{_text(f'{case.id} · {case.kind} · {case.language}')}: ",
            f'<span class="bad">{_text(wrong)}</span></summary>',
            *(_quoted(f"{turn.question}\n{turn.answer}") for turn in case.history),
            f"<p>{_text(case.question)}</p>",
            f"<p>Answer: {_text(answer['status'])}, {row.seconds:.1f} s</p>{_quoted(answer['text'])}",
            *(
                _cited(f"[{c['number']}] {c['document']} {c['start']}–{c['end']}", c["quote"])
                for c in answer["citations"]
            ),
            f"<p>{'Gold' if case.answerable else 'Gold: the documents do not say'}</p>",
            *(_cited(each.document, each.quote) for each in gold),
            f"<p>Missing: {_text(names([' | '.join(f) for f in case.facts if not states(said, f)]))}</p>",
            "</details>",
        )
    )


def _bars(group: Group) -> Iterator[Bar]:
    for name, estimate in group.measures.items():
        if BY_NAME[name].unit == "share":
            yield _bar(name, estimate)


def _bar(name: str, e: Estimate) -> Bar:
    return Bar(name, e.mean, e.low, e.high, f"{e.mean:.2f} ({e.low:.2f}–{e.high:.2f}), n {e.n}")


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{_text(cell)}</th>' for cell in heads)
    body = "".join(f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _cited(place: str, quote: str) -> str:
    return f"<p>{_text(place)}</p>{_quoted(quote)}"


def _quoted(text: str) -> str:
    return f'<blockquote dir="auto">{"<br>".join(map(_text, text.splitlines()))}</blockquote>'


def _text(text: str) -> str:
    return escape(visible(text))
