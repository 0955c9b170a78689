"""The kept runs for a page, and a short run when a reader asks for one.

Who shows them knows no type of this package: everything is plain JSON values.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from corpus import Document
from eval.case import load, spread
from eval.measures import places, retrieved
from eval.normalise import states
from eval.report import faults, write_report
from eval.risk import curve
from eval.runner import Row, RunError, evaluate, read_rows, run_folder
from eval.summary import summarise
from rag.assistant import Assistant
from rag.settings import Settings

SHORT = 12
"""Questions of a short run: one of each kind, and two of some."""
LATEST = 12
"""Runs that are listed."""


class Bench:
    """The eval runs in the home of these settings; `assistant` answers those to come."""

    def __init__(self, settings: Settings, assistant: Assistant) -> None:
        self.home, self.assistant, self.questions = settings.home, assistant, SHORT

    def runs(self) -> list[dict[str, Any]]:
        """The latest finished runs, newest first: their `run.json` as it was written."""
        found = sorted((self.home / "eval").glob("*/run.json"), key=_written, reverse=True)
        return [run for path in found[:LATEST] if (run := _read(path))]

    def run(self, name: str) -> dict[str, Any] | None:
        """A run with what is drawn of it, None where there is none of that name.

        Beside `run.json`: `found`, the share of needs whose gold was among the passages, by language of the
        question and of the document; `risk`, the points of `eval.risk.curve`; `seconds` of each answer;
        `cases`, those that failed.
        """
        run = next((run for run in self.runs() if run["name"] == name), None)
        try:
            rows = read_rows(self.home / "eval" / name) if run else []
        except RunError:
            return None
        documents = {document.id: document for document in self.assistant.latest().documents}
        return run and {
            **run,
            "found": list(_found(rows, documents)),
            "risk": curve(rows),
            "seconds": sorted(row.seconds for row in rows),
            "cases": [_failing(row, documents) for row in rows if faults(row)],
        }

    def measure(self) -> Iterator[int]:
        """Ask a few development cases and keep the run; yield how many are answered, after each."""
        cases = spread([case for case in load() if case.split == "dev"], self.questions)
        folder = run_folder(self.home, "short", datetime.now())
        rows = []
        for row in evaluate(self.assistant, cases, self.assistant.latest().documents, folder):
            rows.append(row)
            if len(rows) == len(cases):
                write_report(summarise(rows, folder.name), folder)
            yield len(rows)


def _written(path: Path) -> float:
    return path.stat().st_mtime


def _read(path: Path) -> dict[str, Any] | None:
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
        return {**run, "name": path.parent.name} if run["groups"] else None
    except (OSError, ValueError, KeyError, TypeError):  # half written, or of another program
        return None


def _found(rows: Iterable[Row], documents: dict[str, Document]) -> Iterator[dict[str, Any]]:
    """A cell for each language of questions and each of documents: how many needs, and which share was found.

    A need that documents of several languages fulfil counts for each of them.
    """
    texts = {document.id: document.text for document in documents.values()}
    cells = defaultdict(list)
    for row in rows:
        shown = [(p["document"], p["start"], p["end"]) for p in row.answer["passages"]]
        for need in row.case.needs:
            told = {
                segment.language
                for gold in need
                for document, start, _ in places(gold, texts)
                for segment in documents[document].segments
                if segment.start <= start < segment.end
            }
            for language in told:
                cells[row.case.language, language].append(retrieved(need, shown, texts))
    for (asked, language), found in sorted(cells.items()):
        yield {"asked": asked, "told": language, "n": len(found), "mean": sum(found) / len(found)}


def _failing(row: Row, documents: dict[str, Document]) -> dict[str, Any]:
    """A failed case: what was asked, what came with what it cites, and what should have come."""
    case, answer = row.case, row.answer
    texts = {document.id: document.text for document in documents.values()}
    versions = [version for point in answer["disagreements"] for version in point["versions"]]
    said = "\n".join(part["text"] for part in (*answer["statements"], *versions))
    quotes = [gold for need in case.needs for gold in need]
    gold = [(gold.quote, place) for gold in quotes for place in places(gold, texts)[:1]]
    return {
        "id": case.id,
        "kind": case.kind,
        "language": case.language,
        "asked": [*(turn.question for turn in case.history), case.question],
        "answer": answer["text"],
        "answerable": case.answerable,
        "faults": list(faults(row)),
        "missing": [list(forms) for forms in case.facts if not states(said, forms)],
        "cited": [_place(c["quote"], (c["document"], c["start"], c["end"])) for c in answer["citations"]],
        "gold": [_place(quote, place) for quote, place in gold],
    }


def _place(quote: str, place: Sequence[Any]) -> dict[str, Any]:
    return dict(zip(("quote", "document", "start", "end"), (quote, *place), strict=True))
