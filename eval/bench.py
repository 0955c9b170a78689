"""The kept runs for a page, and a short run when a reader asks for one.

Who shows them knows no type of this package: everything is plain JSON values.
"""

import json
import shutil
from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any

from corpus import Document, FeudError
from eval.case import spread
from eval.casefile import load
from eval.measures import Span, places, retrieved
from eval.normalise import states
from eval.report import SCHEMA, write_report
from eval.risk import curve
from eval.runner import Row, RunError, evaluate, read_rows, run_folder
from eval.summary import summarise
from eval.tables import faults
from rag.assistant import Assistant
from rag.settings import Settings

SHORT = 12
"""Questions of a short run: one of each kind, and two of some."""
LATEST = 12
"""Runs that are listed."""


class BenchError(FeudError):
    """No run can be made."""


class Bench:
    """The eval runs in the home of these settings; `assistant` answers those to come."""

    def __init__(self, settings: Settings, assistant: Assistant) -> None:
        self.home, self.assistant, self.questions = settings.home, assistant, SHORT
        self._measuring = Lock()

    def runs(self) -> list[dict[str, Any]]:
        """The latest finished runs, newest first: what `run.json` keeps of each, under its folder's name."""
        found = filter(None, map(_read, (self.home / "eval").glob("*/run.json")))
        return sorted(found, key=lambda run: str(run["written"]), reverse=True)[:LATEST]

    def run(self, name: str) -> dict[str, Any] | None:
        """One of `runs` with what is drawn of it, None where there is none of that name that can be read.

        Beside `run.json`: `found`, the share of needs whose gold was among the passages, by language of the
        question and of the document; `risk`, the points of `eval.risk.curve`; `seconds` of each answer;
        `cases`, those that failed.
        """
        run = next((run for run in self.runs() if run["name"] == name), None)
        if run is None:
            return None
        try:
            rows = read_rows(self.home / "eval" / name)
        except (RunError, OSError, UnicodeError):
            return None
        documents = {document.id: document for document in self.assistant.latest().documents}
        texts = {name: document.text for name, document in documents.items()}
        return {
            **run,
            "found": list(_found(rows, documents, texts)),
            "risk": curve(rows),
            "seconds": sorted(row.seconds for row in rows),
            "cases": [_failing(row, texts) for row in rows if faults(row)],
        }

    def measure(self) -> Generator[int]:
        """Ask a few development cases and keep the run; yield how many are answered, after each.

        Only cases whose gold stands in the documents are asked. Raises `BenchError` where none is left, or
        while another run is made.
        """
        documents = self.assistant.latest().documents
        texts = {document.id: document.text for document in documents}
        fit = [
            case
            for case in load()
            if case.split == "dev" and all(any(places(gold, texts) for gold in need) for need in case.needs)
        ]
        if not any(case.needs for case in fit):
            raise BenchError("The known questions are about the shipped documents, which are not here.")
        if not self._measuring.acquire(blocking=False):
            raise BenchError("Another run is being made. Wait until it is over.")
        folder, rows = run_folder(self.home, "short", datetime.now()), list[Row]()
        try:
            cases = spread(fit, self.questions)
            for row in evaluate(self.assistant, cases, documents, folder):
                rows.append(row)
                if len(rows) == len(cases):
                    write_report(summarise(rows, folder.name), folder)
                yield len(rows)
        finally:
            if not (folder / "run.json").exists():  # stopped: nobody goes on with it
                shutil.rmtree(folder, ignore_errors=True)
            self._measuring.release()


def _read(path: Path) -> dict[str, Any] | None:
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
        datetime.fromisoformat(run["written"])
        return {**run, "name": path.parent.name} if run["schema"] == SCHEMA and run["groups"] else None
    except (OSError, ValueError, KeyError, TypeError):  # half written, or of another program
        return None


def _found(
    rows: Iterable[Row], documents: Mapping[str, Document], texts: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """A cell for each language of questions and each of documents: how many needs, and which share was found.

    A need that documents of several languages fulfil counts for each, as found where the gold in it was.
    """
    cells = defaultdict(list)
    for row in rows:
        shown = [(p["document"], p["start"], p["end"]) for p in row.answer["passages"]]
        for need in row.case.needs:
            told = defaultdict(list)
            for gold in need:
                for document, start, _ in places(gold, texts)[:1]:
                    told[_language(documents[document], start)].append(gold)
            for language, own in told.items():
                cells[row.case.language, language].append(retrieved(own, shown, texts))
    for (asked, language), found in sorted(cells.items()):
        yield {"asked": asked, "told": language, "n": len(found), "mean": sum(found) / len(found)}


def _language(document: Document, place: int) -> str:
    return next((s.language for s in document.segments if s.start <= place < s.end), "und")


def _failing(row: Row, texts: Mapping[str, str]) -> dict[str, Any]:
    """A failed case: what was asked, what came with what it cites, and what should have come."""
    case, answer = row.case, row.answer
    versions = [version for point in answer["disagreements"] for version in point["versions"]]
    said = "\n".join(part["text"] for part in (*answer["statements"], *versions))
    quotes = [gold for need in case.needs for gold in need]
    return {
        "id": case.id,
        "kind": case.kind,
        "language": case.language,
        "asked": [*(turn.question for turn in case.history), case.question],
        "answer": answer["text"],
        "answerable": case.answerable,
        "faults": faults(row),
        "missing": [list(forms) for forms in case.facts if not states(said, forms)],
        "forbidden": [form for form in case.forbidden if states(said, [form])],
        "cited": [
            _place(c["quote"], (c["document"], c["start"], c["end"]), texts) for c in answer["citations"]
        ],
        "gold": [_place(g.quote, next(iter(places(g, texts)), ("", 0, 0)), texts) for g in quotes],
    }


def _place(quote: str, place: Span, texts: Mapping[str, str]) -> dict[str, Any]:
    """Words and where they stand, without a document where they do not stand there now."""
    document, start, end = place
    here = texts.get(document, "")[start:end] == quote
    return {"quote": quote, "document": document if here else "", "start": start, "end": end}
