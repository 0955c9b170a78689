"""Sentences and passages: their borders, and that they cover what they should."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import corpus
from corpus import Document, described, explain, passages, sentences
from corpus.segments import segment
from corpus.sentences import LONGEST, split
from tests.documents import documents_of

FOLDER = Path(corpus.__file__).parent / "documents"
XQUAD = Path(__file__).parent / "data" / "xquad-r"


def document(text: str) -> Document:
    return Document("a.txt", text, "A", segments=segment(text))


@pytest.mark.parametrize(
    ("language", "parts"),
    [
        (
            "de",
            [
                "Am 9. Februar 2023 kam er.",
                "Im 21. Jahrhundert, z. B. heute, nicht.",
                "Dr. Lee ging 2018.",
                "Nun ja.",
            ],
        ),
        ("de", ["„Er kam. Er ging“, sagte sie.", "Das war Ludwig XIV. von Frankreich.", "1960 starb er."]),
        (
            "en",
            [
                "The U.S. Senate met at 9 a.m. on Friday.",
                "He paid $97.4 billion.",
                "She moved to the U.S. in May.",
            ],
        ),
        (
            "en",
            [
                "He wrote on X.",
                "The offer by J. A. Lee failed (e.g. Twice. Or more).",
                "iPhones sold.",
                "Why?!",
                "No...",
            ],
        ),
        (
            "en",
            [
                'He said "No. Never." and left.',
                '"Why not?" asked Lee.',
                "See Fig. 2 of Vol. 3.",
                "That's Tesla's.",
                "End.",
            ],
        ),
        ("zh", ["他说：“我来了。你走吧。”", "然后他们一起离开了那座城市，再也没有回来。", "真的？", "是！"]),
        (
            "fr",
            [
                "Il a dit : « Non merci. Au revoir. »",
                "M. Dupont, né le 1er mai, est parti vers 8 h 30 : trop tard.",
                "Non !",
            ],
        ),
        (
            "it",
            [
                "“Non credo,” ha detto il sig. Rossi.",
                "È l’art. 5 della legge.",
                "Quanto?",
                "9,74 miliardi, ecc. e basta.",
            ],
        ),
        (
            "nl",
            [
                '"Ja. Nee", zei dhr. Jansen.',
                "Dat is 'totaal oké' voor auto's.",
                "Ook 's avonds, d.w.z. laat.",
                "Ja.",
            ],
        ),
        ("es", ["El Sr. Costa llegó.", "¿Quién es?", "¡Nadie!", "Vive en EE. UU. desde 2018."]),
        ("hi", ["वह आया।", "वह गया।"]),
    ],
)
def test_sentences_end_where_they_should(language: str, parts: list[str]) -> None:
    text = ("" if language == "zh" else " ").join(parts)
    assert [text[start:end] for start, end in split(text, language)] == parts


def test_a_long_quotation_is_cut_inside() -> None:
    quoted = " ".join(["The office has counted every ship that came into the harbour since May."] * 6)
    text = f"“{quoted}” said the mayor, who opened it."
    assert len(split(text, "en")) == 6
    assert len(split("“The office counts. It has counted since May.” said the mayor.", "en")) == 1


def test_quotation_marks_that_do_not_match_join_nothing() -> None:
    assert len(split('He said "yes. She left. They stayed. It rained.', "en")) == 4


@pytest.mark.parametrize(("language", "floor"), [("de", 0.97), ("en", 0.97), ("es", 0.93), ("zh", 0.8)])
def test_marked_sentence_ends_are_found(language: str, floor: float) -> None:
    # Some marks are wrong: the Chinese ones cut names at their dots.
    found = marked = right = 0
    for line in (XQUAD / f"{language}.jsonl").read_text(encoding="utf-8").splitlines():
        paragraph = json.loads(line)
        text = paragraph["context"]
        gold = {len(text[:end].rstrip()) for _, end in paragraph["sentence_breaks"]}
        ours = {end for _, end in split(text, language, quotation=0)}
        found, marked, right = found + len(ours), marked + len(gold), right + len(ours & gold)
    assert right / marked >= floor
    assert right / found >= floor


def test_markdown_marks_at_the_edges_are_no_part_of_a_sentence() -> None:
    text = "- **It rained.** All day.\n- *It snowed.*"
    assert [s.text for s in sentences(document(text))] == ["It rained.", "All day.", "It snowed."]


@pytest.mark.parametrize("doc", documents_of(FOLDER), ids=lambda doc: doc.id)
def test_spans_of_the_documents_fit(doc: Document) -> None:
    check(doc)


PIECES = st.sampled_from(
    [
        *(
            "The ship came in.",
            "Das Amt zählt 9. Mai.",
            "他说：“好。”",
            '"Ja."',
            "« Non »",
            "Er sagte:",
            "Foto: Ann Lee.",
        ),
        *(
            "---",
            "**Bold:**",
            "# A",
            "- ",
            "date 2021-05 ",
            "12/11/2025",
            "Source: X",
            "https://a.example",
            "title: x",
        ),
        *("Menu", "No data", "\n", "\n\n", "\r\n", "\f", " ", ". ", "…", "“", "”", '"', "(", ")", "😀"),
    ]
)


@given(st.lists(PIECES | st.text(max_size=8), max_size=40).map("".join))
@settings(max_examples=150, deadline=None)
def test_spans_of_any_text_fit(text: str) -> None:
    check(document(text))


def check(doc: Document) -> None:
    text = doc.text
    assert "".join(part for _, part in explain(doc)) == text
    borders = [(s.start, s.end) for s in doc.segments]
    assert all(start < end for start, end in borders)
    assert [start for start, _ in borders[1:]] == [end for _, end in borders[:-1]]
    assert all((s.kind == "noise") == bool(s.reason) for s in doc.segments)
    found = sentences(doc)
    covered = [False] * len(text)
    for sentence in found:
        assert sentence.text == sentence.text.strip() != ""
        assert not any(covered[sentence.start : sentence.end])
        covered[sentence.start : sentence.end] = [True] * (sentence.end - sentence.start)
        assert len(sentence.text) <= LONGEST
    for s in doc.segments:
        missed = {c for c, hit in zip(text[s.start : s.end], covered[s.start : s.end], strict=True) if not hit}
        if s.kind == "article":
            assert all(c.isspace() or c in "*_#>-+•" for c in missed)
        else:
            assert not any(covered[s.start : s.end])
    shown = passages(doc)
    assert {sentence for passage in shown for sentence in passage.sentences} == set(found)
    assert all(len(passage.sentences) == 1 or len(passage.text) <= 600 for passage in shown)


def test_passages_overlap_by_a_sentence_and_stop_at_headings() -> None:
    doc = document(
        "# Ships\n\nOne came. Two came. Three came. Four came.\n\n# Boats\n\nNone came in all of May."
    )
    shown = [(passage.heading, passage.text) for passage in passages(doc)]
    assert shown == [
        ("Ships", "One came. Two came. Three came."),
        ("Ships", "Three came. Four came."),
        ("Boats", "None came in all of May."),
    ]


def test_passages_do_not_cross_what_is_left_out() -> None:
    doc = document("It rained all day in May. Foto: Ann Lee. It snowed all night in June, and nobody came.")
    assert [passage.text for passage in passages(doc)] == [
        "It rained all day in May.",
        "It snowed all night in June, and nobody came.",
    ]


def test_a_passage_is_embedded_with_title_and_heading() -> None:
    [passage] = passages(document("## **Boats:**\n\nNone came in all of May."))
    assert described(passage) == "A\nBoats\nNone came in all of May."


def test_text_without_any_stop_is_cut() -> None:
    found = split("ship " * 1000, "en")
    assert max(end - start for start, end in found) <= LONGEST
    assert sum(end - start + 1 for start, end in found) == 5000


@pytest.mark.parametrize(
    "piece",
    [
        "“a ",
        '"a. ',
        "(a. ",
        "Foto: A ",
        "a. ",
        "a\n",
        "Menu\n\n",
        "“A. B ",
        "。",
        "**a**\n",
        "- \n",
        "a\f",
        "2021年5月",
        "A B/",
    ],
)
def test_hostile_text_takes_linear_time(piece: str) -> None:
    text = piece * (60_000 // len(piece))
    began = time.process_time()
    passages(document(text))
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "The old ferry was sold in 1911, and its captain kept\ngoats on board.\n",
            ["The old ferry was sold in 1911, and its captain kept\ngoats on board."],
        ),
        (
            "Bring to the ferry:\napples and pears\nsome goats\n",
            ["Bring to the ferry:", "apples and pears", "some goats"],
        ),
        (
            "The old ferry was sold in 1911, and the captain said no.\nhe kept goats.\n",
            ["The old ferry was sold in 1911, and the captain said no.", "he kept goats."],
        ),
        (
            "What the captain kept on board until the storm of 1923\nGoats and a cow.\n",
            ["What the captain kept on board until the storm of 1923", "Goats and a cow."],
        ),
    ],
    ids=["goes on", "a list", "has ended", "a capital"],
)
def test_a_line_goes_on_with_a_small_letter_where_few_lines_show_the_width(text: str, told: list[str]) -> None:
    assert [sentence.text for sentence in sentences(document(text))] == told
