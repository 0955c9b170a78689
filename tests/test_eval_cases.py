"""The shipped cases hold against the documents, and the checker sees every kind of mistake."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import corpus
from eval.case import KINDS, Case, Gold, Split, check
from eval.casefile import CaseError, load
from rag import Turn

DOCUMENTS = {
    file.name: file.read_bytes().decode("utf-8")
    for file in (Path(corpus.__file__).parent / "documents").glob("*.txt")
}
SPOKEN = {"000": {"de"}, "001": {"zh", "en"}, "002": {"nl"}, "003": {"fr"}, "004": {"it"}}
ASKED_IN = {"de", "en", "fr", "it", "nl", "zh", "es", "pt", "pl", "tr", "ja", "vi"}
CASES = load()

LAKE = {"lake.txt": "The lake froze in 1963. Nobody fell in.", "see.txt": "Der See fror 1964 zu."}
CASE = Case(
    id="lake-1",
    split="dev",
    topic="lake",
    kind="one_fact",
    language="en",
    question="When did the lake freeze?",
    needs=((Gold("lake.txt", "The lake froze in 1963."),),),
    facts=(("1963",),),
)
FILE = """
split = "test"

[quotes."lake.txt"]
froze = "The lake froze in 1963."

[quotes."see.txt"]
fror = "Der See fror 1964 zu."

[facts]
early = ["1963", "sixty-three"]
late = ["1964"]

