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
LANGUAGES = ["de", "fr", "zh", "en", "th", "en"]


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
    index = Bm25Index(PASSAGES, LANGUAGES)
    shares = index.shares(question, "en")
    assert shares.shape == (6,)
    assert int(shares.argmax()) == row
    assert shares[row] > 0
    assert index.shared(question, "en", row)


def test_scores_are_those_of_bm25() -> None:
    """Lucene's formula by hand: idf = ln(1 + (N - n + .5) / (n + .5)), tf / (tf + k1 (1 - b + b l / avg))."""
    texts = ["red red blue", "blue", "green blue red grey"]
    idf = np.log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    average = 8 / 3
    wanted = [
        idf * tf / (tf + 1.5 * (1 - 0.75 + 0.75 * length / average)) for tf, length in ((2, 3), (0, 1), (1, 4))
    ]
    # A share is the score over the most that the words could give: the sum of their idf.
    shares = Bm25Index(texts, ["xx"] * 3).shares("red", "xx")
    assert shares * idf == pytest.approx(wanted, rel=1e-5)
    unknown = np.log(1 + (3 + 0.5) / 0.5)
    assert Bm25Index(texts, ["xx"] * 3).shares("red mauve", "xx") == pytest.approx(
        shares * idf / (idf + unknown), rel=1e-5
    )


def test_bytes_bring_back_the_same_index() -> None:
    index = Bm25Index(PASSAGES, LANGUAGES)
    again = Bm25Index.from_bytes(index.to_bytes())
    assert len(again) == 6
    for passage in PASSAGES:
        assert np.array_equal(again.shares(passage, "en"), index.shares(passage, "en"))
    assert Bm25Index(PASSAGES, LANGUAGES).to_bytes() == index.to_bytes()


@pytest.mark.parametrize("texts", [[], [""], ["?", "…"]])
def test_nothing_to_count_is_no_fault(texts: list[str]) -> None:
    again = Bm25Index.from_bytes(Bm25Index(texts, ["en"] * len(texts)).to_bytes())
    assert again.shares("bridge", "en").tolist() == [0.0] * len(texts)


@pytest.mark.parametrize(
    "question", ["What's up?", "C++", "?", "", "👍🏽", "a\0b", "\ud800", 'NEAR("', "1" * 5000, "1." * 5000]
)
def test_odd_questions_are_answered_with_scores(question: str) -> None:
    shares = Bm25Index(PASSAGES, LANGUAGES).shares(question, "en")
    assert np.isfinite(shares).all()
    assert ((shares >= 0) & (shares < 1)).all()


@given(st.text(max_size=60))
def test_tokens_hold_no_white_space_so_that_lines_can_keep_them(text: str) -> None:
    for token in tokens(text, "de"):
        assert token.strip() == token != ""
        assert not any(c.isspace() for c in token)


@given(st.integers(0, 10**12))
def test_separators_of_thousands_do_not_matter(value: int) -> None:
    for separator in ",.' ":
        assert numbers(f"{value:,}".replace(",", separator)) == [str(value)]


def test_invisible_characters_do_not_hide_a_word() -> None:
    assert tokens("Br\u00adü\u200bcke", "de") == tokens("Brücke", "de") == tokens("Bru\u0308cke", "de")


@pytest.mark.parametrize(
    ("language", "forms"),
    [
        ("de", ("Klage", "Klagen")),
        ("en", ("lawsuit", "lawsuits")),
        ("fr", ("plainte", "plaintes")),
        ("it", ("accusa", "accuse")),
        ("nl", ("aanklacht", "aanklachten")),
        ("es", ("demanda", "demandas")),
        ("pt", ("processo", "processos")),
    ],
)
def test_forms_of_a_word_are_one_in_its_language(language: str, forms: tuple[str, str]) -> None:
    assert tokens(forms[0], language) == tokens(forms[1], language)


@pytest.mark.parametrize("other", ["97.4 billion dollars", "97,4 milliards de dollars", "974亿美元"])
def test_a_large_sum_is_one_token_in_every_spelling(other: str) -> None:
    language = {"b": "en", "m": "fr", "亿": "zh"}[other[5] if other[5] in "bm" else other[3]]
    assert "=97400000000" in tokens("Sie boten 97,4 Milliarden Dollar.", "de")
    assert "=97400000000" in tokens(other, language)
    index = Bm25Index(["Sie boten 97,4 Milliarden Dollar.", "Sie boten 12 Millionen."], ["de", "de"])
    assert index.shares(other, language).argmax() == 0
    assert "=97400000000" in index.shared(other, language, 0)
