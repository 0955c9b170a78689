"""The runner: rows as they come, failures as rows, runs that go on."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from corpus import Document, FeudError, Passage, Sentence
from eval.case import Case, Gold
from eval.runner import ROWS, RunError, evaluate, read_rows, run
from index import EVERYTHING, Filter, Hit
from rag import Answer, Citation, Question, Statement, Turn

TEXT = "The lake froze in 1963. Nobody fell in."
LAKE = Document("lake.txt", TEXT, "The lake")
FROZE = Sentence(LAKE, 0, 23, "en")

CASE = Case(
    id="lake-1",
    split="dev",
    topic="lake",
    kind="one_fact",
    language="en",
    question="When did the lake freeze?",
    history=(),
    answerable=True,
    needs=((Gold("lake.txt", "The lake froze in 1963."),),),
    facts=(("1963",),),
    forbidden=(),
)
LATER = replace(
    CASE, id="lake-2", kind="follow_up", question="And then?", history=(Turn("Which lake?", "The big one."),)
)
CASES = [CASE, LATER, replace(CASE, id="lake-3")]


class EngineError(FeudError):
    """The engine of these tests is off."""


class Scripted:
    """Answers every question with the same sentence; fails or breaks at the calls it is told to."""

    def __init__(
        self, said: str = "It froze in 1963.", fails: Sequence[int] = (), breaks: Sequence[int] = ()
    ) -> None:
        self.said, self.fails, self.breaks = said, fails, breaks
        self.asked: list[tuple[str, tuple[Turn, ...]]] = []
        self.among: list[Filter] = []

    def ask(self, question: str, history: Sequence[Turn] = (), where: Filter = EVERYTHING) -> Answer:
        self.asked.append((question, tuple(history)))
        self.among.append(where)
        if len(self.asked) in self.fails:
            raise EngineError("The engine is off. Start it.")
        if len(self.asked) in self.breaks:
            raise KeyboardInterrupt
        return Answer(
            Question(question, "en", question),
            "answered",
            statements=(Statement(self.said, (1,), "verified"),),
            citations=(Citation(1, (FROZE,)),),
            hits=(Hit(Passage(LAKE, (FROZE,)), 0.5),),
            llm="scripted",
            embedder="none",
            generation=7,
        )


def test_a_row_holds_case_answer_seconds_and_measures() -> None:
    ticks = itertools.count(step=2.5)
    [row] = run(Scripted(), [CASE], [LAKE], clock=lambda: next(ticks))
    assert row.case == CASE
    assert (row.answer["id"], row.answer["status"], row.answer["citations"][0]["quote"]) == (
        "lake-1",
        "answered",
        "The lake froze in 1963.",
    )
    assert (row.seconds, row.measures["seconds"]) == (2.5, 2.5)
    assert {
        name: row.measures[name] for name in ("recall", "facts", "citation validity", "citation recall")
    } == {
        "recall": 1.0,
        "facts": 1.0,
        "citation validity": 1.0,
        "citation recall": 1.0,
    }


def test_what_is_taken_away_is_not_looked_at() -> None:
    assistant = Scripted()
    list(run(assistant, [CASE, replace(CASE, without=LAKE.id)], [LAKE, replace(LAKE, id="see.txt")]))
    assert assistant.among == [EVERYTHING, Filter(documents=frozenset({"see.txt"}))]


def test_history_is_asked_as_turns() -> None:
    assistant = Scripted()
    list(run(assistant, [LATER], [LAKE]))
    assert assistant.asked == [("And then?", (Turn("Which lake?", "The big one."),))]


def test_an_error_of_the_assistant_is_a_failed_row_and_the_run_goes_on() -> None:
    rows = list(run(Scripted(fails=[2]), CASES, [LAKE]))
    assert [row.answer["status"] for row in rows] == ["answered", "failed", "answered"]
    assert rows[1].answer["text"] == "The engine is off. Start it."
    assert (rows[1].measures["facts"], rows[1].measures["answered"], rows[1].measures["failed"]) == (
        0.0,
        0.0,
        1.0,
    )


def test_rows_are_kept_as_they_come(tmp_path: Path) -> None:
    assistant = Scripted()
    going = evaluate(assistant, CASES, [LAKE], tmp_path / "run")
    next(going)
    assert [row.case.id for row in read_rows(tmp_path / "run")] == ["lake-1"]
    assert len(assistant.asked) == 1
    rest = list(going)
    assert read_rows(tmp_path / "run")[1:] == rest


def test_an_interrupted_run_goes_on_where_it_was(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        list(evaluate(Scripted(breaks=[3]), CASES, [LAKE], tmp_path))
    again = Scripted()
    rows = list(evaluate(again, CASES, [LAKE], tmp_path))
    assert [row.case.id for row in rows] == ["lake-1", "lake-2", "lake-3"]
    assert len(again.asked) == 1
    assert read_rows(tmp_path) == rows


def test_half_a_line_of_a_killed_run_is_asked_again(tmp_path: Path) -> None:
    whole = list(evaluate(Scripted(), CASES, [LAKE], tmp_path))
    path = tmp_path / ROWS
    for cut in (1, 100, 500):
        path.write_bytes(path.read_bytes()[:-cut])
        assert read_rows(tmp_path) == whole[:2]
        again = Scripted()
        rows = list(evaluate(again, CASES, [LAKE], tmp_path))
        assert len(again.asked) == 1
        assert read_rows(tmp_path) == rows


def test_failed_and_edited_cases_are_asked_again(tmp_path: Path) -> None:
    list(evaluate(Scripted(fails=[1]), CASES, [LAKE], tmp_path))
    edited = replace(CASES[2], facts=(("1964",),))
    again = Scripted()
    rows = list(evaluate(again, [CASE, LATER, edited], [LAKE], tmp_path))
    assert [question for question, _ in again.asked] == [CASE.question, edited.question]
    assert [row.measures["facts"] for row in rows] == [1.0, 1.0, 0.0]
    assert sorted(row.case.id for row in read_rows(tmp_path)) == ["lake-1", "lake-2", "lake-3"]


def test_rows_of_other_cases_stay(tmp_path: Path) -> None:
    list(evaluate(Scripted(), CASES[:2], [LAKE], tmp_path))
    list(evaluate(Scripted(), CASES[2:], [LAKE], tmp_path))
    assert [row.case.id for row in read_rows(tmp_path)] == ["lake-1", "lake-2", "lake-3"]


@pytest.mark.parametrize("said", ["a\u2028b", "half a pair \ud83d", "line\nbreak\r", "结冰于1963年"])
def test_odd_letters_survive_the_file(tmp_path: Path, said: str) -> None:
    [row] = evaluate(Scripted(said), [CASE], [LAKE], tmp_path)
    assert read_rows(tmp_path) == [row]
    assert row.answer["statements"][0]["text"] == said


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no eval run in"):
        read_rows(tmp_path)
    (tmp_path / ROWS).write_text('{"question": "?"}\n')
    with pytest.raises(RunError, match="is not the record of an eval run"):
        read_rows(tmp_path)
