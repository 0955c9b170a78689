"""Summaries, comparisons and the report, on hand-made rows."""

import io
import itertools
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from corpus import Document, FeudError, Passage, Sentence
from eval.case import Case, Gold
from eval.report import markdown, render, render_comparison, write_report
from eval.runner import Row, evaluate, run
from eval.summary import Summary, compare, interval, read_run, summarise
from eval.tables import faults
from index import EVERYTHING, Filter, Hit
from rag import Answer, Citation, Question, Statement, Turn

LAKE = Document("lake.txt", "The lake froze in 1963. Nobody fell in.", "The lake")
FROZE = Sentence(LAKE, 0, 23, "en")
CASE = Case(
    id="lake",
    split="dev",
    topic="lake",
    kind="one_fact",
    language="en",
    question="When did the lake freeze?",
    history=(),
    answerable=True,
    needs=((Gold("lake.txt", "The lake froze in 1963."),),),
    facts=(("1963", "sixty-three"),),
    forbidden=(),
)
CASES = [
    *(replace(CASE, id=f"one-{n}") for n in range(3)),
    replace(CASE, id="dam", kind="unanswerable", language="de", answerable=False, needs=(), facts=()),
]


class Says:
    """Answers with one sentence over the lake; None fails."""

    def __init__(self, *said: str | None) -> None:
        self.said = list(said)

    def ask(self, question: str, history: Sequence[Turn] = (), where: Filter = EVERYTHING) -> Answer:
        said = self.said.pop(0)
        if said is None:
            raise FeudError("The engine is off. Start it.")
        return Answer(
            Question(question, "en", question),
            "answered",
            statements=(Statement(said, (1,), "verified"),),
            citations=(Citation(1, (FROZE,)),),
            hits=(Hit(Passage(LAKE, (FROZE,)), 0.5),),
            llm="tiny",
            embedder="hash",
            generation=7,
        )


def summary(*said: str | None, name: str = "run", cases: Sequence[Case] = CASES) -> Summary:
    return summarise(run(Says(*said), cases, [LAKE]), name)


RIGHT, WRONG = "It froze over completely in 1963.", "It froze over completely in winter."


