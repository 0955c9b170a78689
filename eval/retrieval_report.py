"""`feud eval retrieval`: runs every ranking over every pool, prints the tables and keeps them."""

import json
import random
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from statistics import fmean
from typing import Any, TypeVar

import numpy as np
from rich.console import Console
from rich.progress import Progress as Bar
from rich.progress import track

from corpus import Sentence
from eval.case import Case, Split
from eval.casefile import load
from eval.pools import Pool, Query, news, xquad
from eval.report import unframed
from eval.retrieval import DEPTH, RANKINGS, Found, by_group, cases, ranked, sentences
from eval.runner import run_folder
from eval.summary import SEED, interval
from eval.tables import percent
from index import RANKING, Hit, Index, index_of
from index.records import Record
from rag.opening import Library, open_embedder, open_llm
from rag.question import understand
from rag.settings import Settings

Item = TypeVar("Item")
Groups = dict[tuple[str, str], list[float]]
FIRST = 5  # sentences of a pool that a gold one should be among
SHOWN = 40  # lines of what was not found that are printed; the report has all
MAIN = {  # what the table of rankings shows of each pool: groups and measures
    "feud": [(g, "@8") for g in ("all", "another language", "own language", "conflict", "several_documents")]
    + [("follow_up", "@8"), ("all", "@2"), ("all", "in evidence")],
    "XQuAD-R": [("xquad", "average precision"), ("xquad", "MRR@10"), ("italian", "average precision")],
    "NTREX": [("same language", "recall@5"), ("other language", "recall@5")],
}


def measure(settings: Settings, pool: str, split: Split | None, sample: int, extractive: bool) -> None:
    """Measure the pools that are asked for, print the tables and write them as JSON."""
    out, errors = Console(highlight=False), Console(file=sys.stderr)
    report: dict[str, Any] = {}
    if pool in ("feud", "all"):
        report["feud"] = _feud(settings, split, sample, extractive, out, errors)
    for name, made in (("xquad", xquad), ("news", news)):
        if pool in (name, "all"):
            texts = made()
            report[texts.name] = _pool(settings, texts, sample, out, errors)
    folder = run_folder(settings.home, "retrieval", datetime.now())
    folder.mkdir(parents=True)
    path = folder / "retrieval.json"
    path.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    out.print(f"Report: {path}")


def _feud(
    settings: Settings, split: Split | None, sample: int, extractive: bool, out: Console, errors: Console
) -> dict[str, Any]:
    index = Library(settings).latest()
    llm = None if extractive else open_llm(settings)
    asked = some([case for case in load(split=split) if case.needs], sample)
    standalone = [
        (case, understand(case.question, case.history, llm))
        for case in track(asked, "Follow-ups become questions", console=errors)
    ]
    groups, failing, seconds = {}, [], []
    for name, ranking in RANKINGS.items():
        rows = list(cases(index, standalone, ranking))
        groups[name] = by_group([found for _, _, own in rows for found in own])
        if ranking == RANKING:
            failing = [(case, hits) for case, hits, own in rows if min(found.value for found in own) < 1]
    for _, question in standalone:
        seconds.append(_seconds(index, question.standalone))
    _rankings(out, "feud", groups)
    out.print(_time(seconds))
    missed = list(_missed(failing, index))
    out.print(f"Not all found in the first 8: {len(missed)} of {len(asked)}")
    for line in missed:
        out.print(f"  {line}", markup=False, soft_wrap=True)
    return {"rankings": _plain(groups), "seconds": seconds, "missed": missed}


def _pool(settings: Settings, pool: Pool, sample: int, out: Console, errors: Console) -> dict[str, Any]:
    index = pool_index(settings, pool, errors)
    queries = some(pool.queries, sample)
    groups: dict[str, Groups] = {}
    measure = "own list top 5" if (own_list := pool.name == "XQuAD-R") else "recall@5"
    for name, ranking in RANKINGS.items():
        found: list[Found] = []
        missed: list[str] = []
        for query in track(queries, f"{pool.name}: {name}", console=errors):
            places = sentences(index, query, ranking)
            own = list(ranked(query, places))
            found += own
            missed += _not_first(query, places, own_list)
            meets = "same language" if query.language in {g.language for g in query.gold} else "other language"
            found += [Found(meets, each.measure, each.value) for each in own if each.group == query.set]
        groups[name] = by_group(found)
    _rankings(out, pool.name, groups)
    shipped = groups[next(name for name, ranking in RANKINGS.items() if ranking == RANKING)]
    _matrix(out, f"{pool.name}, question → sentence: {measure}, n", shipped, measure)
    _shares(out, pool.sentences, shipped)
    wanted = sum(len(query.gold) for query in queries)
    out.print(f"Not among the first {FIRST}: {len(missed)} of {wanted}")
    for line in missed[:SHOWN]:
        out.print(f"  {line}", markup=False, soft_wrap=True)
    if len(missed) > SHOWN:
        out.print("  … and so on in the report")
    return {"rankings": _plain(groups), "missed": missed}


def pool_index(settings: Settings, pool: Pool, errors: Console) -> Index:
    """The index of a pool; its vectors are kept."""
    home = settings.home / "eval" / "pools"
    with Bar(console=errors) as bar:
        task = bar.add_task(f"{pool.name}: embedding", total=None)
        for state in index_of(list(pool_records(pool)), home, open_embedder(settings)):
            if isinstance(state, Index):
                return state
            bar.update(task, completed=state.done, total=state.total)
    raise AssertionError("index_of yields an index at the end")


