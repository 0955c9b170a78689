"""`feud eval written`: how much of what the model makes up is shown, and how much of what is true is lost.

The sentences were written by the default model and read by hand (`data/written`). Each is put before the checks
anew: the model must find its question answered by the sentence that it was written from, the program must find
that sentence as its source, and the model must find the claim in it.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.progress import track
from rich.table import Table

from eval.pools import DATA
from index import Index
from rag.answer import Turn
from rag.assistant import WRITES
from rag.attribute import attribute
from rag.evidence import Evidence, gather
from rag.gate import likeness
from rag.judge import judged, says
from rag.llm import LLM
from rag.opening import Library, open_llm
from rag.question import understand
from rag.settings import Settings

CHECKS = ("the source is likely enough to answer", "the program finds the source", "the model finds the claim")


@dataclass(frozen=True, slots=True)
class Written:
    """A sentence that the model wrote for a question from `source`; `right` where the documents say so."""

    question: str
    history: tuple[Turn, ...]
    statement: str
    document: str
    source: str
    right: bool


def load(sample: int = 0) -> list[Written]:
    """The sentences that were read by hand, `sample` of them taken evenly, all if 0."""
    lines = (DATA / "written" / "statements.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    kept = rows[:: max(1, len(rows) // sample)][:sample] if sample else rows
    return [
        Written(**{**row, "history": tuple(Turn(*turn) for turn in row.get("history", ()))}) for row in kept
    ]


def measure(settings: Settings, sample: int) -> None:
    """Put the sentences before the checks, and print how many true and false ones pass each."""
    llm, index, errors = open_llm(settings), Library(settings).latest(), Console(file=sys.stderr)
    rows = load(sample)
    passed = [len(list(_passes(each, index, llm))) for each in track(rows, "sentences", console=errors)]
    out = Console(highlight=False)
    table = Table("sentences that pass", *CHECKS)
    for name, right in (("true", True), ("false", False)):
        own = [count for row, count in zip(rows, passed, strict=True) if row.right is right]
        table.add_row(f"{name}, of {len(own)}", *map(str, standing(own)))
    out.print(table)
    for row, count in zip(rows, passed, strict=True):
        if row.right != (count == len(CHECKS)):
            out.print(f"{'quoted' if row.right else 'shown'}: {row.question} – {row.statement}", soft_wrap=True)


def standing(passed: Sequence[int]) -> Iterator[int]:
    """How many still stand after each check, from how many each has passed.

    >>> list(standing([3, 0, 1, 3]))
    [3, 2, 2]
    """
    return (sum(count > check for count in passed) for check in range(len(CHECKS)))


def _passes(written: Written, index: Index, llm: LLM) -> Iterator[None]:
    """Yield for each check that is passed, to the first that is not."""
    question = understand(written.question, written.history, llm)
    hits = index.search(question.standalone, wordings=question.wordings)
    evidence = gather(hits, index, question.language)
    likely = list(judged(question, evidence, likeness(question, hits, index), index, llm))
    place = _place(written, evidence)
    if place is None or place >= len(likely) or likely[place] < WRITES:
        return
    yield
    if not (sources := attribute(written.statement, question, evidence, index)):
        return
    yield
    own = evidence.sentences[place]
    if says(written.statement, sources[0], evidence.before[place] if sources[0] is own else None, llm):
        yield


def _place(written: Written, evidence: Evidence) -> int | None:
    """Where its source stands in the evidence."""
    found = ((sentence.document.id, sentence.text) for sentence in evidence.sentences)
    return next((i for i, each in enumerate(found) if each == (written.document, written.source)), None)
