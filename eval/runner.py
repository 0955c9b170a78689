"""Asks every case and keeps each answer as soon as it stands: an interrupted run goes on where it was."""

import json
import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from corpus import Document, FeudError
from eval.case import Case, Gold
from eval.measures import Attempt, Record, score
from index import EVERYTHING, Filter
from rag import Answer, Question, Turn
from rag.contract import to_json

ROWS = "rows.jsonl"
_LONE = "backslashreplace"  # half a surrogate pair, which a model can write, becomes JSON's own escape for it


class Asked(Protocol):
    """What is measured: anything that answers a question after some turns from some documents."""

    def ask(self, question: str, history: Sequence[Turn] = (), where: Filter = EVERYTHING) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Row:
    """A case, its answer in the shape of `rag.contract`, wall-clock seconds, and its measures by name."""

    case: Case
    answer: Record
    seconds: float
    measures: Mapping[str, float]


class RunError(FeudError):
    """A folder holds no run, or one that can't be read."""


def run_folder(home: Path, split: str, now: datetime) -> Path:
    """Where a run that starts now is kept.

    >>> run_folder(Path("home"), "dev", datetime(2026, 3, 1, 9, 30)).as_posix()
    'home/eval/20260301T093000-dev'
    """
    return home / "eval" / f"{now:%Y%m%dT%H%M%S}-{split}"


def kept_run(home: Path, name: str) -> Path:
    """Where a run is: in the folder `name`, or kept in `home` under that name."""
    kept = home / "eval" / name
    return kept if kept.is_dir() and not Path(name).is_dir() else Path(name)


def run(
    assistant: Asked,
    cases: Iterable[Case],
    documents: Iterable[Document],
    clock: Callable[[], float] = time.perf_counter,
) -> Iterator[Row]:
    """Ask each case and yield its row. A `FeudError` becomes a failed answer; any other error ends the run.

    `clock` returns seconds.
    """
    texts = {document.id: document.text for document in documents}
    for case in cases:
        start = clock()
        answer = _ask(assistant, case, texts)
        attempt = Attempt(case, to_json(answer, case.id), clock() - start, texts)
        yield Row(case, attempt.answer, attempt.seconds, score(attempt))


def evaluate(
    assistant: Asked, cases: Sequence[Case], documents: Sequence[Document], folder: Path
) -> Iterator[Row]:
    """Yield the row of each case, in their order, and keep it in `folder`, on disk before it is yielded.

    Rows that the folder holds already are yielded as they are; a case that failed there, or that was edited
    since, is asked again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / ROWS
    kept = {row.case.id: row for row in _complete(path)}
    wanted = {case.id: case for case in cases}
    kept = {
        i: row
        for i, row in kept.items()
        if row.answer["status"] != "failed" and wanted.get(i, row.case) == row.case
    }
    # Written anew, so that neither half a line of a killed run nor a row to be asked again stays behind.
    anew = path.with_suffix(".new")
    with anew.open("w", encoding="utf-8", errors=_LONE) as file:
        file.writelines(map(_line, kept.values()))
    os.replace(anew, path)
    with path.open("a", encoding="utf-8", errors=_LONE) as file:
        for case in cases:
            if case.id in kept:
                yield kept[case.id]
                continue
            for row in run(assistant, [case], documents):
                file.write(_line(row))
                file.flush()
                yield row


def read_rows(folder: Path) -> list[Row]:
    """The rows of a run. Raises `RunError` where there is none."""
    rows = _complete(folder / ROWS)
    if not rows:
        raise RunError(f"There is no eval run in {folder}. Name a folder that `feud eval` wrote.")
    return rows


def _ask(assistant: Asked, case: Case, documents: Collection[str]) -> Answer:
    left = Filter(documents=frozenset(documents) - {case.without}) if case.without else EVERYTHING
    try:
        return assistant.ask(case.question, case.history, left)
    except FeudError as error:
        return Answer(Question(case.question, case.language, case.question), "failed", notice=str(error))


def _complete(path: Path) -> list[Row]:
    """The rows of a file; a last line without its end was being written when the run was killed."""
    lines = path.read_text(encoding="utf-8").split("\n")[:-1] if path.exists() else []
    try:
        return [_row(json.loads(line)) for line in lines]
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path} is not the record of an eval run ({error}). Name another folder.") from error


def _line(row: Row) -> str:
    # JSON leaves U+2028 and its like as they are: lines are split at "\n" alone.
    return json.dumps(asdict(row), ensure_ascii=False) + "\n"


def _row(data: dict[str, Any]) -> Row:
    case = data["case"]
    case = Case(
        **{
            **case,
            "history": tuple(Turn(**turn) for turn in case["history"]),
            "needs": tuple(tuple(Gold(**gold) for gold in need) for need in case["needs"]),
            "facts": tuple(map(tuple, case["facts"])),
            "forbidden": tuple(case["forbidden"]),
        }
    )
    return Row(case, data["answer"], data["seconds"], data["measures"])