def pool_records(pool: Pool) -> Iterator[Record]:
    """The documents of a pool, as an index holds them."""
    for document in dict.fromkeys(sentence.document for sentence in pool.sentences):
        own = [sentence for sentence in pool.sentences if sentence.document is document]
        around = [passage for passage in pool.passages if passage.document is document]
        english = tuple(pool.english.get(sentence, "") for sentence in own)
        yield replace(Record.of(document, document.segments, own, around), english=english)


def some(items: Sequence[Item], count: int) -> Sequence[Item]:
    """A sample of so many, always the same; all where `count` is 0."""
    return random.Random(SEED).sample(items, count) if 0 < count < len(items) else items


def _seconds(index: Index, question: str) -> float:
    started = time.perf_counter()
    index.search(f"{question} ")  # the space: the question's own vector is remembered
    return time.perf_counter() - started


def _time(seconds: Sequence[float]) -> str:
    median, p95 = np.quantile(seconds, [0.5, 0.95]) * 1000
    return f"Question to passages, warm: median {median:.0f} ms, p95 {p95:.0f} ms, n {len(seconds)}"


def _missed(failing: Iterable[tuple[Case, list[Hit]]], index: Index) -> Iterator[str]:
    for case, hits in failing:
        shown = {
            (hit.passage.document.id, sentence.start) for hit in hits for sentence in hit.passage.sentences
        }
        for need in case.needs:
            if not any(_at(gold.document, gold.quote, index) in shown for gold in need):
                yield f"{case.id} ({case.kind}): {need[0].document[:3]} “{need[0].quote[:70]}”"


def _not_first(query: Query, places: Sequence[Sentence], own_list: bool) -> Iterator[str]:
    """A line for each gold sentence that is not among the first, of its language or of all, and what is."""
    for gold in query.gold:
        among = [sentence for sentence in places if not own_list or sentence.language == gold.language]
        place = among.index(gold) if gold in among else None
        if place is not None and place < FIRST:
            continue
        near = sum(sentence.document is gold.document for sentence in among[:FIRST])
        same = sum(sentence.language == query.language for sentence in among[:FIRST])
        stands = f"not in {DEPTH} passages" if place is None else f"place {place + 1}"
        yield (
            f"{query.language}→{gold.language} {query.text[:60]} | {gold.text[:40].strip()} | {stands}; of the "
            f"first {FIRST} {near} of its document, {same} in the question's language"
        )


def _at(document: str, quote: str, index: Index) -> tuple[str, int]:
    place = index.document(document).text.find(quote)
    starts = [s.start for s in index.sentences if s.document.id == document and s.start <= place < s.end]
    return document, starts[0] if starts else -1


def _rankings(out: Console, name: str, groups: dict[str, Groups]) -> None:
    columns = [column for column in MAIN[name] if column in next(iter(groups.values()))]
    table = unframed(name, *(f"{group.replace('_', ' ')} {measure}" for group, measure in columns))
    for ranking, values in groups.items():
        table.add_row(ranking, *(_cell(values[column]) for column in columns))
    out.print(table)
    out.print(
        "Mean in per cent, its 95 % interval (bootstrap), n. "
        "Where another ranking is better than the shipped one: "
        + ("; ".join(_below(columns, groups)) or "nowhere")
    )


def _below(columns: Sequence[tuple[str, str]], groups: dict[str, Groups]) -> Iterator[str]:
    *_, shipped = groups.values()
    for column in columns:
        best = max(groups, key=lambda name: fmean(groups[name][column]))
        if fmean(groups[best][column]) > fmean(shipped[column]):
            yield f"{' '.join(column)}, {best}, {100 * fmean(groups[best][column]):.1f}"


def _cell(values: Sequence[float]) -> str:
    low, high = interval(values, (0, 1))
    return f"{100 * fmean(values):.1f}\n{percent(low)}–{percent(high)}\nn {len(values)}"


def _matrix(out: Console, title: str, values: Groups, measure: str) -> None:
    pairs = {
        tuple(group.split("→")): own
        for (group, what), own in values.items()
        if what == measure and "→" in group
    }
    columns = sorted({to for _, to in pairs})
    out.print(title)
    table = unframed("question", *columns)
    for row in sorted({asked for asked, _ in pairs}):
        cells = [pairs.get((row, column)) for column in columns]
        table.add_row(row, *(f"{fmean(own):.2f} {len(own)}" if own else "" for own in cells))
    out.print(table)


def _shares(out: Console, sentences: Sequence[Sentence], values: Groups) -> None:
    """How much of the first five each language has, beside its share of the pool."""
    shown = {group[3:]: len(own) for (group, what), own in values.items() if what == "share of the first 5"}
    parts = []
    for language in sorted(shown):
        there = fmean(sentence.language == language for sentence in sentences)
        parts.append(f"{language} {shown[language] / sum(shown.values()):.2f} ({there:.2f})")
    out.print("Share of the first five (of the pool): " + ", ".join(parts))


def _plain(groups: dict[str, Groups]) -> dict[str, dict[str, dict[str, float]]]:
    return {
        name: {f"{g} {m}": {"mean": fmean(own), "n": len(own)} for (g, m), own in values.items()}
        for name, values in groups.items()
    }