def shown(renderable: RenderableType, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(renderable)
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def test_groups_are_all_kinds_and_languages() -> None:
    groups = summary(RIGHT, WRONG, None, RIGHT).groups
    assert [(group.by, group.name, group.cases) for group in groups] == [
        ("all", "all", 4),
        ("kind", "one_fact", 3),
        ("kind", "unanswerable", 1),
        ("language", "de", 1),
        ("language", "en", 3),
    ]
    facts = groups[0].measures["facts"]
    assert facts.n == 3
    assert facts.mean == pytest.approx(1 / 3)
    assert (groups[0].measures["failed"].mean, groups[2].measures["hallucination"].mean) == (0.25, 1.0)
    assert "facts" not in groups[2].measures


def test_the_summary_says_what_answered() -> None:
    made = summary(RIGHT, WRONG, None, RIGHT)
    assert (made.splits, made.llms, made.embedders, made.generations) == (("dev",), ("tiny",), ("hash",), (7,))


def test_times_have_median_and_95th_percentile() -> None:
    [row] = run(Says(RIGHT), CASES[:1], [LAKE])
    rows = [replace(row, measures={"seconds": float(n)}) for n in range(101)]
    seconds = summarise(rows).groups[0].measures["seconds"]
    assert (seconds.n, seconds.mean, seconds.median, seconds.p95) == (101, 50.0, 50.0, 95.0)
    assert 43 < seconds.low < 46 < 54 < seconds.high < 57  # 1.96 * 29.2 / sqrt(101) = 5.7


def test_the_interval_is_that_of_the_normal_approximation_and_always_the_same() -> None:
    values = [1.0] * 80 + [0.0] * 20
    low, high = interval(values, (0, 1))
    assert (low, high) == interval(values, (0, 1))
    assert low == pytest.approx(0.8 - 1.96 * 0.04, abs=0.011)
    assert high == pytest.approx(0.8 + 1.96 * 0.04, abs=0.011)


@pytest.mark.parametrize(
    ("values", "bounds", "expected"),
    [
        ([0.0] * 30, (0, 1), (0.0, 0.095)),
        ([1.0] * 30, (0, 1), (0.905, 1.0)),
        ([0.5], (0, 1), (0.025, 0.975)),
        ([0.0] * 30, (-1, 1), (-0.095, 0.095)),
        ([2.5] * 30, None, (2.5, 2.5)),
    ],
)
def test_equal_values_are_not_certainty(
    values: list[float], bounds: tuple[float, float] | None, expected: tuple[float, float]
) -> None:
    assert interval(values, bounds) == pytest.approx(expected, abs=0.001)


def test_a_comparison_finds_what_was_planted() -> None:
    earlier = summary(RIGHT, WRONG, RIGHT, RIGHT, name="earlier")
    later = summary(WRONG, RIGHT, RIGHT, None, name="later")
    changes = {change.measure.name: change for change in compare(earlier, later).changes}
    facts = changes["facts"]
    assert (facts.n, facts.better, facts.worse, facts.equal) == (3, ("one-1",), ("one-0",), 1)
    assert facts.earlier == facts.later == pytest.approx(2 / 3)
    assert facts.difference == 0.0
    assert facts.low < 0 < facts.high
    # Lower is better for both: the failure did not hallucinate, and it failed.
    assert (changes["hallucination"].better, changes["hallucination"].worse) == (("dam",), ())
    assert (changes["failed"].better, changes["failed"].worse) == ((), ("dam",))
    assert changes["failed"].difference == 0.25


def test_a_run_compared_with_itself_has_no_changes() -> None:
    same = summary(RIGHT, WRONG, None, RIGHT)
    assert all(not c.better and not c.worse and c.difference == 0 for c in compare(same, same).changes)


def test_edited_and_single_cases_are_set_apart() -> None:
    edited = [replace(CASES[0], facts=(("1964",),)), *CASES[1:3], replace(CASES[3], id="new")]
    comparison = compare(summary(*[RIGHT] * 4), summary(*[RIGHT] * 4, cases=edited))
    assert comparison.apart == ("one-0", "dam", "new")
    assert {change.n for change in comparison.changes} == {2}


@pytest.mark.parametrize(
    ("case", "said", "expected"),
    [
        (CASES[0], RIGHT, {}),
        (CASES[0], WRONG, {"facts": 0.0}),
        (
            CASES[0],
            None,
            {"failed": 1.0, "answered": 0.0, "facts": 0.0, "citation recall": 0.0, "language": 0.0},
        ),
        (CASES[3], RIGHT, {"abstained": 0.0, "language": 0.0}),
    ],
)
def test_a_case_fails_by_what_is_not_at_its_best(
    case: Case, said: str | None, expected: dict[str, float]
) -> None:
    [row] = run(Says(said), [case], [LAKE])
    assert faults(row) == expected


def test_the_report_shows_each_failing_case_with_answer_and_gold(tmp_path: Path) -> None:
    list(evaluate(Says(RIGHT, WRONG, None, RIGHT), CASES, [LAKE], tmp_path))
    made = read_run(tmp_path)
    assert write_report(made, tmp_path) == tmp_path / "report.html"
    report = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "## Failing cases: 3 of 4" in report
    assert "### one-0" not in report
    block = report.split("### one-1 · one_fact · en")[1].split("###")[0]
    for line in (
        "facts 0 % (gold among the passages: 100 %)",
        "When did the lake freeze?",
        "It froze over completely in winter [1].",
        "[1] lake.txt 0-23: The lake froze in 1963.",
        "fact MISSING: 1963 | sixty-three",
        "need 1: lake.txt: The lake froze in 1963.",
    ):
        assert line in block.splitlines(), line
    assert "The engine is off. Start it." in report.split("### one-2")[1]
    assert "Gold: the documents do not say" in report.split("### dam")[1]


def test_the_json_holds_settings_and_estimates(tmp_path: Path) -> None:
    earlier, later = summary(WRONG, *[RIGHT] * 3, name="earlier"), summary(*[RIGHT] * 4, name="later")
    write_report(later, tmp_path, compare(earlier, later))
    data = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert (data["schema"], data["name"], data["splits"]) == (1, "later", ["dev"])
    assert (data["llms"], data["embedders"], data["generations"]) == (["tiny"], ["hash"], [7])
    assert data["bootstrap"] == {"seed": 20250212, "resamples": 2000}
    assert data["failing"] == ["dam"]
    overall = data["groups"][0]
    assert (overall["by"], overall["cases"], overall["measures"]["facts"]["mean"]) == ("all", 4, 1.0)
    facts = next(change for change in data["compared"]["changes"] if change["measure"] == "facts")
    assert (data["compared"]["with"], facts["better"], facts["worse"]) == ("earlier", ["one-0"], [])


def test_the_report_lists_better_and_worse_cases() -> None:
    earlier, later = summary(WRONG, *[RIGHT] * 3, name="earlier"), summary(RIGHT, WRONG, RIGHT, RIGHT)
    report = markdown(later, compare(earlier, later))
    assert "## Against earlier" in report
    assert "- facts: better one-0; worse one-1" in report


def hostile() -> Row:
    [row] = run(Says("~~~~\n# Not a heading\n\x1b[2J\u202e<img src=x> winter"), CASES[:1], [LAKE])
    return row


def test_nothing_that_a_model_wrote_is_markup_in_the_report() -> None:
    from markdown_it import MarkdownIt

    report = markdown(summarise([hostile()]))
    assert not {"\x1b", "\u202e"} & set(report)
    tokens = MarkdownIt().parse(report)
    assert [token.info for token in tokens if token.type == "fence"] == ["text"] * 3
    assert not any("heading" in (token.content or "") for token in tokens if token.type != "fence")
    assert not any("img" in token.content for token in tokens if token.type != "fence")


def test_long_answers_in_any_script_are_wrapped() -> None:
    report = markdown(summary("1963 " * 60, "湖面在冬天结冰。" * 40, cases=CASES[2:]))
    assert "湖面在冬天结冰" in report
    outside = [line for line in report.splitlines() if not line.startswith("|")]
    assert max(map(len, outside)) <= 140


@pytest.mark.parametrize("width", [80, 120])
def test_the_terminal_shows_every_number_at_its_width(width: int) -> None:
    cases = [replace(case, kind="several_documents") for case in CASES[:3]] + CASES[3:]
    ticks = itertools.count(step=12.3)
    rows = run(Says(RIGHT, WRONG, None, RIGHT), cases, [LAKE], clock=lambda: next(ticks))
    text = shown(render(summarise(rows)), width)
    assert max(map(len, text.splitlines())) <= width
    assert "4 cases; splits dev; llm tiny; embedder hash; generation 7" in text
    assert "…" not in text
    assert "…" not in shown(render(summary(*[RIGHT] * 4)), width)  # here the intervals are at their widest
    by_kind = text.split("several")[1].split("unanswerable")[0].replace("documents", "").split()
    assert by_kind[:3] == ["67", "33", "100"]  # of three: two found, one stated, no citation invalid
    assert by_kind.count("12.3") == 2
    numbers = [after for word, after in itertools.pairwise(by_kind) if word == "n"]
    assert numbers == ["3", "3", "2", "3", "3", "3", "3", "3"]  # the failed answer has no citation to be valid


def test_the_terminal_shows_a_comparison() -> None:
    earlier, later = summary(WRONG, *[RIGHT] * 3, name="earlier"), summary(*[RIGHT] * 4, name="later")
    text = shown(render_comparison(compare(earlier, later)), 120)
    [facts] = [line.split() for line in text.splitlines() if line.startswith("facts")]
    assert facts[:5] == ["facts", "3", "0.667", "1.000", "+0.333"]
    assert facts[-3:] == ["1", "2", "0"]
    assert text.startswith("earlier -> later")
    assert "· facts: better one-0; worse none" in text.splitlines()
