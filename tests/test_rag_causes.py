"""A reason that a model makes up of what a source only tells beside it."""

from pathlib import Path

import pytest

from index import Index, build, open_index
from rag.causes import reasoned
from rag.wordlists import patterns
from tests.fakes import HashEmbedder

BESIDE = "Jan Ott closed the mill in 1911 without giving a reason for it."
REASON = "Die Mühle schloss 1911 wegen eines Sturms, der lange dauerte."
THEREFORE = "磨坊主没有钱，所以磨坊在1911年关闭了。"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    folder, home = tmp_path_factory.mktemp("documents"), tmp_path_factory.mktemp("home")
    for name, text in {"en": f"{BESIDE} It rained.", "de": f"{REASON} Es regnete.", "zh": THEREFORE}.items():
        Path(folder, f"{name}.txt").write_text(f"{text}\n", "utf-8")
    assert list(build(folder, home, HashEmbedder()))
    return open_index(home, HashEmbedder())


@pytest.mark.parametrize(
    ("written", "language", "source", "right"),
    [
        ("Jan Ott closed the mill because he gave no reason.", "en", BESIDE, False),
        ("Jan Ott schloss die Mühle, weil er keinen Grund angab.", "de", BESIDE, False),
        ("Ott fechou o moinho porque não deu razão.", "pt", BESIDE, False),
        ("Ott关闭了磨坊，因为他没有说明理由。", "zh", BESIDE, False),
        ("Jan Ott closed the mill in 1911.", "en", BESIDE, True),
        ("Jan Ott stängde kvarnen därför att han inte angav något skäl.", "sv", BESIDE, True),
        ("The mill closed because of a storm.", "en", REASON, True),
        ("De molen sloot vanwege een storm.", "nl", REASON, True),
        ("Le moulin a fermé parce que le meunier n'avait pas d'argent.", "fr", THEREFORE, True),
    ],
)
def test_because_needs_a_source_that_says_why(
    index: Index, written: str, language: str, source: str, right: bool
) -> None:
    stands = next(sentence for sentence in index.sentences if sentence.text == source)
    assert reasoned(written, language, stands, index) == right


def test_each_language_has_both_lists() -> None:
    assert all({"because", "also"} == set(lists) for lists in patterns("causes").values())
    assert {"de", "zh", "en", "nl", "fr", "it"} <= set(patterns("causes"))
