"""Words, numbers and scripts: what BM25 counts and finds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.lexical import Bm25Index, numbers, tokens

PASSAGES = [
    "Die Brücke über die Elbe kostete 97,4 Millionen Mark.",
    "Le pont sur le Rhône a coûté 1.250.000 francs en 1897.",
    "长江大桥于1957年建成，全长1670米。",
    "The bridge-keeper's lamp was lit at dusk; the bridge closed at nine.",
    "สะพานข้ามแม่น้ำเจ้าพระยา",
    "",
]


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("97.4", 0),
        ("Brücken", 0),
        ("BRÜCKE", 0),
        ("1,250,000", 1),
        ("1 250 000 francs", 1),
        ("大桥多长", 2),
        ("１６７０", 2),
        ("Lamps of the bridge", 3),
        ("เจ้าพระยา", 4),
    ],
)
def test_a_question_finds_the_passage_that_shares_its_words(question: str, row: int) -> None:
    scores = Bm25Index(PASSAGES).scores(question)
    assert scores.shape == (6,)
    assert int(scores.argmax()) == row
    assert scores[row] > 0


def test_scores_are_those_of_bm25() -> None:
    """Lucene's formula by hand: idf = ln(1 + (N - n + .5) / (n + .5)), tf / (tf + k1 (1 - b + b l / avg))."""
    texts = ["red red blue", "blue", "green blue red grey"]
    idf = np.log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    average = 8 / 3
    wanted = [
        idf * tf / (tf + 1.5 * (1 - 0.75 + 0.75 * length / average)) for tf, length in ((2, 3), (0, 1), (1, 4))
    ]
    assert Bm25Index(texts).scores("red") == pytest.approx(wanted, rel=1e-5)


def test_bytes_bring_back_the_same_index() -> None:
    index = Bm25Index(PASSAGES)
    again = Bm25Index.from_bytes(index.to_bytes())
    assert len(again) == 6
    for passage in PASSAGES:
        assert np.array_equal(again.scores(passage), index.scores(passage))
    assert Bm25Index(PASSAGES).to_bytes() == index.to_bytes()


@pytest.mark.parametrize("texts", [[], [""], ["?", "…"]])
def test_nothing_to_count_is_no_fault(texts: list[str]) -> None:
    again = Bm25Index.from_bytes(Bm25Index(texts).to_bytes())
    assert again.scores("bridge").tolist() == [0.0] * len(texts)


@pytest.mark.parametrize(
    "question", ["What's up?", "C++", "?", "", "👍🏽", "a\0b", "\ud800", 'NEAR("', "1" * 5000, "1." * 5000]
)
def test_odd_questions_are_answered_with_scores(question: str) -> None:
    scores = Bm25Index(PASSAGES).scores(question)
    assert np.isfinite(scores).all()
    assert (scores >= 0).all()


@given(st.text(max_size=60))
def test_tokens_hold_no_white_space_so_that_lines_can_keep_them(text: str) -> None:
    for token in tokens(text):
        assert token.strip() == token != ""
        assert not any(c.isspace() for c in token)


@given(st.integers(0, 10**12))
def test_separators_of_thousands_do_not_matter(value: int) -> None:
    for separator in ",.' ":
        assert numbers(f"{value:,}".replace(",", separator)) == [str(value)]


def test_invisible_characters_do_not_hide_a_word() -> None:
    assert tokens("Br\u00adü\u200bcke") == tokens("Brücke") == tokens("Bru\u0308cke")
