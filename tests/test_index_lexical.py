"""Words, numbers and scripts: what BM25 counts and finds."""

import numpy as np
import pytest
from bm25s import BM25
from hypothesis import given
from hypothesis import strategies as st

from index.lexical import Bm25Index
from index.tokens import numbers, tokens
from tests.lexical_lists import lists, postings

PASSAGES = [
    "Die Brücke über die Elbe kostete 97,4 Millionen Mark.",
    "Le pont sur le Rhône a coûté 1.250.000 francs en 1897.",
    "长江大桥于1957年建成，全长1670米。",
    "The bridge-keeper's lamp was lit at dusk; the bridge closed at nine.",
    "",
    "สะพานข้ามแม่น้ำเจ้าพระยา",
]
LANGUAGES = ["de", "fr", "zh", "en", "en", "th"]


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
        ("เจ้าพระยา", 5),
    ],
)
def test_a_question_finds_the_passage_that_shares_its_words(question: str, row: int) -> None:
    index = lists(PASSAGES, LANGUAGES)
    shares = index.shares(question, "en", np.arange(6))
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
    shares = lists(texts, ["xx"] * 3).shares("red", "xx", np.arange(3))
    assert shares * idf == pytest.approx(wanted, rel=1e-5)
    unknown = np.log(1 + (3 + 0.5) / 0.5)
    assert lists(texts, ["xx"] * 3).shares("red mauve", "xx", np.arange(3)) == pytest.approx(
        shares * idf / (idf + unknown), rel=1e-5
    )


def made_up(count: int, seed: int) -> list[str]:
    """Texts of words of which few are frequent and many rare, as in a language."""
    chosen = np.random.default_rng(seed)
    words = [f"w{number}x" for number in range(2000)]
    return [
        " ".join(words[min(int(number), 1999)] for number in chosen.zipf(1.3, size))
        for size in chosen.integers(1, 60, count)
    ]


@pytest.mark.parametrize("volumes", [1, 2])
def test_the_best_rows_are_those_of_all_scores(volumes: int) -> None:
    """What is cut off unread can't be among the best, and scores of chosen rows are those of all rows."""
    texts = made_up(3000, 5)
    index = lists(texts, ["xx"] * 3000, volumes)
    rows = np.arange(3000)
    for question in made_up(60, 6):
        whole = index.shares(question, "xx", rows)
        found, shares = index.best(question, "xx", 10)["xx"]
        assert found.tolist() == np.lexsort((rows, -whole))[: len(found)].tolist()
        assert np.array_equal(shares, whole[found])
        assert len(found) == 10 or (np.delete(whole, found) == 0).all()
        assert np.array_equal(index.shares(question, "xx", rows[7::31]), whole[7::31])


def test_in_a_long_list_the_best_rows_are_those_that_share_a_rarer_word() -> None:
    texts = made_up(3000, 5)
    exact, fast = lists(texts, ["xx"] * 3000), lists(texts, ["xx"] * 3000, many=0)
    same = []
    for question in made_up(60, 6):
        wanted, found = (each.best(question, "xx", 10)["xx"] for each in (exact, fast))
        same.append(len(np.intersect1d(wanted[0], found[0])) / len(wanted[0]))
        assert len(found[0]) == len(wanted[0])
        assert found[1].mean() >= 0.8 * wanted[1].mean()
        assert np.array_equal(found[1], exact.shares(question, "xx", found[0]))
    assert 0.75 < np.mean(same) < 1


def test_volumes_together_score_as_one() -> None:
    texts, rows = made_up(400, 7), np.arange(400)
    one, two = lists(texts, ["xx"] * 400), lists(texts, ["xx"] * 400, volumes=2)
    for question in made_up(30, 8):
        assert two.shares(question, "xx", rows) == pytest.approx(one.shares(question, "xx", rows), abs=1e-6)
        assert two.shared(question, "xx", 301) == one.shared(question, "xx", 301)


def test_scores_are_those_of_bm25s() -> None:
    texts, rows = made_up(500, 9), np.arange(500)
    index = lists(texts, ["xx"] * 500)
    cut = [tokens(text, "xx") for text in texts]
    number = {token: i for i, token in enumerate(sorted({token for row in cut for token in row}))}
    twin = BM25()
    twin.index(([[number[t] for t in row] for row in cut], number), show_progress=False)
    for question in made_up(30, 10):
        asked = sorted({number[token] for token in tokens(question, "xx") if token in number})
        wanted = twin.get_scores_from_ids(asked)
        shares = index.shares(question, "xx", rows)
        assert shares / shares.max() == pytest.approx(wanted / wanted.max(), abs=1e-5)


def test_rows_that_are_gone_are_not_among_the_best() -> None:
    texts = ["red", "red blue", "red green", "grey"] + ["white"] * 4
    first, second = (postings(part, "xx") for part in (texts[:3], texts[3:]))
    alive = np.array([False] + [True] * 7)
    index = Bm25Index({"xx": [(0, first), (3, second)]}, alive)
    assert index.best("red", "xx", 3)["xx"][0].tolist() == [1, 2]


def test_a_list_that_does_not_fit_into_one_block_is_the_same() -> None:
    texts = made_up(300, 11)
    whole, parts = postings(texts, "xx"), postings(texts, "xx", block=50)
    for token in {token for text in texts for token in tokens(text, "xx")}:
        [(mine, often)], [(its, wanted)] = parts.holding([token]), whole.holding([token])
        assert mine.tolist() == its.tolist()
        assert often.tolist() == wanted.tolist()


@pytest.mark.parametrize("texts", [[], [""], ["?", "…"]])
def test_nothing_to_count_is_no_fault(texts: list[str]) -> None:
    index = lists(texts, ["en"] * len(texts))
    assert index.shares("bridge", "en", np.arange(len(texts))).tolist() == [0.0] * len(texts)
    assert all(not len(rows) for rows, _ in index.best("bridge", "en", 3).values())


@pytest.mark.parametrize(
    "question", ["What's up?", "C++", "?", "", "👍🏽", "a\0b", "\ud800", 'NEAR("', "1" * 5000, "1." * 5000]
)
def test_odd_questions_are_answered_with_scores(question: str) -> None:
    shares = lists(PASSAGES, LANGUAGES).shares(question, "en", np.arange(6))
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
    index = lists(["Sie boten 97,4 Milliarden Dollar.", "Sie boten 12 Millionen."], ["de", "de"])
    assert index.shares(other, language, np.arange(2)).argmax() == 0
    assert "=97400000000" in index.shared(other, language, 0)