[[case]]
id = "lake-when"
kind = "follow_up"
language = "en"
question = "And when?"
history = [["Did it freeze?", "Yes."]]
needs = [["froze", "fror"], ["fror"]]
facts = ["early", "late"]
forbidden = ["1965"]
"""


def gold_languages(case: Case) -> set[str]:
    return {code for need in case.needs for gold in need for code in SPOKEN[gold.document[:3]]}


def test_the_checker_finds_nothing_in_the_shipped_cases() -> None:
    assert len(DOCUMENTS) == 5
    assert check(CASES, DOCUMENTS) == []


def test_there_are_enough_cases_in_two_splits_of_about_equal_size() -> None:
    sizes = Counter(case.split for case in CASES)
    assert sum(sizes.values()) >= 120
    assert abs(sizes["dev"] - sizes["test"]) <= 10


@pytest.mark.parametrize("split", ["dev", "test"])
def test_a_split_has_every_kind_and_language(split: Split) -> None:
    cases = load(split=split)
    assert {case.split for case in cases} == {split}
    assert {kind for kind, n in Counter(c.kind for c in cases).items() if n >= 3} == set(KINDS) - {"taken_away"}
    assert {case.language for case in cases} >= ASKED_IN


@pytest.mark.parametrize("case", [c for c in CASES if c.kind == "cross_language"], ids=lambda case: case.id)
def test_a_cross_language_case_has_no_gold_in_the_language_of_its_question(case: Case) -> None:
    assert case.language not in gold_languages(case)


@pytest.mark.parametrize("case", [c for c in CASES if c.kind == "one_fact"], ids=lambda case: case.id)
def test_a_one_fact_case_has_gold_in_the_language_of_its_question(case: Case) -> None:
    assert case.language in gold_languages(case)


@pytest.mark.parametrize("case", [c for c in CASES if c.kind == "several_documents"], ids=lambda case: case.id)
def test_no_single_document_meets_a_case_on_several(case: Case) -> None:
    documents = [{gold.document for gold in need} for need in case.needs]
    assert not set.intersection(*documents)


def test_a_sound_case_of_another_corpus_passes() -> None:
    assert check([CASE], LAKE) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"needs": ((Gold("lake.txt", "The lake froze in  1963."),),)}, "does not hold the quote"),
        ({"needs": ((Gold("lake.txt", "the lake froze in 1963."),),)}, "does not hold the quote"),
        ({"needs": ((Gold("pond.txt", "The lake froze in 1963."),),)}, "there is no document 'pond.txt'"),
        ({"needs": (*CASE.needs, ())}, "a need has no quote"),
        ({"needs": ()}, "answerable, but without needs or without facts"),
        ({"facts": ()}, "answerable, but without needs or without facts"),
        ({"answerable": False}, "not answerable, but with needs or facts"),
        ({"kind": "unanswerable"}, "kind unanswerable can't be answerable"),
        ({"kind": "off_topic"}, "kind off_topic can't be answerable"),
        ({"kind": "conflict"}, "kind conflict has fewer than two needs"),
        ({"kind": "riddle"}, "kind 'riddle' is none of"),
        ({"kind": "follow_up"}, "a follow_up has a history"),
        ({"history": (Turn("Which lake?", "The big one."),)}, "a follow_up has a history"),
        ({"language": "english"}, "language 'english' is no two letters"),
        ({"split": "train"}, "split 'train' is neither dev nor test"),
        ({"question": " "}, "the question is empty"),
        ({"facts": (("1963", " "),)}, "a surface form is empty"),
        ({"facts": (("1964",),)}, "no gold quote says the fact ('1964',)"),
        ({"facts": (("196",),)}, "no gold quote says the fact ('196',)"),
        ({"question": "Was it 1963?"}, "already says '1963'"),
        ({"forbidden": ("LAKE",)}, "the forbidden 'LAKE' stands in a gold quote"),
    ],
)
def test_the_checker_finds_a_planted_mistake(change: dict[str, Any], problem: str) -> None:
    lines = [str(problem) for problem in check([replace(CASE, **change)], LAKE)]
    assert any(line.startswith("lake-1: ") and problem in line for line in lines), lines


def test_the_checker_finds_an_id_that_stands_twice() -> None:
    [problem] = check([CASE, replace(CASE, question="In what year?")], LAKE)
    assert str(problem) == "lake-1: the id stands 2 times; give each case its own"


def test_the_checker_finds_a_topic_in_both_splits() -> None:
    other = replace(CASE, id="lake-2", split="test")
    assert [str(problem) for problem in check([CASE, other], LAKE)] == [
        "lake-2: topic 'lake' is in both splits"
    ]


def test_a_file_becomes_cases(tmp_path: Path) -> None:
    (tmp_path / "lake.toml").write_text(FILE, encoding="utf-8")
    froze, fror = Gold("lake.txt", "The lake froze in 1963."), Gold("see.txt", "Der See fror 1964 zu.")
    assert load(tmp_path) == [
        Case(
            id="lake-when",
            split="test",
            topic="lake",
            kind="follow_up",
            language="en",
            question="And when?",
            history=(Turn("Did it freeze?", "Yes."),),
            needs=((froze, fror), (fror,)),
            facts=(("1963", "sixty-three"), ("1964",)),
            forbidden=("1965",),
        )
    ]
    assert load(tmp_path, "dev") == []
    assert check(load(tmp_path), LAKE) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('needs = [["froze", "fror"]', 'needs = [["frozen", "fror"]', "'lake-when' names 'frozen'"),
        ('facts = ["early", "late"]', 'facts = ["early", "later"]', "names 'later'"),
        ('facts = ["early", "late"]', 'facts = ["early"]', "no case uses late"),
        (
            'late = ["1964"]',
            'late = "1964"',
            'facts (late) is not as it must be. Write lines name = ["…"], each with a list',
        ),
        ('forbidden = ["1965"]', 'forbidden = "1965"', "forbidden must be a list of forms"),
        ('[["Did it freeze?", "Yes."]]', '[["Did it freeze?"]]', "history must be a list of"),
        ('question = "And when?"\n', "", "lake.toml:14: case 'lake-when' has no 'question'"),
        ("forbidden =", "forbiden =", "unknown key 'forbiden'"),
        ("fror = ", "froze = ", "one name to two quotes"),
        ('split = "test"', "split = test", "is not valid TOML"),
    ],
)
def test_a_file_with_a_mistake_is_refused_with_its_name(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in FILE
    (tmp_path / "lake.toml").write_text(FILE.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CaseError, match=r"lake\.toml") as refused:
        load(tmp_path)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_folder_without_cases_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="no case files"):
        load(tmp_path)
