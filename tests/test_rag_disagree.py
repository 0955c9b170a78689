"""Sentences that tell the same with other numbers, in a whole folder."""

from pathlib import Path

import pytest

from index import Hit, Index, build, open_index
from rag.answer import Answer, Question
from rag.cite import cite
from rag.disagree import compare, differences
from rag.timeline import disputed, timeline
from tests.scripted_llm import CloseEmbedder

BUILT = "The tower of Hellis was built in 1911 by the mason Anna Brandt for 40 crowns."


def indexed(folder: Path, *texts: str) -> Index:
    (folder / "documents").mkdir()
    for name, text in zip("abc", texts, strict=False):
        told = (
            f"---\ndate: 201{len(texts) - ord(name) % 4}-05-01\n---\n{text} Gulls nest there. It rains a lot.\n"
        )
        (folder / "documents" / f"{name}.md").write_text(told, "utf-8")
    assert list(build(folder / "documents", folder / "home", CloseEmbedder()))
    return open_index(folder / "home", CloseEmbedder())


def test_versions_are_listed_in_the_order_of_time(tmp_path: Path) -> None:
    index = indexed(tmp_path, BUILT, BUILT.replace("1911", "1921"))
    [versions] = differences(index.sentences, index)
    assert [version.document.id for version in versions] == ["b.md", "a.md"]
    assert [version.text for version in versions] == [BUILT.replace("1911", "1921"), BUILT]


def test_a_time_that_others_tell_otherwise_stands_twice_each_with_the_other(tmp_path: Path) -> None:
    later = BUILT.replace("1911", "1921")
    index = indexed(tmp_path, BUILT, later)
    told = [
        (event.value, [other.text for other in event.otherwise])
        for event in disputed(timeline(index.sentences), index)
    ]
    assert told == [("1911", [later]), ("1921", [BUILT])]


def test_another_number_than_that_of_a_time_disputes_no_time(tmp_path: Path) -> None:
    index = indexed(tmp_path, BUILT, BUILT.replace("40 crowns", "60 crowns"))
    assert differences(index.sentences, index)
    assert [event.otherwise for event in disputed(timeline(index.sentences), index)] == [(), ()]


@pytest.mark.parametrize(
    "other",
    [
        BUILT,
        BUILT.replace("in 1911 ", ""),
        BUILT.replace("for 40 crowns", "for nothing"),
        BUILT.replace("1911", "1921").replace("Hellis", "Varnes").replace("Anna Brandt", "Jan Ott"),
        "Whale oil was 17 crowns a barrel.",
    ],
    ids=["copy", "one year", "one sum", "other names", "other things"],
)
def test_what_tells_no_other_number_of_the_same_differs_in_nothing(tmp_path: Path, other: str) -> None:
    index = indexed(tmp_path, BUILT, other)
    assert differences(index.sentences, index) == []


def test_each_version_has_what_is_disputed_if_not_in_its_statement_then_quoted(tmp_path: Path) -> None:
    later = BUILT.replace("1911", "1921")
    index = indexed(tmp_path, BUILT, later)
    first, second = (next(s for s in index.sentences if s.text == text) for text in (BUILT, later))
    question = Question("When was the tower built?", "en", "When was the tower built?")
    answer = Answer(question, "writing", hits=tuple(Hit(passage, 0.5) for passage in index.passages))
    answer = cite(answer, "It was built in 1911.", [first], "verified")
    answer = cite(answer, "It was built by the mason Anna Brandt.", [second], "verified")
    compared = compare(answer, index, lambda sentence: "")
    [point] = compared.disagreements
    assert [(version.text, version.citations) for version in point.versions] == [
        (later, (2,)),
        ("It was built in 1911.", (1,)),
    ]
    assert compared.statements == answer.statements
