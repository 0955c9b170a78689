"""The measures, on hand-made documents, cases and answers."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.case import Case, Gold
from eval.measures import MEASURES, Attempt, cited, places, retrieved, score
from eval.normalise import fold, holds, states

LAKE = "The lake froze in 1963. Two hundred skaters crossed it. Nobody fell in. The lake froze in 1963."
DAM = "大坝于2015年建成。它高一百米。"
TEXTS = {"lake.txt": LAKE, "dam.txt": DAM}

FROZE = Gold("lake.txt", "The lake froze in 1963.")
SKATERS = Gold("lake.txt", "Two hundred skaters")
BUILT = Gold("dam.txt", "大坝于2015年建成。")

CASE = Case(
    id="lake-en",
    split="dev",
    topic="lake",
    kind="several_documents",
    language="en",
    question="When did the lake freeze, and when was the dam built?",
    history=(),
    answerable=True,
    needs=((FROZE,), (SKATERS, BUILT)),
    facts=(("1963",), ("2015", "two thousand fifteen")),
    forbidden=("1964",),
)
SILENT = replace(CASE, id="silent-en", kind="unanswerable", answerable=False, needs=(), facts=(), forbidden=())


def span(document: str, words: str, start: int = 0) -> dict[str, Any]:
    at = TEXTS[document].index(words, start)
    return {"document": document, "start": at, "end": at + len(words)}


def citation(number: int, document: str, words: str) -> dict[str, Any]:
    return {"number": number, **span(document, words), "quote": words}


def answer(
    *said: tuple[str, list[int]],
    status: str = "answered",
    citations: tuple[dict[str, Any], ...] = (),
    passages: tuple[dict[str, Any], ...] = (),
    versions: tuple[tuple[str, list[int]], ...] = (),
    notice: str = "",
) -> dict[str, Any]:
    parts = [{"text": text, "citations": numbers} for text, numbers in versions]
    return {
        "status": status,
        "text": " ".join(text for text, _ in said) or notice,
        "statements": [{"text": text, "citations": numbers, "support": "verified"} for text, numbers in said],
        "citations": list(citations),
        "disagreements": [{"about": "the year", "versions": parts}] if parts else [],
        "passages": list(passages),
        "timing": {"evidence_ms": 40, "first_token_ms": None, "total_ms": 900},
        "model": {"llm": "", "embedder": ""},
        "generation": 1,
    }


QUALITY = {"recall@2", "recall@4", "recall", "facts", "citation precision", "citation recall"}
FAILED = answer(status="failed", notice="The language model did not answer.")
GOOD = answer(
    ("The lake froze in 1963.", [1]),
    ("The dam was built in 2015.", [2]),
    citations=(citation(1, "lake.txt", FROZE.quote), citation(2, "dam.txt", BUILT.quote)),
    passages=(span("lake.txt", LAKE[:55]), span("dam.txt", DAM)),
)


def measured(case: Case, record: dict[str, Any], seconds: float = 1.5) -> dict[str, float]:
    return score(Attempt(case, record, seconds, TEXTS))


def test_a_good_answer_has_the_best_of_every_measure() -> None:
    assert measured(CASE, GOOD) == {
        "recall@2": 1.0,
        "recall@4": 1.0,
        "recall": 1.0,
        "facts": 1.0,
        "forbidden": 0.0,
        "citation validity": 1.0,
        "citation precision": 1.0,
        "citation recall": 1.0,
        "answered": 1.0,
        "error": 0.0,
        "language": 1.0,
        "failed": 0.0,
        "seconds": 1.5,
        "evidence ms": 40.0,
    }


def test_a_missing_answer_scores_zero() -> None:
    values = measured(CASE, FAILED)
    good = {m.name for m in MEASURES if m.better == "higher" and m.name in values}
    assert good == {*QUALITY, "answered", "language"}
    assert {values[name] for name in good} == {0.0}
    assert (values["failed"], values["error"]) == (1.0, 0.0)


def test_a_missing_answer_is_no_abstention() -> None:
    values = measured(SILENT, FAILED)
    assert (values["abstained"], values["hallucination"], values["failed"]) == (0.0, 0.0, 1.0)


@pytest.mark.parametrize(
    ("status", "abstained", "hallucination"), [("answered", 0.0, 1.0), ("not_in_documents", 1.0, 0.0)]
)
def test_the_unanswerable_is_to_be_refused(status: str, abstained: float, hallucination: float) -> None:
    values = measured(SILENT, answer(status=status, notice="The documents do not say this."))
    assert (values["abstained"], values["hallucination"]) == (abstained, hallucination)
    assert not {"answered", "error", "facts", "recall", "citation precision"} & set(values)


def test_a_refusal_of_an_answerable_question_is_an_error() -> None:
    values = measured(CASE, answer(status="not_in_documents", notice="The documents do not say this."))
    assert (values["answered"], values["error"], values["facts"], values["language"]) == (0.0, 1.0, 0.0, 1.0)
    assert "citation validity" not in values


def test_recall_counts_needs_among_the_first_passages() -> None:
    far = [span("lake.txt", "Nobody fell in.")] * 2
    found = answer(passages=(*far, span("lake.txt", LAKE[:55])))
    assert [measured(CASE, found)[name] for name in ("recall@2", "recall@4", "recall")] == [0.0, 1.0, 1.0]


def test_every_place_of_a_quote_counts() -> None:
    assert [place[1] for place in places(FROZE, TEXTS)] == [0, LAKE.rindex("The lake froze")]
    last = ("lake.txt", LAKE.rindex("The lake froze"), len(LAKE))
    assert retrieved([FROZE], [last], TEXTS)
    assert cited([FROZE], [last], TEXTS)


def test_a_quote_may_be_retrieved_in_two_halves() -> None:
    quote = Gold("lake.txt", "Two hundred skaters crossed it. Nobody fell in.")
    start, third = LAKE.index(quote.quote), len(quote.quote) // 3
    head = ("lake.txt", start - 5, start + third)
    assert not retrieved([quote], [head], TEXTS)
    assert not retrieved([quote], [head, head], TEXTS)  # the same third twice is no more than a third
    assert retrieved([quote], [head, ("lake.txt", start + third, start + 2 * third)], TEXTS)
    assert not retrieved([quote], [("dam.txt", start, start + 2 * third)], TEXTS)


def test_a_citation_must_share_half_of_the_shorter() -> None:
    start = LAKE.index("Two hundred skaters")
    assert cited([SKATERS], [("lake.txt", 0, len(LAKE))], TEXTS)
    assert not cited([SKATERS], [("lake.txt", 0, start + 5)], TEXTS)
    assert cited([SKATERS], [("lake.txt", start, start + 5)], TEXTS)


def test_citation_precision_and_recall_differ() -> None:
    record = answer(
        ("It froze.", [1, 2, 3, 4]),
        citations=(
            citation(1, "lake.txt", FROZE.quote),
            citation(2, "lake.txt", "Nobody fell in."),
            citation(3, "dam.txt", "它高一百米。"),
            citation(4, "lake.txt", "The lake froze in 1963."),
        ),
    )
    values = measured(CASE, record)
    assert (values["citation precision"], values["citation recall"]) == (0.5, 0.5)


@pytest.mark.parametrize(
    "broken",
    [
        {"document": "other.txt"},
        {"quote": "The lake froze in 1964."},
        {"start": 1},
        {"start": 23, "end": 23, "quote": ""},
        {"start": -10, "end": len(LAKE), "quote": LAKE[-10:]},
        {"start": len(LAKE) - 23, "end": len(LAKE)},  # stands there, but in no passage of this answer
    ],
)
def test_a_citation_that_does_not_hold_is_counted(broken: dict[str, Any]) -> None:
    first, second = GOOD["citations"]
    assert measured(CASE, {**GOOD, "citations": [{**first, **broken}, second]})["citation validity"] == 0.5


def test_a_mark_without_citation_and_a_statement_without_mark_do_not_hold() -> None:
    said = [{"text": "It froze.", "citations": [1, 7]}, {"text": "It thawed.", "citations": []}]
    assert measured(CASE, {**GOOD, "statements": said})["citation validity"] == 2 / 4


def test_a_citation_may_lie_across_two_passages() -> None:
    passages = [span("lake.txt", LAKE[:10]), span("lake.txt", LAKE[10:40]), span("dam.txt", DAM)]
    assert measured(CASE, {**GOOD, "passages": passages})["citation validity"] == 1.0


def test_facts_may_stand_in_a_version_and_never_in_a_mark() -> None:
    case = replace(CASE, facts=(("2015",), ("1963",), ("2",)))
    record = answer(("It froze in 1963.", [2]), versions=(("It was built in 2015.", [2]),))
    assert measured(case, {**record, "text": "It froze in 1963 [2]."})["facts"] == pytest.approx(2 / 3)


def test_forbidden_words_are_found_in_what_is_said() -> None:
    assert measured(CASE, answer(("It froze in 1964.", [1])))["forbidden"] == 1.0
    assert "forbidden" not in measured(replace(CASE, forbidden=()), GOOD)


@pytest.mark.parametrize(
    ("language", "question", "said", "value"),
    [
        ("de", "Wann fror der See zu?", "Der See ist im Winter 1963 ganz zugefroren.", 1.0),
        ("de", "Wann fror der See zu?", "The lake froze over completely in 1963.", 0.0),
        ("de", "Wann fror der See zu?", "Die Zeitung schrieb damals: “The lake froze over completely.”", 1.0),
        ("de", "Wann fror der See zu?", "1963.", None),
        ("de", "Wann fror der See zu?", "Im Winter 1963.", None),
        ("de", "Wann fror der See zu?", "1963年冬天。", 0.0),
        ("zh", "湖什么时候结冰？", "湖面在1963年冬天结冰。", 1.0),
        ("zh", "湖什么时候结冰？", "In 1963.", 0.0),
        ("zh", "OpenAI 是何时成立的？", "2015年。", None),
        ("ja", "ダムはいつできましたか。", "東京。", None),
        ("ru", "Когда замёрзло озеро?", "Зимой.", None),
        ("nl", "Wat schreef hij?", "Duits: “Der „See“ fror zu, sagt “das Blatt” aus der Stadt am Ufer.”", None),
        ("nl", "Wat schreef hij?", "Der See fror zu, wie “das Blatt” aus der Stadt am Ufer schreibt.", 0.0),
    ],
)
def test_language_of_the_own_words(language: str, question: str, said: str, value: float | None) -> None:
    case = replace(CASE, language=language, question=question)
    assert measured(case, answer((said, [1]))).get("language") == value


words = st.text(st.sampled_from("lakefrozn 1963.大坝2015年"), max_size=30)
spans = st.builds(
    lambda document, start, length: {"document": document, "start": start, "end": start + length},
    st.sampled_from(["lake.txt", "dam.txt", "other.txt"]),
    st.integers(0, 90),
    st.integers(0, 40),
)
statements = st.lists(st.tuples(words, st.lists(st.integers(1, 4), max_size=3)), max_size=3)


@given(
    case=st.sampled_from([CASE, SILENT]),
    status=st.sampled_from(["answered", "not_in_documents", "failed"]),
    said=statements,
    versions=statements,
    passages=st.lists(spans, max_size=5),
    pointers=st.lists(spans, max_size=4),
    quotes=st.lists(words, min_size=4, max_size=4),
)
def test_shares_lie_between_none_and_all(
    case: Case,
    status: str,
    said: list[tuple[str, list[int]]],
    versions: list[tuple[str, list[int]]],
    passages: list[dict[str, Any]],
    pointers: list[dict[str, Any]],
    quotes: list[str],
) -> None:
    citations = tuple(
        {**pointer, "number": number, "quote": quote}
        for number, (pointer, quote) in enumerate(zip(pointers, quotes, strict=False), start=1)
    )
    record = answer(
        *said, status=status, versions=tuple(versions), passages=tuple(passages), citations=citations
    )
    values = measured(case, record)
    assert {"failed", "seconds"} <= set(values)
    shares = {name: values[name] for name in values if name in SHARES}
    assert all(0.0 <= value <= 1.0 for value in shares.values()), shares
    if case.answerable:
        assert values["answered"] + values["error"] + values["failed"] == 1.0


SHARES = {measure.name for measure in MEASURES if measure.unit == "share"}


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("Er bot 97,4\u202fMilliarden Dollar.", "97,4 Milliarden"),
        ("Er bot 97,4\u00a0Milliarden.", "97,4 milliarden"),
        ("d’OpenAI en 2015", "d'openai"),
        ("er sagte „nein, danke“ dazu", '"Nein, danke"'),
        ("大坝于2015年建成", "2015"),
        ("大坝于 2015 年建成", "2015年"),
        ("于2015，2016年", "2015"),
        ("ＴＯＴＡＬ 12％", "12 %"),
        ("am 12.02.2025 abends", "2025"),
        ("2025-02-12", "12"),
        ("in 2015 300 people came", "2015"),
        ("in 2015 300 people came", "300"),
        ("there were 44\u2009000 of them", "44 000"),
        ("there were 3, then 4.", "4"),
        ("A non\u2011profit, STRASSE", "non-profit"),
        ("Straße", "STRASSE"),
        ("٢٠١٥", "2015"),
    ],
)
def test_a_form_is_found(text: str, form: str) -> None:
    assert holds(text, form)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("12015", "2015"),
        ("20151", "2015"),
        ("97,4 Milliarden", "97"),
        ("97.4 billion", "4 billion"),
        ("1963.5", "1963"),
        ("44 000 people", "44"),
        ("44 000 people", "000"),
        ("1 250 300", "250"),
        ("12:30", "12"),
        ("1'500", "500"),
        ("六十亿", "6"),
        ("anything", ""),
        ("anything", " "),
    ],
)
def test_a_part_of_a_number_is_not_found(text: str, form: str) -> None:
    assert not holds(text, form)


def test_one_form_of_a_fact_is_enough() -> None:
    assert states("Built in two thousand fifteen.", ("2015", "Two Thousand Fifteen"))
    assert not states("Built early.", ("2015", "two thousand fifteen"))
    assert not states("Built early.", ())


@given(st.text(max_size=40))
def test_a_text_holds_itself_and_folding_settles(text: str) -> None:
    folded = fold(text)
    assert "  " not in folded
    assert not folded or holds(f"{text}", text)
